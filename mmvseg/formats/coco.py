"""COCO's instance files: images with objects, read as YouTube-VIS videos of one frame."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Raw, Struct, ValidationError

from mmvseg.errors import UserError

from .categories import parse_categories
from .json_files import (
    Box,
    Flag,
    Id,
    Number,
    Side,
    Text,
    decode_entry,
    decode_json,
    read_json_bytes,
)
from .problems import Findings, Flaws, Problem, strictly
from .youtube_vis import (
    AnnotationEntry,
    AnnotationReader,
    Segmentation,
    Video,
    YouTubeVIS,
    video_problems,
)


class ImageEntry(Struct):
    """An entry of ``images``."""

    id: Id
    height: Side
    width: Side
    file_name: Text


class ObjectEntry(Struct):
    """An entry of ``annotations``: one object in one image."""

    id: int
    image_id: Id
    category_id: Id
    segmentation: Segmentation
    bbox: Box | None = None
    area: Number | None = None
    iscrowd: Flag = 0


class COCOContent(Struct):
    """The whole file, entries not yet decoded."""

    images: list[Raw]
    annotations: list[Raw]
    categories: list[Raw]


def read_coco(path: str | Path, flaws: Flaws | None = None) -> YouTubeVIS:
    """Read an instance file, every image as a video of one frame.

    Args:
        path: the json.
        flaws: counts what is taken although it hardly says what was meant.

    Raises:
        UserError: naming file, image, annotation and field of the first fault.
    """
    content = to_coco_content(read_json_bytes(path), str(path))
    return strictly(parse_coco(content, str(path)), flaws)


def to_coco_content(data: bytes, file: str) -> COCOContent:
    """The lists of a json text in UTF-8; ``file`` is for messages.

    Raises:
        UserError: it is no json or of another form.
    """
    try:
        return decode_json(data, file, COCOContent)
    except ValidationError:
        content: Any = decode_json(data, file)
        content = content if isinstance(content, dict) else {}
        key = next(k for k in COCOContent.__struct_fields__ if not isinstance(content.get(k), list))
        raise UserError(
            f"annotation file {file}: not a COCO instance file (no list '{key}'); use "
            'instances_train2017.json of the official annotations'
        ) from None


def parse_coco(
    content: COCOContent, file: str, on_annotation: Callable[[], None] = lambda: None
) -> Findings[YouTubeVIS]:
    """As :func:`mmvseg.formats.youtube_vis.parse`."""
    categories = yield from parse_categories(content.categories, file)
    videos: dict[int, Video] = {}
    for position, raw in enumerate(content.images):
        image = yield from decode_entry(raw, ImageEntry, file, f'images[{position}]', video='id')
        if image is None:
            continue
        if image.id in videos:
            yield Problem(file, 'id', 'duplicate image id', video=image.id)
        videos[image.id] = Video(image.id, image.height, image.width, [image.file_name])
        yield from video_problems(videos[image.id], file)
    reader = AnnotationReader(file, videos, {category.id for category in categories})
    for position, raw in enumerate(content.annotations):
        field = f'annotations[{position}]'
        places = dict(video='image_id', annotation='id')
        yield from reader.add(_as_track(decode_entry(raw, ObjectEntry, file, field, **places)))
        on_annotation()
    yield from reader.end()
    has_annotations = bool(content.annotations)
    return YouTubeVIS(file, categories, videos, reader.annotations, has_annotations)


def _as_track(decoded: Findings[ObjectEntry | None]) -> Findings[AnnotationEntry | None]:
    entry = yield from decoded
    return entry and AnnotationEntry(
        id=entry.id,
        video_id=entry.image_id,
        category_id=entry.category_id,
        segmentations=[_outlines(entry.segmentation)],
        bboxes=None if entry.bbox is None else [entry.bbox],
        areas=None if entry.area is None else [entry.area],
        iscrowd=entry.iscrowd,
    )


def _outlines(segmentation: Segmentation) -> Segmentation:
    """A mask without what encloses nothing: outlines of two points beside others."""
    if not isinstance(segmentation, list):
        return segmentation
    return [polygon for polygon in segmentation if len(polygon) >= 6] or segmentation
