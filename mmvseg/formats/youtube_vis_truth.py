"""Reading YouTube-VIS and OVIS ground truth and result files for their evaluation."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pycocotools.mask as coco_mask

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.tube_iou import MalformedRLE, Tube, make_tubes

from .json_fields import get_list, get_value, load_json

#: What a frame's occlusion counts in OVIS.
OCCLUSION_LEVELS = dict(no_occlusion=0.0, slight_occlusion=0.25, severe_occlusion=0.75)


@dataclass
class Annotation:
    """One annotated object.

    Attributes:
        id: the annotation's id in the file.
        average_area: mean of the file's ``areas`` that are neither null nor 0; 0 if there are none.
        is_crowd: whether detections on it are left out of the count.
        occlusion: OVIS's occlusion score in [0, 1], None if it was not asked for.
        tube: its masks.
    """

    id: int
    average_area: float
    is_crowd: bool
    occlusion: float | None
    tube: Tube


@dataclass
class Detection:
    """One predicted object.

    Attributes:
        index: 0-based position in the results.
        score: confidence.
        average_area: mean pixels of its masks that are not empty; 0 if all are.
        tube: its masks.
    """

    index: int
    score: float
    average_area: float
    tube: Tube


@dataclass
class GroundTruth:
    """A ground truth file.

    Attributes:
        source: name of the file, for messages.
        videos: the file's record of each video by id, in the file's order.
        categories: name of each category by id, in ascending order of the ids.
        annotations: the objects of each (video id, category id).
        has_annotations: whether the file annotates anything at all.
        notes: what the official evaluator counts in a way that few expect, one sentence each.
    """

    source: str
    videos: dict[int, dict]
    categories: dict[int, str]
    annotations: dict[tuple[int, int], list[Annotation]]
    has_annotations: bool
    notes: list[str] = field(default_factory=list)


def load_ground_truth(path: str | Path, occlusion: bool = False) -> GroundTruth:
    """Read a ground truth file.

    Args:
        path: JSON file in the format of YouTube-VIS or OVIS.
        occlusion: whether to read OVIS's field ``occlusion``, which is then mandatory.

    Raises:
        UserError: naming file, annotation, frame and field of what breaks the format.
    """
    return parse_ground_truth(load_json(path), str(path), occlusion)


def parse_ground_truth(content: Any, source: str, occlusion: bool = False) -> GroundTruth:
    """:func:`load_ground_truth` for content that is already in memory."""
    lists = [content.get(key) for key in ('videos', 'categories')] if type(content) is dict else []
    if not lists or not all(isinstance(value, list) for value in lists):
        raise UserError(
            f"{source}: not a YouTube-VIS annotation file (an object with the lists 'videos', "
            "'categories' and 'annotations')"
        )
    videos = {
        get_value(v, 'id', f'{source}: videos[{i}]'): v for i, v in enumerate(content['videos'])
    }
    for video_id, video in videos.items():
        try:
            _check_size([video.get('height'), video.get('width')])
        except ValueError as error:
            raise UserError(f'{source}: video {video_id}: {error}') from error
    names = {
        get_value(c, 'id', f'{source}: categories[{i}]'): str(c.get('name', c['id']))
        for i, c in enumerate(content['categories'])
    }
    _check_ids([*videos], f'{source}: videos')
    _check_ids([*names], f'{source}: categories')
    categories = {i: names[i] for i in sorted(names)}
    records = content.get('annotations') or []
    truth = GroundTruth(source, videos, categories, defaultdict(list), bool(records))
    counted = _counted_records(truth, records)
    unique = {record['id']: record for record in counted}
    parsed = dict(zip(unique, _parse_annotations(unique.values(), truth, occlusion), strict=True))
    for record in counted:
        key = (record['video_id'], record['category_id'])
        truth.annotations[key].append(parsed[record['id']])
    return truth


def _counted_records(truth: GroundTruth, records: Any) -> list[dict]:
    """The annotations that count, in the official order.

    Of several annotations with one id the last stands for each of them: officially each id is
    looked up in a table where the last one has replaced the others.
    """
    if not isinstance(records, list):
        raise UserError(f"{truth.source}: 'annotations' must be a list")
    known, last = [], {}
    for i, record in enumerate(records):
        where = f'{truth.source}: annotations[{i}]'
        annotation_id = get_value(record, 'id', where)
        if isinstance(annotation_id, bool) or not isinstance(annotation_id, int):
            raise UserError(f'{where}: id {annotation_id!r} is not an integer')
        video_id, category_id = (
            get_value(record, key, where) for key in ('video_id', 'category_id')
        )
        last[annotation_id] = record
        if video_id in truth.videos and category_id in truth.categories:
            known.append(record)
    if len(last) < len(records):
        repeated = next(i for i, n in Counter(r['id'] for r in records).items() if n > 1)
        truth.notes.append(
            f'{truth.source}: annotation id {repeated} occurs more than once; as in the official '
            'evaluator the last annotation of an id counts in place of each'
        )
    if any(record['id'] == 0 for record in known):
        truth.notes.append(
            f'{truth.source}: an annotation has id 0; as in the official evaluator its detection '
            'counts as a false positive. Number the annotations from 1'
        )
    standing = [last[r['id']] for r in sorted(known, key=lambda record: record['video_id'])]
    return [
        r
        for r in standing
        if r['video_id'] in truth.videos and r['category_id'] in truth.categories
    ]


def _parse_annotations(
    records: Iterable[dict], truth: GroundTruth, occlusion: bool
) -> list[Annotation]:
    annotations, tracks, places = [], [], []
    for record in records:
        video = truth.videos[record['video_id']]
        where = f'{truth.source}: annotation {record["id"]} (video {record["video_id"]})'
        if record.get('iscrowd') not in (0, 1):
            raise UserError(f"{where}: 'iscrowd' must be 0 or 1, it is {record.get('iscrowd')!r}")
        areas = record.get('areas')
        if not isinstance(areas, list) or any(not isinstance(a, Real | None) for a in areas):
            raise UserError(
                f"{where}: 'areas' must be a list with a number or null a frame; the official "
                'evaluator takes the area ranges from it'
            )
        masks = get_list(record, 'segmentations', where)
        tracks.append(_convert_masks(masks, partial(_to_rle, video=video), where))
        places.append(where)
        level = occlusion_score(record.get('occlusion'), where) if occlusion else None
        annotations.append((record['id'], _average_area(areas), bool(record['iscrowd']), level))
    tubes = _tubes(tracks, places)
    return [Annotation(*rest, tube) for rest, tube in zip(annotations, tubes, strict=True)]


def _average_area(areas: Iterable[float | None]) -> float:
    visible = [area for area in areas if area]
    return float(np.mean(visible)) if visible else 0.0


def _convert_masks(masks: list, convert: Callable[[Any], dict], where: str) -> list[dict | None]:
    """Run-length code of the mask of each frame; ``convert`` raises ValueError."""
    rles = []
    for t, mask in enumerate(masks):
        try:
            rles.append(convert(mask) if mask else None)
        except ValueError as error:
            raise UserError(f'{where}, segmentations[{t}]: {error}') from error
    return rles


def _to_rle(mask: Any, video: dict) -> dict:
    """Compressed run-length code of a polygon list, a run list or a code."""
    height, width = video['height'], video['width']
    if isinstance(mask, list):
        for polygon in mask:
            if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
                raise ValueError('a polygon must be a list [x1, y1, …] of at least 3 points')
            if not all(isinstance(value, Real) and math.isfinite(value) for value in polygon):
                raise ValueError('a polygon has a coordinate that is not a number')
        return coco_mask.merge(coco_mask.frPyObjects(mask, height, width))
    if not isinstance(mask, dict):
        raise ValueError('must be null, a list of polygons or a run-length code')
    counts = mask.get('counts')
    if not isinstance(counts, list):
        return _check_rle(mask)
    try:
        total = sum(counts)  # an int only of ints
        is_valid = type(total) is int and total == height * width and min(counts) >= 0
    except (TypeError, ValueError):
        is_valid = False
    if not is_valid:
        raise ValueError(
            f'the runs must be non-negative integers with sum {height}*{width}, the video size'
        )
    return coco_mask.frPyObjects(mask, height, width)


def occlusion_score(levels: list[str | None] | None, where: str) -> float:
    """OVIS: mean of the more occluded half of the frames that an object is seen in, in [0, 1].

    Args:
        levels: a name of :data:`OCCLUSION_LEVELS` or null for each frame.
        where: place of the annotation, for messages.

    Raises:
        UserError: if the levels are missing, all null or unknown.
    """
    seen = [level for level in levels if level is not None] if isinstance(levels, list) else []
    if not seen or any(level not in OCCLUSION_LEVELS for level in seen):
        raise UserError(
            f"{where}: 'occlusion' must hold one of {', '.join(OCCLUSION_LEVELS)} or null for each "
            'frame, and not only nulls; the OVIS evaluator needs it (without it use ytvis)'
        )
    values = sorted((OCCLUSION_LEVELS[level] for level in seen), reverse=True)
    return float(np.mean(values[: (len(values) + 1) // 2]))


def parse_results(
    content: Any, truth: GroundTruth, source: str
) -> tuple[dict[tuple[int, int], list[Detection]], list[str]]:
    """Detections of a results file.

    Args:
        content: list of ``dict(video_id, category_id, score, segmentations)``.
        truth: what they are evaluated against.
        source: name of the file, for messages.

    Returns:
        The detections of each (video id, category id) in the order of the file, and notes like
        those of :class:`GroundTruth`. Detections of a category that the ground truth does not list
        are left out, as they are officially.

    Raises:
        UserError: naming file, entry, frame and field of what breaks the format.
    """
    if not isinstance(content, list):
        raise UserError(f'{source}: must be a list of results, it is a {type(content).__name__}')
    if not content:
        raise UserError(
            f'{source}: holds no predictions; the official evaluator cannot score an empty list'
        )
    places, tracks = [], []
    for index, entry in enumerate(content):
        places.append(f'{source}: entry {index}')
        tracks.append(_check_entry(entry, truth, places[-1]))
    tubes = _tubes(tracks, places)

    detections = defaultdict(list)
    for index, (entry, tube) in enumerate(zip(content, tubes, strict=True)):
        if entry['category_id'] in truth.categories:
            key = (entry['video_id'], entry['category_id'])
            area = _average_area(tube.areas.tolist())
            detections[key].append(Detection(index, entry['score'], area, tube))
    return detections, _result_notes(content, tubes, truth, source)


def _check_entry(entry: Any, truth: GroundTruth, where: str) -> list[dict | None]:
    """The run-length codes of an entry, after everything but the codes was checked."""
    if get_value(entry, 'video_id', where) not in truth.videos:
        raise UserError(
            f'{where}: video_id {entry["video_id"]!r} is not in {truth.source}; are the results '
            'those of this data set?'
        )
    get_value(entry, 'category_id', where)
    score = get_value(entry, 'score', where)
    if isinstance(score, bool) or not isinstance(score, Real) or not math.isfinite(score):
        raise UserError(f'{where}: score must be a finite number, it is {score!r}')
    masks = get_list(entry, 'segmentations', where)
    return _convert_masks(masks, _check_rle, where)


def _check_rle(mask: Any) -> dict:
    if not isinstance(mask, dict):
        raise ValueError(f'must be null or a compressed run-length code, not {mask!r:.40}')
    if not isinstance(mask.get('counts'), str | bytes):
        raise ValueError(
            "'counts' must be a string, a compressed run-length code; compress it with "
            'pycocotools.mask.frPyObjects'
        )
    _check_size(mask.get('size'))
    return mask


def _check_size(size: Any) -> None:
    try:
        height, width = size
        is_valid = type(height) is int and type(width) is int and height > 0 and width > 0
    except (TypeError, ValueError):
        is_valid = False
    if not is_valid:
        raise ValueError(f'the size must be [height, width] in pixels, it is {size!r:.40}')


def _tubes(tracks: list[list[dict | None]], places: list[str]) -> list[Tube]:
    try:
        return make_tubes(tracks)
    except MalformedRLE as error:
        frames = [
            f'{place}, segmentations[{t}]'
            for place, track in zip(places, tracks, strict=True)
            for t, rle in enumerate(track)
            if rle is not None
        ]
        raise UserError(f'{frames[error.index]}: the run-length code {error.reason}') from error


def _result_notes(
    content: list[dict], tubes: list[Tube], truth: GroundTruth, source: str
) -> list[str]:
    """How many entries have a foreign category, another length or another size than their video."""
    unknown, lengths, sizes = [], [], []
    for index, (entry, tube) in enumerate(zip(content, tubes, strict=True)):
        video = truth.videos[entry['video_id']]
        size = (video['height'] << 32) + video['width']
        if entry['category_id'] not in truth.categories:
            unknown.append(index)
        if len(tube) != video.get('length', len(tube)):
            lengths.append(index)
        if set(tube.sizes.tolist()) - {0, size}:
            sizes.append(index)
    rules = [
        (unknown, 'have a category_id that the ground truth does not list; they are left out'),
        (lengths, 'have more or fewer segmentations than frames; the rest is not compared'),
        (sizes, 'have masks of another size than the video; such frames are not compared'),
    ]
    return [
        f'{source}: {len(which)} entries (the first is entry {which[0]}) {rule}, as in the '
        'official evaluator'
        for which, rule in rules
        if which
    ]


def _check_ids(ids: list, where: str) -> None:
    if any(isinstance(i, bool) or not isinstance(i, int) for i in ids):
        raise UserError(f'{where}: the ids must be integers')
