"""The form of YouTube-VIS and OVIS: json with videos, classes and objects that last over frames.

What the fields are is declared here and nowhere else. Data sets, evaluation, checker and drawing
read through :func:`parse`, so that they agree on what is refused, and in which words.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
from msgspec import Raw, Struct, ValidationError
from pycocotools import mask as coco_mask

from mmvseg.errors import UserError

from .categories import Category, parse_categories
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
from .problems import Findings, Flaws, Level, Problem, strictly
from .rle import MalformedRLE, RunLengthCode, rle_areas, to_rle

Segmentation = RunLengthCode | list[list[Number]]
#: How far, in pixels, a box may reach over the frame's edge: files round coordinates.
_EDGE_TOLERANCE = 0.5
#: A box fits its mask if no edge is further off than this, in pixels ...
_FIT_TOLERANCE = 2
#: ... or if it has this much in common with the box of the mask (intersection over union).
_FIT_IOU = 0.5


class Video(Struct):
    """An entry of ``videos``."""

    id: Id
    height: Side
    width: Side
    file_names: list[Text]
    length: int | None = None

    @property
    def name(self) -> str:
        """The folder of the frames, or the id."""
        first = self.file_names[0]
        return PurePosixPath(first).parent.as_posix() if '/' in first else str(self.id)


class AnnotationEntry(Struct):
    """An entry of ``annotations``: one object, its lists with one entry a frame of the video."""

    id: int
    video_id: Id
    category_id: Id
    segmentations: list[Segmentation | None]
    bboxes: list[Box | None] | None = None
    areas: list[Number | None] | None = None
    iscrowd: Flag = 0
    occlusion: list[Text | None] | None = None


class Content(Struct):
    """The whole file, entries not yet decoded."""

    videos: list[Raw]
    categories: list[Raw]
    annotations: list[Raw] | None = None


@dataclass(slots=True)
class Annotation:
    """One object, its masks brought to one form and measured.

    Attributes:
        id: in the file; any integer.
        video_id: of its video.
        category_id: of its class, which the file need not list.
        is_crowd: whether it stands for several objects.
        rles: compressed run-length code of each frame, None where it is absent, T of them.
        mask_areas: pixels of each mask, 0 where it is absent, (T,) int64.
        bboxes: boxes of the file, ``[x, y, width, height]`` a frame; None if it has none.
        areas: areas of the file; None if it has none.
        occlusion: OVIS's name for each frame; None if the file has none.
    """

    id: int
    video_id: int
    category_id: int
    is_crowd: bool
    rles: list[dict | None]
    mask_areas: np.ndarray
    bboxes: list[list[float] | None] | None
    areas: list[float | None] | None
    occlusion: list[str | None] | None


@dataclass
class YouTubeVIS:
    """An annotation file.

    Attributes:
        file: its name.
        categories: in the file's order, which is the class order.
        videos: by id, in the file's order.
        annotations: objects of its videos, in the file's order.
        has_annotations: whether the file annotates anything; the released validation and test
            files do not.
    """

    file: str
    categories: list[Category]
    videos: dict[int, Video]
    annotations: list[Annotation]
    has_annotations: bool


def read_youtube_vis(
    path: str | Path, with_annotations: bool = True, flaws: Flaws | None = None
) -> YouTubeVIS:
    """Read an annotation file.

    Args:
        path: the json.
        with_annotations: whether to read the objects, too.
        flaws: counts what is taken although it hardly says what was meant.

    Raises:
        UserError: naming file, video, annotation, frame and field of the first fault.

    Example:
        >>> read_youtube_vis('data/shapes/val.json').categories[0].name  # doctest: +SKIP
        'disc'
    """
    return strictly(parse(load_content(path), str(path), with_annotations), flaws)


def read_categories(path: str | Path) -> list[Category]:
    """The classes of an annotation file alone; see :func:`read_youtube_vis`."""
    return strictly(parse_categories(load_content(path).categories, str(path)))


def has_annotations(path: str | Path) -> bool:
    """Whether an annotation file can be trained on or evaluated against."""
    return bool(load_content(path).annotations)


def load_content(path: str | Path) -> Content:
    """The lists of an annotation file.

    Raises:
        UserError: the file cannot be read, is no json or of another form.
    """
    return to_content(read_json_bytes(path), str(path))


def to_content(data: bytes, file: str) -> Content:
    """The lists of a json text in UTF-8; ``file`` is for messages."""
    try:
        return decode_json(data, file, Content)
    except ValidationError:
        raise UserError(f'annotation file {file}: {_other_form(decode_json(data, file))}') from None


def _other_form(content: Any) -> str:
    if not isinstance(content, dict):
        return (
            f'not a YouTube-VIS file (a {type(content).__name__}, expected an object with '
            "'videos', 'annotations' and 'categories'; a results file is not an annotation file)"
        )
    for key in ('videos', 'categories'):
        if not isinstance(content.get(key), list):
            hint = "; it has 'images': is it a COCO image file?" if 'images' in content else ''
            return f"not a YouTube-VIS file (no list '{key}'){hint}"
    return "'annotations' is neither a list nor null"


def parse(
    content: Content,
    file: str,
    with_annotations: bool = True,
    on_annotation: Callable[[], None] = lambda: None,
) -> Findings[YouTubeVIS]:
    """Read the entries of a file.

    Args:
        content: its lists.
        file: its name, for messages.
        with_annotations: whether to read the objects, too.
        on_annotation: called after each object.

    Yields:
        What is wrong: categories, videos and annotations in the order of the file.

    Returns:
        What is sound.
    """
    categories = yield from parse_categories(content.categories, file)
    videos = yield from _unique_videos(content.videos, file)
    annotations = content.annotations or []
    reader = AnnotationReader(file, videos, {category.id for category in categories})
    for position, raw in enumerate(annotations if with_annotations else ()):
        field = f'annotations[{position}]'
        places = dict(video='video_id', annotation='id')
        entry = yield from decode_entry(raw, AnnotationEntry, file, field, **places)
        if entry is not None:
            yield from reader.add(entry)
        on_annotation()
    yield from reader.summary()
    return YouTubeVIS(file, categories, videos, reader.annotations, bool(annotations))


def _unique_videos(entries: Sequence[Raw], file: str) -> Findings[dict[int, Video]]:
    videos: dict[int, Video] = {}
    for position, raw in enumerate(entries):
        video = yield from decode_entry(raw, Video, file, f'videos[{position}]', video='id')
        if video is None:
            continue
        if video.id in videos:
            yield Problem(file, 'id', 'duplicate video id', video=video.id)
        yield from video_problems(video, file)
        videos[video.id] = video
    return videos


def video_problems(video: Video, file: str) -> Iterable[Problem]:
    """What is wrong with a video beyond the types of its fields."""
    names = video.file_names
    flaw = dict(video=video.id, level=Level.FLAW)
    if not names:
        yield Problem(file, 'file_names', 'is empty: a video without frames', video=video.id)
    if video.length not in (None, len(names)):
        rule = f'{video.length}, but there are {len(names)} file_names'
        yield Problem(file, 'length', rule, **flaw)
    if len(set(names)) < len(names):
        yield Problem(file, 'file_names', 'names a frame twice', **flaw)
    for frame, name in enumerate(names):
        if '\0' in name or not name:
            rule = f'{name!r} is a name that no file can have'
            yield Problem(file, 'file_names', rule, video=video.id, frame=frame)
        elif _leaves_root(name):
            rule = f'{name!r} leads out of the folder of the frames'
            yield Problem(file, 'file_names', rule, frame=frame, **flaw)


def _leaves_root(name: str) -> bool:
    # the second kind also sees drives and backslashes
    return any(
        path.is_absolute() or '..' in path.parts
        for path in (PurePosixPath(name), PureWindowsPath(name))
    )


class AnnotationReader:
    """Collects the objects of a file and what is wrong with them.

    Args:
        file: name of the file, for messages.
        videos: its videos by id.
        category_ids: ids of its categories.
    """

    def __init__(self, file: str, videos: dict[int, Video], category_ids: set[int]) -> None:
        self.file = file
        self.videos = videos
        self.category_ids = category_ids
        self.annotations: list[Annotation] = []
        self._ids: set[int] = set()
        self._missing = dict(bboxes=0, areas=0)

    def add(self, entry: AnnotationEntry) -> Findings[None]:
        """Take an object whose fields have their types."""
        where = dict(video=entry.video_id, annotation=entry.id)
        yield from self._check_ids(entry, where)
        video = self.videos.get(entry.video_id)
        if video is None:
            return
        lists = dict(segmentations=entry.segmentations, bboxes=entry.bboxes, areas=entry.areas)
        length, fits = len(video.file_names), True
        for field, values in lists.items():
            if values is None:
                self._missing[field] += 1
            elif len(values) != length:
                fits = False
                rule = f'{len(values)} entries, but the video lists {length} frames'
                yield Problem(self.file, field, rule, **where)
        if not fits:
            return
        rles, areas = yield from self._read_masks(entry.segmentations, video, where)
        annotation = Annotation(
            id=entry.id,
            video_id=entry.video_id,
            category_id=entry.category_id,
            is_crowd=bool(entry.iscrowd),
            rles=rles,
            mask_areas=areas,
            bboxes=entry.bboxes,
            areas=entry.areas,
            occlusion=entry.occlusion,
        )
        self.annotations.append(annotation)
        yield from measure_problems(annotation, video, self.file)

    def summary(self) -> Iterable[Problem]:
        """Notes about the whole file."""
        for field, count in self._missing.items():
            if count:
                rule = f'{count} annotations have none; they are measured on the masks'
                yield Problem(self.file, field, rule, level=Level.NOTE)

    def _check_ids(self, entry: AnnotationEntry, where: dict) -> Iterable[Problem]:
        flaw = where | dict(level=Level.FLAW)
        if entry.id in self._ids:
            yield Problem(self.file, 'id', 'duplicate annotation id', **flaw)
        if entry.id == 0:
            rule = '0 is read as "unmatched" by the official evaluator'
            yield Problem(self.file, 'id', rule, **flaw)
        self._ids.add(entry.id)
        if entry.video_id not in self.videos:
            rule = 'there is no such video; the object is left out'
            yield Problem(self.file, 'video_id', rule, **flaw)
        if entry.category_id not in self.category_ids:
            rule = f'unknown category {entry.category_id}; the object is left out'
            yield Problem(self.file, 'category_id', rule, **flaw)

    def _read_masks(
        self, segmentations: Sequence[Segmentation | None], video: Video, where: dict
    ) -> Findings[tuple[list[dict | None], np.ndarray]]:
        """Codes and areas of the masks; of a broken one None and 0."""
        rles: list[dict | None] = [None] * len(segmentations)
        for frame, segmentation in enumerate(segmentations):
            if not segmentation:  # officially an empty list is no object
                continue
            try:
                rles[frame] = to_rle(segmentation, video.height, video.width)
            except ValueError as error:
                yield Problem(self.file, 'segmentations', str(error), frame=frame, **where)
        areas = np.zeros(len(rles), np.int64)
        while True:
            present = [frame for frame, rle in enumerate(rles) if rle is not None]
            try:
                areas[present] = rle_areas([rles[frame] for frame in present])
                return rles, areas
            except MalformedRLE as error:
                frame = present[error.index]
                rles[frame] = None
                yield Problem(self.file, 'segmentations', str(error), frame=frame, **where)


def measure_problems(annotation: Annotation, video: Video, file: str) -> Iterable[Problem]:
    """What is wrong with the boxes and areas of an object, seen from its masks."""
    where = dict(video=video.id, annotation=annotation.id)
    flaw = where | dict(level=Level.FLAW)
    present = np.array([rle is not None for rle in annotation.rles])
    if not present.any():
        rule = 'the object is absent in every frame'
        yield Problem(file, 'segmentations', rule, **flaw)
    for field in ('bboxes', 'areas'):
        values = getattr(annotation, field)
        given = present if values is None else np.array([v is not None for v in values])
        for frame in np.flatnonzero(present & ~given).tolist():
            yield Problem(file, field, 'null although segmentations is given', frame=frame, **flaw)
        for frame in np.flatnonzero(~present & given).tolist():
            if field == 'bboxes':
                rule = f'{_words(values[frame])} is a box without a segmentation'
                yield Problem(file, field, rule, frame=frame, **where)
            else:
                yield Problem(
                    file, 'segmentations', 'null although areas is given', frame=frame, **flaw
                )
    for frame, area in enumerate(annotation.areas or ()):
        if area is not None and area <= 0:
            rule = f'{area:g} is not a number above 0; the mask has {annotation.mask_areas[frame]}'
            yield Problem(file, 'areas', rule, frame=frame, **flaw)
    frames = [frame for frame in np.flatnonzero(present).tolist() if annotation.bboxes]
    frames = [frame for frame in frames if annotation.bboxes[frame] is not None]
    for frame, rule in box_rules(annotation, frames, video).items():
        yield Problem(file, 'bboxes', rule, frame=frame, **flaw)


def box_rules(annotation: Annotation, frames: list[int], video: Video) -> dict[int, str]:
    """The rule that the box breaks in each of ``frames`` in which it breaks one."""
    if not frames:
        return {}
    boxes = np.array([annotation.bboxes[frame] for frame in frames])  # (n, 4)
    tight = coco_mask.toBbox([annotation.rles[frame] for frame in frames])
    ends, tight_ends = boxes[:, :2] + boxes[:, 2:], tight[:, :2] + tight[:, 2:]
    empty = (boxes[:, 2:] <= 0).any(1)
    over = np.maximum(-boxes[:, :2], ends - [video.width, video.height]).max(1)
    outside = over > _EDGE_TOLERANCE
    off = np.maximum(np.abs(boxes[:, :2] - tight[:, :2]), np.abs(ends - tight_ends)).max(1)
    common = np.minimum(ends, tight_ends) - np.maximum(boxes[:, :2], tight[:, :2])
    common = common.clip(0).prod(1)
    union = boxes[:, 2:].clip(0).prod(1) + tight[:, 2:].prod(1) - common
    misses = (off > _FIT_TOLERANCE) & (common < _FIT_IOU * union) & (tight[:, 2:] > 0).all(1)
    rules = {}
    for i in np.flatnonzero(empty | outside | misses).tolist():
        box = _words(boxes[i])
        if empty[i]:
            rule = f'{box} has no extent'
        elif outside[i]:
            rule = f'box {box} reaches outside of the {video.height} x {video.width} frame'
        else:
            rule = f'box {box} does not fit the mask, which lies in {_words(tight[i])}'
        rules[frames[i]] = rule
    return rules


def _words(box: Iterable[float]) -> str:
    return f'[{", ".join(f"{value:g}" for value in box)}]'
