"""What the analysis finds in a video, as what pages show."""

from collections.abc import Mapping
from typing import Any

from mmvseg.analysis.video_analysis import analyze_video
from mmvseg.analysis.video_overlap import video_overlap
from mmvseg.pages.records import ShownError, ShownRun, ShownTube

from .results_file import TubeRecords
from .shown_tubes import TubesToShow


def analyzed_run(
    records: TubeRecords,
    shown: TubesToShow,
    objects: list[ShownTube],
    metainfo: Mapping[str, Any],
) -> ShownRun:
    """Compare the tracks that a page shows with the objects of its video.

    Args:
        records: of the video.
        shown: the tracks, D of them.
        objects: the annotated objects, in the order of ``records``.
        metainfo: ``classes`` and ``category_ids``.
    """
    tracks = [records.results[position] for position in shown.positions]
    class_names = dict(zip(metainfo['category_ids'], metainfo['classes'], strict=True))
    analysis = analyze_video(video_overlap(records.video, records.objects, tracks), class_names)
    track_at = {track.index: position for position, track in enumerate(tracks)}
    object_at = {entry.id: position for position, entry in enumerate(records.objects)}
    errors = []
    for error in analysis.errors:
        track = None if error.track is None else track_at[error.track]
        item = None if error.object is None else object_at[error.object]
        tube = shown.tubes[track] if item is None else objects[item]
        errors.append(
            ShownError(
                error.kind, error.frame, error.cost, error.reason, tube.category, track, item
            )
        )
    return ShownRun(shown.tubes, analysis.shown, errors)
