"""Colours of predicted objects beside ground truth: those of the objects which they show."""

from collections.abc import Iterable, Mapping

from mmvseg.structures import VideoInstances, VideoPanoptic
from mmvseg.structures.track_matching import match_segments, match_tracks

from .overlay import Color, track_color


def colors_beside_truth(found: VideoInstances, truth: VideoInstances) -> dict[int, Color]:
    """RGB of each predicted track.

    Args:
        found: the tubes that are drawn.
        truth: the annotated ones of the same video, drawn by :func:`.track_color`.

    Returns:
        Colours by track id of ``found``, that of the object that a track matches, else one that no
        annotated track has.
    """
    objects, _ = match_tracks(found, truth)
    matches: dict[int, int] = {}
    for track, matched in zip(found.track_ids.tolist(), objects.tolist(), strict=True):
        if matched >= 0:
            matches.setdefault(track, int(truth.track_ids[matched]))
    return _colors(found.track_ids.tolist(), matches, truth.track_ids.tolist())


def segment_colors_beside_truth(found: VideoPanoptic, truth: VideoPanoptic) -> dict[int, Color]:
    """RGB of each predicted thing, by its id; see :func:`colors_beside_truth`."""
    things = [[s.id for s in video.segments if s.is_thing] for video in (found, truth)]
    return _colors(things[0], match_segments(found, truth), things[1])


def _colors(
    tracks: Iterable[int], matches: Mapping[int, int], annotated: Iterable[int]
) -> dict[int, Color]:
    colors: dict[int, Color] = {}
    unused = max(annotated, default=-1) + 1
    for track in tracks:
        if track in matches:
            colors[track] = track_color(matches[track])
        elif track not in colors:
            colors[track] = track_color(unused)
            unused += 1
    return colors
