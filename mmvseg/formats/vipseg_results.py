"""Panoptic ground truth and results in VIPSeg's layout, as they are compared and drawn.

Results are ``pred.json``, whose entries need less than those of the ground truth, and ``pan_pred``
with a segment map a frame.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from msgspec import Raw, Struct, ValidationError

from mmvseg.errors import UserError, counted

from .json_files import decode_entries, decode_json, read_json_bytes
from .panoptic_records import Frame, PanopticSet, PredictedSegment, Video
from .problems import Findings, Problem, strictly
from .vipseg import AnnotationEntry, PredictedFrame, order_rule, read_segments


class ResultsContent(Struct):
    """The whole ``pred.json``, entries not yet decoded."""

    annotations: Raw


def find_ground_truth(path: str | Path) -> Path:
    """The json of a ground truth folder: its only ``panoptic_gt_*.json``, or that of ``*_val*``.

    Args:
        path: the folder, or the json itself.

    Raises:
        UserError: if the folder has none, or several and not one of them of ``val``.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    found = sorted(path.glob('panoptic_gt_*.json'))
    if len(found) > 1:
        found = [file for file in found if '_val_' in f'{file.stem}_'] or found
    if len(found) != 1:
        names = ', '.join(file.name for file in found) or 'none'
        raise UserError(
            f'{path}: needs one panoptic_gt_*.json or one of *_val, has {names}; give the path of '
            'the json itself, or of STEP that of the maps of a split'
        )
    return found[0]


def load_results(
    folder: str | Path, truth: PanopticSet, videos: Mapping[str, Video] | None = None
) -> dict[str, Video]:
    """Read the list of predictions, ``FOLDER/pred.json``; the PNGs are in ``FOLDER/pan_pred``.

    Args:
        folder: folder of the predictions.
        truth: the file that they belong to.
        videos: which of its videos to read, by name; default those that are annotated.

    Returns:
        The videos with the predictions in place of the annotations; others are left out, as
        officially.

    Raises:
        UserError: naming file, video, frame, segment and field of what is missing or wrong.
    """
    path = Path(folder) / 'pred.json'
    if videos is None:
        videos = truth.annotated
    try:
        content = decode_json(read_json_bytes(path), path, ResultsContent)
    except ValidationError:
        raise UserError(
            f"{path}: not a list of predictions (an object with the list 'annotations')"
        ) from None
    category_ids = {category.id for category in truth.categories}
    found = strictly(_read_results(content, path, videos, category_ids), advice='')
    missing = [name for name in videos if name not in found]
    if missing:
        raise UserError(
            f'{path}: {len(missing)} of {len(videos)} videos of {truth.file} are missing, '
            f'the first is {missing[0]}; predict them too'
        )
    return found


def _read_results(
    content: ResultsContent, path: Path, videos: Mapping[str, Video], category_ids: set[int]
) -> Findings[dict[str, Video]]:
    file = str(path)
    entries = yield from decode_entries(
        content.annotations, AnnotationEntry, file, 'annotations', {}, video='video_id'
    )
    seen: set[str] = set()
    found = {}
    for entry in entries:
        name = str(entry.video_id)
        if name in seen:
            yield Problem(file, 'annotations', 'the video is listed twice', video=name)
        seen.add(name)
        if name in videos:
            maps = path.parent / 'pan_pred' / name
            frames = yield from _read_frames(
                entry.annotations, videos[name], maps, category_ids, file
            )
            found[name] = replace(videos[name], frames=frames)
    return found


def _read_frames(
    raw: Raw, video: Video, maps: Path, category_ids: set[int], file: str
) -> Findings[list[Frame]]:
    place = dict(video=video.name)
    entries = yield from decode_entries(raw, PredictedFrame, file, 'annotations', place, 'frame')
    if len(entries) != video.length:
        frames = counted(video.length, 'frames')
        rule = f'{counted(len(entries), "entries")}, but the video has {frames}'
        yield Problem(file, 'annotations', rule, **place)
    found = []
    for entry, frame in zip(entries, video.frames, strict=True):
        where = dict(video=video.name, frame=frame.index)
        if rule := order_rule(entry.file_name, frame.map_name):
            yield Problem(file, 'file_name', rule, **where)
        segments = yield from read_segments(
            entry.segments_info, PredictedSegment, category_ids, file, **where
        )
        found.append(replace(frame, mask=maps / frame.map_name, segments=segments))
    return found
