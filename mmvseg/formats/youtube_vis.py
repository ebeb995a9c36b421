"""Reads annotation files of the official YouTube-VIS form into video records."""

import json
from collections import defaultdict
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from mmvseg.errors import UserError

from .categories import Category
from .rle import to_rle

CHECKER = 'tools/dataset_converters/check_dataset.py'


def load_json(path: str | Path) -> Any:
    """The content of an annotation file of any form.

    Raises:
        UserError: if the file is missing or no json.
    """
    try:
        return json.loads(Path(path).read_bytes())
    except OSError as error:
        raise UserError(f'annotation file {path}: cannot be read ({error.strerror})') from error
    except (ValueError, RecursionError) as error:  # syntax, encoding, endless numbers or nesting
        raise UserError(f'annotation file {path}: not valid json ({error})') from error


def load_annotation_file(path: str | Path) -> dict:
    """The content of a file of the YouTube-VIS form: ``videos`` and ``categories`` are there.

    Raises:
        UserError: if the file is missing, no json, or of another form.
    """
    content = load_json(path)
    check_form(content, path)
    return content


def check_form(content: Any, path: str | Path) -> None:
    """Make sure that a loaded file is of the YouTube-VIS form; ``path`` is for messages.

    Raises:
        UserError: if it is not.
    """
    if not isinstance(content, dict):
        kind = type(content).__name__
        raise UserError(
            f'annotation file {path}: not a YouTube-VIS file (a {kind}, expected an object with '
            "'videos', 'annotations' and 'categories'; a results file is not an annotation file)"
        )
    for key in ('videos', 'categories'):
        if not isinstance(content.get(key), list):
            hint = "; it has 'images': is it a COCO image file?" if 'images' in content else ''
            raise UserError(
                f"annotation file {path}: not a YouTube-VIS file (no list '{key}'){hint}"
            )


def read_categories(path: str | Path) -> list[Category]:
    """The categories of an annotation file, in the file's order, which is the class order.

    Example:
        >>> read_categories('data/shapes/val.json')[0].name  # doctest: +SKIP
        'disc'

    Raises:
        UserError: if the file cannot be read, or its categories are empty, unnamed or doubled.
    """
    return parse_categories(load_annotation_file(path), path)


def parse_categories(content: dict, path: str | Path) -> list[Category]:
    """:func:`read_categories` of a file that is loaded already; ``path`` is for messages."""
    categories = []
    for entry in content['categories']:
        if not isinstance(entry, dict) or not {'id', 'name'} <= set(entry):
            raise UserError(f"annotation file {path}: a category without 'id' or 'name': {entry}")
        _check_category(entry, path)
        color = tuple(entry['color']) if entry.get('color') else None
        categories.append(Category(entry['id'], entry['name'], color))
    if not categories:
        raise UserError(f"annotation file {path}: 'categories' is empty")
    for field in ('id', 'name'):
        values = [getattr(category, field) for category in categories]
        doubled = sorted({value for value in values if values.count(value) > 1}, key=str)
        if doubled:
            raise UserError(f'annotation file {path}: category {field} {doubled[0]!r} occurs twice')
    return categories


def _check_category(entry: dict, path: str | Path) -> None:
    where = f'annotation file {path}: category {entry["id"]}'
    _check_id(entry, 'id', where)
    if not isinstance(entry['name'], str):
        raise UserError(f'{where}: name {entry["name"]!r} is not a text')
    color = entry.get('color')
    if color and not (isinstance(color, list) and len(color) == 3 and all(map(_is_number, color))):
        raise UserError(f'{where}: color {color!r} is not [red, green, blue]')


def has_annotations(path: str | Path) -> bool:
    """Whether an annotation file can be trained on or evaluated against.

    The released validation and test files cannot: their ``annotations`` are null or missing.
    """
    return bool(load_annotation_file(path).get('annotations'))


def parse_videos(
    content: dict, path: str | Path, root: str | Path, labels: dict[int, int] | None
) -> list[dict]:
    """Video records of a loaded annotation file.

    Args:
        content: as :func:`load_annotation_file` returns it.
        path: of the file, for messages.
        root: folder that the ``file_names`` are relative to.
        labels: class index by category id, categories not in it are left out; None leaves out all
            annotations.

    Returns:
        One ``dict(video_id, name, height, width, length, frames, instances)`` a video, as
        :class:`mmvseg.datasets.VideoDataset` describes it, in the file's order.

    Raises:
        UserError: naming file, video and annotation, where the file contradicts itself.
    """
    records = {}
    for video in content['videos']:
        record = _parse_video(video, path, root)
        if record['video_id'] in records:
            raise UserError(f'annotation file {path}: video id {record["video_id"]} occurs twice')
        records[record['video_id']] = record
    instances = defaultdict(list)
    annotations = content.get('annotations') or []
    if not isinstance(annotations, list):
        raise _broken(f"annotation file {path}: 'annotations' is neither a list nor null")
    for annotation in annotations if labels is not None else []:
        video_id, where = _locate(annotation, path, records)
        label = labels.get(annotation['category_id'])
        if label is not None:
            instance = _parse_annotation(annotation, label, records[video_id], where)
            instances[video_id].append(instance)
    for video_id, record in records.items():
        record['instances'] = instances[video_id]
    return list(records.values())


def _parse_video(video: Any, path: str | Path, root: str | Path) -> dict:
    keys = {'id', 'height', 'width', 'file_names'}
    if not isinstance(video, dict) or not keys <= set(video):
        missing = sorted(keys - set(video)) if isinstance(video, dict) else sorted(keys)
        name = video.get('id', '?') if isinstance(video, dict) else '?'
        raise _broken(f'annotation file {path}: video {name} has no {", ".join(missing)}')
    where = f'annotation file {path}: video {video["id"]}'
    _check_id(video, 'id', where)
    for key in ('height', 'width'):
        if type(video[key]) is not int or video[key] <= 0:
            raise _broken(f'{where}: {key} {video[key]!r} is not a number of pixels')
    names = video['file_names']
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _broken(f'{where}: file_names is not a list of file names')
    if not names:
        raise UserError(
            f'{where} has no frames (file_names is empty): remove the video from the file'
        )
    return dict(
        video_id=video['id'],
        name=Path(names[0]).parent.as_posix() if '/' in names[0] else str(video['id']),
        height=video['height'],
        width=video['width'],
        length=len(names),
        frames=[str(Path(root, name)) for name in names],
    )


def _locate(annotation: Any, path: str | Path, records: dict) -> tuple[int, str]:
    """The annotation's video id, and words that say where it stands."""
    keys = {'id', 'video_id', 'category_id', 'segmentations'}
    if not isinstance(annotation, dict) or not keys <= set(annotation):
        missing = sorted(keys - set(annotation)) if isinstance(annotation, dict) else sorted(keys)
        raise _broken(f'annotation file {path}: an annotation has no {", ".join(missing)}')
    video_id = annotation['video_id']
    where = f'annotation file {path}: video {video_id}, annotation {annotation["id"]}'
    for key in ('id', 'video_id', 'category_id'):
        _check_id(annotation, key, where)
    if video_id not in records:
        raise _broken(f'{where}: there is no such video')
    return video_id, where


def _parse_annotation(annotation: dict, label: int, video: dict, where: str) -> dict:
    height, width, length = video['height'], video['width'], video['length']
    _check_lists(annotation, where)
    segmentations = []
    for frame, segmentation in enumerate(annotation['segmentations']):
        try:
            rle = None if segmentation is None else to_rle(segmentation, height, width)
        except ValueError as error:
            raise _broken(f'{where}, frame {frame}: {error}') from error
        segmentations.append(rle)
    boxes, areas = annotation.get('bboxes'), annotation.get('areas')
    if boxes is None:
        boxes = [None if rle is None else coco_mask.toBbox(rle) for rle in segmentations]
    if areas is None:
        areas = [None if rle is None else int(coco_mask.area(rle)) for rle in segmentations]
    for field, values in dict(segmentations=segmentations, bboxes=boxes, areas=areas).items():
        if len(values) != length:
            raise _broken(f'{where}: {len(values)} {field}, but the video lists {length} frames')
    for frame, (box, rle) in enumerate(zip(boxes, segmentations, strict=True)):
        if box is not None and rle is None:
            raise _broken(f'{where}, frame {frame}: a box without a segmentation')
    return dict(
        id=annotation['id'],
        label=label,
        iscrowd=bool(annotation.get('iscrowd', 0)),
        segmentations=segmentations,
        bboxes=[None if box is None else _to_xyxy(box) for box in boxes],
        areas=[area or 0 for area in areas],
    )


def _check_lists(annotation: dict, where: str) -> None:
    """Check the kinds of the fields that hold one entry a frame."""
    for field in ('segmentations', 'bboxes', 'areas'):
        values = annotation.get(field)
        # Boxes and areas may be left to the masks.
        if not isinstance(values, list) and (values is not None or field == 'segmentations'):
            raise _broken(f'{where}: {field} is not a list with one entry a frame')
    for frame, box in enumerate(annotation.get('bboxes') or []):
        is_box = isinstance(box, list) and len(box) == 4 and all(map(_is_number, box))
        if box is not None and not is_box:
            raise _broken(f'{where}, frame {frame}: bboxes has {box!r}, not [x, y, width, height]')
    for frame, area in enumerate(annotation.get('areas') or []):
        if area is not None and not _is_number(area):
            raise _broken(f'{where}, frame {frame}: areas has {area!r}, not a number of pixels')


def _check_id(entry: dict, key: str, where: str) -> None:
    if type(entry[key]) not in (int, str):
        raise _broken(f'{where}: {key} {entry[key]!r} is neither an integer nor a text')


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _to_xyxy(box: list[float]) -> np.ndarray:
    x, y, width, height = box
    return np.array([x, y, x + width, y + height], np.float32)


def _broken(message: str) -> UserError:
    return UserError(f'{message} ({CHECKER} lists all problems of a file)')
