"""The form of YouTube-VIS and OVIS: json with videos, classes and objects that last over frames.

What the fields are is declared here and nowhere else. Data sets, evaluation, checker and drawing
read through :func:`parse`, so that they agree on what is refused, and in which words.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import Raw, Struct, ValidationError

from mmvseg.errors import UserError, counted
from mmvseg.media.names import leads_out

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
from .problems import Findings, Flaws, Level, Problem, collect, quoted, strictly
from .rle import RunLengthCode, to_rle
from .tracks import Annotation, measure_tracks

Segmentation = RunLengthCode | list[list[Number]]
#: Masks of objects with so many frames together are measured at once.
_BATCH_FRAMES = 2000


class Video(Struct):
    """An entry of ``videos``."""

    id: Id
    height: Side
    width: Side
    #: A frame each, in order, below the folder of the frames.
    file_names: list[Text]
    length: int | None = None
    #: Of BURST, classes that are certainly absent.
    neg_category_ids: list[Id] | None = None
    #: Of BURST, classes of which some objects are not annotated.
    not_exhaustive_category_ids: list[Id] | None = None

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
        >>> truth = read_youtube_vis('shapes/val.json')
        >>> len(truth.videos), len(truth.annotations), truth.categories[0].name
        (2, 5, 'disc')
        >>> [rle is not None for rle in truth.annotations[1].rles].count(True)  # of 12 frames
        8
    """
    compare_boxes = flaws is not None
    path = released_file(path)
    return strictly(parse(load_content(path), str(path), with_annotations, compare_boxes), flaws)


def read_categories(path: str | Path) -> list[Category]:
    """The classes of an annotation file alone; see :func:`read_youtube_vis`."""
    path = released_file(path)
    return strictly(parse_categories(load_content(path).categories, str(path)))


def has_annotations(path: str | Path) -> bool:
    """Whether an annotation file can be trained on or evaluated against."""
    return bool(load_content(released_file(path)).annotations)


def released_file(path: str | Path) -> str | Path:
    """Where the annotation file of a split lies: as named, or in the folder of the split.

    Some releases of YouTube-VIS have ``valid/instances.json`` for ``valid.json``, which is taken
    where there is no other.
    """
    folder, suffix = os.path.splitext(path)
    inside = os.path.join(folder, 'instances.json')
    is_elsewhere = suffix == '.json' and not os.path.exists(path) and os.path.isfile(inside)
    return Path(inside) if is_elsewhere else path


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
    compare_boxes: bool = True,
    on_annotation: Callable[[], None] = lambda: None,
) -> Findings[YouTubeVIS]:
    """Read the entries of a file.

    Args:
        content: its lists.
        file: its name, for messages.
        with_annotations: whether to read the objects, too.
        compare_boxes: whether to compare their boxes with their masks, which can give flaws alone.
        on_annotation: called after each object.

    Yields:
        What is wrong with categories, videos and annotations in the order of the file.

    Returns:
        What is sound.
    """
    categories = yield from parse_categories(content.categories, file)
    videos = yield from parse_videos(content.videos, file)
    annotations = content.annotations or []
    reader = AnnotationReader(file, videos, {category.id for category in categories}, compare_boxes)
    for position, raw in enumerate(annotations if with_annotations else ()):
        field = f'annotations[{position}]'
        places = dict(video='video_id', annotation='id')
        yield from reader.add(decode_entry(raw, AnnotationEntry, file, field, **places))
        on_annotation()
    yield from reader.end()
    return YouTubeVIS(file, categories, videos, reader.annotations, bool(annotations))


def parse_videos(entries: Sequence[Raw], file: str) -> Findings[dict[int, Video]]:
    """The videos that a file lists, by id, in its order.

    Args:
        entries: of its ``videos``.
        file: for messages.

    Yields:
        Entries that are broken, ids that occur twice, frames that cannot be.
    """
    videos: dict[int, Video] = {}
    renamed = 0
    for position, raw in enumerate(entries):
        video = yield from decode_entry(raw, Video, file, f'videos[{position}]', video='id')
        if video is None:
            continue
        names = [_in_folder(name) for name in video.file_names]
        renamed += names != video.file_names
        video.file_names = names
        if video.id in videos:
            yield Problem(file, 'id', 'duplicate video id', video=video.id)
        yield from video_problems(video, file)
        videos[video.id] = video
    if renamed:
        rule = f'the last two parts of names with \\ are taken, in {counted(renamed, "videos")}'
        yield Problem(file, 'file_names', rule, level=Level.NOTE)
    return videos


def _in_folder(name: str) -> str:
    """A name as it is; of one with the separators of Windows, as LV-VIS has them, video/frame."""
    inside = '/'.join(name.split('\\')[-2:])
    return name if '\\' not in name or leads_out(inside) else inside


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
            rule = f'{quoted(name)} is a name that no file can have'
            yield Problem(file, 'file_names', rule, video=video.id, frame=frame)


def outside_problems(file: YouTubeVIS) -> Iterator[Problem]:
    """The frames whose names lead out of their folder, which who opens frames refuses."""
    for video in file.videos.values():
        for frame, name in enumerate(video.file_names):
            if leads_out(name):
                rule = f'{quoted(name)} leaves the folder of the frames'
                where = dict(video=video.id, frame=frame, level=Level.FLAW)
                yield Problem(file.file, 'file_names', rule, **where)


class AnnotationReader:
    """Collects the objects of a file and what is wrong with them, in the order of the file.

    Masks are measured in batches, since thousands of small arrays would take most of the time.

    Args:
        file: name of the file, for messages.
        videos: its videos by id.
        category_ids: ids of its categories.
        compare_boxes: whether to compare boxes with masks.
    """

    def __init__(
        self,
        file: str,
        videos: dict[int, Video],
        category_ids: set[int],
        compare_boxes: bool = True,
    ) -> None:
        self.file = file
        self.videos = videos
        self.category_ids = category_ids
        self.compare_boxes = compare_boxes
        self.annotations: list[Annotation] = []
        self._ids: set[int] = set()
        self._missing = dict(bboxes=0, areas=0)
        #: what was found so far of each object that is not yet measured, and the object
        self._pending: list[tuple[list[Problem], Annotation | None]] = []
        self._num_frames = 0

    def add(self, decoded: Findings[AnnotationEntry | None]) -> Iterable[Problem]:
        """Take an entry that is being decoded."""
        problems: list[Problem] = []
        entry = collect(decoded, problems)
        annotation = None if entry is None else collect(self._read(entry), problems)
        self._pending.append((problems, annotation))
        self._num_frames += 0 if annotation is None else len(annotation.rles)
        if self._num_frames >= _BATCH_FRAMES:
            yield from self._measure()

    def end(self) -> Iterable[Problem]:
        """What is left to say when all entries have been added."""
        yield from self._measure()
        for field, count in self._missing.items():
            if count:
                rule = f'{counted(count, "annotations")} without: measured on the masks'
                yield Problem(self.file, field, rule, level=Level.NOTE)
        if crowds := sum(annotation.is_crowd for annotation in self.annotations):
            rule = f'{crowds} of {len(self.annotations)} are crowds, which are not trained on'
            yield Problem(self.file, 'iscrowd', rule, level=Level.NOTE)

    def _measure(self) -> Iterable[Problem]:
        batch = [annotation for _, annotation in self._pending if annotation is not None]
        measured = iter(measure_tracks(batch, self.file, self.compare_boxes))
        for problems, annotation in self._pending:
            yield from problems
            if annotation is not None:
                yield from next(measured)
        self.annotations += batch
        self._pending, self._num_frames = [], 0

    def _read(self, entry: AnnotationEntry) -> Findings[Annotation | None]:
        where = dict(video=entry.video_id, annotation=entry.id)
        yield from self._check_ids(entry, where)
        video = self.videos.get(entry.video_id)
        if video is None:
            return None
        lists = dict(segmentations=entry.segmentations, bboxes=entry.bboxes, areas=entry.areas)
        length, fits = len(video.file_names), True
        for field, values in lists.items():
            if values is None:
                self._missing[field] += 1
            elif len(values) != length:
                fits = False
                frames = counted(length, 'frames')
                rule = f'{counted(len(values), "entries")}, but the video lists {frames}'
                yield Problem(self.file, field, rule, **where)
        if not fits:
            return None
        rles: list[dict | None] = [None] * length
        size = [video.height, video.width]
        for frame, segmentation in enumerate(entry.segmentations):
            if not segmentation:  # officially an empty list is no object
                continue
            try:
                rles[frame] = to_rle(segmentation, size)
            except ValueError as error:
                fits = False
                yield Problem(self.file, 'segmentations', str(error), frame=frame, **where)
        if not fits:
            return None
        return Annotation(
            id=entry.id,
            video_id=entry.video_id,
            category_id=entry.category_id,
            is_crowd=bool(entry.iscrowd),
            rles=rles,
            bboxes=entry.bboxes,
            areas=entry.areas,
            occlusion=entry.occlusion,
        )

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
