"""VIPSeg's annotation file: json with the segments of every frame, pixels in PNGs beside it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw

from mmvseg.errors import UserError

from .categories import Category, parse_categories
from .json_files import load_json
from .problems import strictly


def load_vipseg_file(path: str | Path) -> dict:
    """Read the json.

    Raises:
        UserError: if it cannot be read or is of another kind.
    """
    content = load_json(path)
    for key in ('videos', 'categories'):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise UserError(f"annotation file {path}: not a VIPSeg file (no list '{key}')")
    return content


def read_panoptic_categories(content: Mapping[str, Any], path: str | Path) -> list[Category]:
    """Things and stuff of a loaded json; ``path`` is for messages.

    Raises:
        UserError: if an entry is damaged, or does not say whether it is of things.
    """
    entries = [Raw(msgspec.json.encode(entry)) for entry in content['categories']]
    return strictly(parse_categories(entries, str(path), panoptic=True))


def parse_vipseg(
    content: Mapping[str, Any],
    path: str | Path,
    prefix: Mapping[str, str],
    labels: Mapping[int, int] | None,
) -> Iterator[dict]:
    """The video records.

    Args:
        content: loaded json.
        path: for messages.
        prefix: folders of the frames (``img``) and of the segment maps (``mask``).
        labels: class index of each category id; None: read no annotations.

    Yields:
        ``dict(video_id, name, height, width, length, frames)`` and, with annotations, ``masks``
        (paths of the segment maps) and ``segments``, (n, 3) int64 rows of frame, segment id and
        class index; crowds are left out.

    Raises:
        UserError: naming the file, the video and what is wrong.
    """
    annotated = {}
    if labels is not None:
        if not content.get('annotations'):
            raise UserError(f'annotation file {path}: has no annotations to train on')
        for entry in content['annotations']:
            annotated[_field(entry, 'video_id', f'annotation file {path}')] = entry
    for video in content['videos']:
        name = str(_field(video, 'video_id', f'annotation file {path}: a video'))
        where = f'annotation file {path}: video {name}'
        images = _field(video, 'images', where)
        sizes = {(_field(i, 'height', where), _field(i, 'width', where)) for i in images}
        if len(sizes) != 1:
            raise UserError(f'{where}: has frames of the sizes {sorted(sizes)}; one is needed')
        ((height, width),) = sizes
        record = dict(
            video_id=name,
            name=name,
            height=height,
            width=width,
            length=len(images),
            frames=[
                str(frame_path(Path(prefix['img'], name), _field(i, 'file_name', where)))
                for i in images
            ],
        )
        if labels is not None:
            if video['video_id'] not in annotated:
                raise UserError(f'{where}: has no annotations')
            frames = _field(annotated[video['video_id']], 'annotations', where)
            if len(frames) != len(images):
                raise UserError(f'{where}: {len(frames)} annotations of {len(images)} frames')
            files = [_field(frame, 'file_name', where) for frame in frames]
            for t, (frame, file) in enumerate(zip(record['frames'], files, strict=True)):
                if Path(frame).stem != Path(file).stem:
                    raise UserError(
                        f'{where}, frame {t}: is {Path(frame).name}, but its annotation is {file}; '
                        'list annotations in the order of the images'
                    )
            record['masks'] = [str(Path(prefix['mask'], name, file)) for file in files]
            record['segments'] = _segments(frames, labels, where)
        yield record


def frame_path(folder: Path, name: str) -> Path:
    """A frame's file in its video's folder; the json may name it like its map, with ``.png``."""
    path = folder / name
    return path if path.suffix != '.png' or path.exists() else path.with_suffix('.jpg')


def _segments(frames: list[dict], labels: Mapping[int, int], where: str) -> np.ndarray:
    rows = []
    for t, frame in enumerate(frames):
        place = f'{where}, frame {t}'
        for segment in _field(frame, 'segments_info', place):
            category = _field(segment, 'category_id', place)
            if category not in labels:
                raise UserError(f'{place}: category {category!r} is not in the file')
            if not segment.get('iscrowd', 0):
                rows.append((t, _field(segment, 'id', place), labels[category]))
    return np.array(rows, np.int64).reshape(-1, 3)


def _field(entry: Any, key: str, where: str) -> Any:
    if not isinstance(entry, dict) or key not in entry:
        raise UserError(f"{where}: an entry without '{key}'")
    return entry[key]
