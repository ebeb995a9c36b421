"""Colours of predicted tracks beside ground truth: that of the object which they show."""

from mmvseg.structures import VideoInstances
from mmvseg.structures.track_matching import match_tracks

from .overlay import Color, track_color


def colors_beside_truth(found: VideoInstances, truth: VideoInstances) -> dict[int, Color]:
    """RGB of each predicted track.

    Args:
        found: the tubes that are drawn.
        truth: the annotated ones of the same video, drawn by :func:`.track_color`.

    Returns:
        Colours by track id of ``found``: that of the object that a track matches, else one that no
        annotated track has.
    """
    objects, _ = match_tracks(found, truth)
    unused = int(max(truth.track_ids, default=-1)) + 1
    colors: dict[int, Color] = {}
    for track, matched in zip(found.track_ids.tolist(), objects.tolist(), strict=True):
        if matched >= 0:
            colors[track] = track_color(int(truth.track_ids[matched]))
    for track in found.track_ids.tolist():
        if track not in colors:
            colors[track] = track_color(unused)
            unused += 1
    return colors
