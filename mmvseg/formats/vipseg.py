"""The form of VIPSeg: json with the segments of every frame, pixels in PNGs beside it.

What the fields are is declared here and nowhere else. Data sets, evaluation, checker and drawing
read through :func:`parse`, so that they agree on what is refused, and in which words. A map holds
the id of each pixel's segment as R + 256 G + 65536 B, 0 for none.
"""

import os.path
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Raw, Struct, ValidationError

from mmvseg.errors import UserError, counted
from mmvseg.media.names import leads_out

from .categories import Category, parse_categories
from .json_files import (
    Box,
    Flag,
    Id,
    Side,
    Text,
    decode_entries,
    decode_json,
    read_json_bytes,
)
from .problems import Findings, Level, Problem, no_annotations, quoted, strictly

MAX_SEGMENT_ID = 2**24 - 1

Folder = Annotated[str, Meta(min_length=1, description='the name of a folder')]
File = Annotated[str, Meta(min_length=1, description='the name of a file')]
SegmentId = Annotated[
    int, Meta(ge=1, le=MAX_SEGMENT_ID, description=f'an integer from 1 to {MAX_SEGMENT_ID}')
]
Area = Annotated[float, Meta(ge=0, description='a number of at least 0')]


class ImageEntry(Struct):
    """A frame in ``images`` of a video."""

    id: Id | Text
    height: Side
    width: Side
    file_name: File


class VideoEntry(Struct):
    """An entry of ``videos``; its id is the name of its folders."""

    video_id: Folder | Id
    images: Raw


class PredictedSegment(Struct, gc=False):
    """An entry of ``segments_info``, as far as results need it."""

    id: SegmentId
    category_id: Id


class Segment(PredictedSegment, gc=False):
    """An entry of ``segments_info``."""

    iscrowd: Flag
    area: Area
    bbox: Box | None = None
    isthing: Flag | None = None


class PredictedFrame(Struct):
    """A frame in ``annotations`` of a video, as far as results need it."""

    file_name: File
    segments_info: Raw


class AnnotatedFrame(PredictedFrame):
    """A frame in ``annotations`` of a video."""

    image_id: Id | Text | None = None


class AnnotationEntry(Struct):
    """An entry of ``annotations``, of results, too: the frames of a video in their order."""

    video_id: Folder | Id
    annotations: Raw


class Content(Struct):
    """The whole file, lists not yet decoded."""

    videos: Raw
    categories: list[Raw]
    annotations: Raw = Raw(b'null')


@dataclass(slots=True)
class Frame:
    """A frame with its segments.

    Attributes:
        index: 0-based.
        image: its picture.
        mask: its segment map; None if it is not annotated.
        segments: in the order of the file.
        complete: whether all of them are sound, so that other ids are surely not listed.
    """

    index: int
    image: ImageEntry
    mask: Path | None = None
    segments: list[Segment] = field(default_factory=list)
    complete: bool = True

    @property
    def map_name(self) -> str:
        """What the file of its segment map is called in results."""
        return f'{_stem(os.path.basename(self.image.file_name))}.png'


@dataclass(slots=True)
class Video:
    """A video.

    Attributes:
        name: of its folders.
        height, width: of its frames, in pixels.
        length: number of frames.
        frames: in order of time.
        annotated: whether the file says what their segments are.
    """

    name: str
    height: int
    width: int
    length: int
    frames: list[Frame]
    annotated: bool = False

    def frame_paths(self, root: str | Path) -> list[str]:
        """The pictures, ``root`` being the folder of the videos."""
        folder = Path(root, self.name)
        return [str(frame_path(folder, frame.image.file_name)) for frame in self.frames]

    def segment_ids(self) -> np.ndarray:
        """All ids that are listed in some frame, ascending."""
        ids = {segment.id for frame in self.frames for segment in frame.segments}
        return np.array(sorted(ids), np.int64)


@dataclass(slots=True)
class VIPSeg:
    """A file.

    Attributes:
        file: its name.
        categories: in the file's order.
        videos: by name, in the file's order.
        has_annotations: whether it annotates any video; that of a test split does not.
    """

    file: str
    categories: list[Category]
    videos: dict[str, Video]
    has_annotations: bool

    @property
    def annotated(self) -> dict[str, Video]:
        """The videos that count in evaluation."""
        return {name: video for name, video in self.videos.items() if video.annotated}

    @property
    def classes(self) -> list[Category]:
        """The categories by ascending id, the order in which evaluation counts them."""
        return sorted(self.categories, key=lambda category: category.id)


def read_vipseg(
    path: str | Path, mask_root: str | Path = '', with_annotations: bool = True
) -> VIPSeg:
    """Read a file.

    Args:
        path: the json.
        mask_root: folder of the videos' folders with the segment maps.
        with_annotations: whether to read the segments, too.

    Raises:
        UserError: naming file, video, frame, segment and field of the first fault.
    """
    return strictly(parse(load_content(path), str(path), mask_root, with_annotations))


def read_categories(path: str | Path) -> list[Category]:
    """The things and stuff of a file alone; see :func:`read_vipseg`."""
    return strictly(parse_categories(load_content(path).categories, str(path), panoptic=True))


def has_annotations(path: str | Path) -> bool:
    """Whether a file annotates any video; see :func:`read_vipseg`."""
    return read_vipseg(path, with_annotations=False).has_annotations


def load_content(path: str | Path) -> Content:
    """The lists of a file.

    Raises:
        UserError: it cannot be read, is no json or of another form.
    """
    try:
        return decode_json(read_json_bytes(path), path, Content)
    except ValidationError as error:
        raise UserError(f'{path}: not a VIPSeg file ({error})') from None


def frame_path(folder: Path, name: str) -> Path:
    """A frame's file in its video's folder; the json may name it like its map, with ``.png``."""
    path = folder / name
    # os.path, unlike Path, is silent about names that are too long
    return path.with_suffix('.jpg') if path.suffix == '.png' and not os.path.exists(path) else path


def parse(
    content: Content, file: str, mask_root: str | Path = '', with_annotations: bool = True
) -> Findings[VIPSeg]:
    """Read the entries of a file.

    Args:
        content: its lists.
        file: its name, for messages.
        mask_root: folder of the videos' folders with the segment maps.
        with_annotations: whether to read the segments, too.

    Yields:
        What is wrong: categories, videos and annotations, in the order of the file.

    Returns:
        What is sound.
    """
    categories = yield from parse_categories(content.categories, file, panoptic=True)
    videos = yield from _read_videos(content.videos, file)
    raw = Raw(b'[]') if content.annotations == Raw(b'null') else content.annotations
    annotations = yield from decode_entries(
        raw, AnnotationEntry, file, 'annotations', {}, video='video_id'
    )
    if annotations == []:
        yield no_annotations(file)
    if with_annotations and annotations:
        # of a broken category the id may be unknown
        all_sound = len(categories) == len(content.categories)
        category_ids = {category.id for category in categories} if all_sound else None
        yield from _annotate(videos, annotations, category_ids, file, mask_root)
    return VIPSeg(file, categories, videos, bool(annotations))


def _read_videos(raw: Raw, file: str) -> Findings[dict[str, Video]]:
    videos: dict[str, Video] = {}
    entries = yield from decode_entries(raw, VideoEntry, file, 'videos', {}, video='video_id')
    for entry in filter(None, entries or ()):
        name = str(entry.video_id)
        if rule := name_rule(name):
            yield Problem(file, 'video_id', rule, video=name)
        elif name in videos:
            yield Problem(file, 'video_id', 'duplicate video id', video=name)
        else:
            videos[name] = yield from _read_video(name, entry.images, file)
    return videos


def _read_video(name: str, images: Raw, file: str) -> Findings[Video]:
    entries = yield from decode_entries(
        images, ImageEntry, file, 'images', dict(video=name), 'frame'
    )
    video = Video(name, 0, 0, len(entries or ()), [])
    if entries == []:
        yield Problem(file, 'images', 'is empty: a video without frames', video=name)
    ids, stems = set(), set()
    sound = [(index, image) for index, image in enumerate(entries or ()) if image is not None]
    for index, image in sound:
        where = dict(video=name, frame=index)
        if rule := name_rule(image.file_name):
            yield Problem(file, 'file_name', rule, **where)
            continue
        if not video.frames:
            video.height, video.width = image.height, image.width
        elif (image.height, image.width) != (video.height, video.width):
            sizes = f'{image.height} x {image.width}', f'{video.height} x {video.width}'
            rule = f'{sizes[0]}, but the frames before are {sizes[1]}'
            yield Problem(file, 'height, width', rule, **where)
        if image.id in ids:
            rule = f'{quoted(image.id)} names two frames of the video'
            yield Problem(file, 'id', rule, level=Level.FLAW, **where)
        # results are named by what is left
        if (stem := _stem(os.path.basename(image.file_name))) in stems:
            rule = f'{quoted(image.file_name)} names two frames of the video'
            yield Problem(file, 'file_name', rule, **where)
        ids.add(image.id)
        stems.add(stem)
        video.frames.append(Frame(index, image))
    return video


def _annotate(
    videos: dict[str, Video],
    entries: Sequence[AnnotationEntry | None],
    category_ids: set[int] | None,
    file: str,
    mask_root: str | Path,
) -> Findings[None]:
    for position, entry in enumerate(entries):
        if entry is None:
            continue
        name = str(entry.video_id)
        if name not in videos or videos[name].annotated:
            rule = 'the video is annotated twice' if name in videos else 'no such video'
            yield Problem(file, f'annotations[{position}]', rule, video=name)
        else:
            videos[name].annotated = True
            folder = Path(mask_root, name)
            yield from _annotate_video(videos[name], entry.annotations, category_ids, file, folder)
    for name, video in videos.items():
        if not video.annotated:
            rule = 'has none; training and evaluation leave the video out'
            yield Problem(file, 'annotations', rule, video=name, level=Level.FLAW)


def _annotate_video(
    video: Video, raw: Raw, category_ids: set[int] | None, file: str, masks: Path
) -> Findings[None]:
    entries = yield from decode_entries(
        raw, AnnotatedFrame, file, 'annotations', dict(video=video.name), 'frame'
    )
    if entries is None:
        return
    if video.length and len(entries) != video.length:
        frames = counted(video.length, 'frames')
        rule = f'{counted(len(entries), "entries")}, but the video has {frames}'
        yield Problem(file, 'annotations', rule, video=video.name)
    for frame in video.frames:
        entry = entries[frame.index] if frame.index < len(entries) else None
        if entry is None:
            continue
        where = dict(video=video.name, frame=frame.index)
        if entry.image_id not in (None, frame.image.id):
            ids = quoted(entry.image_id), quoted(frame.image.id)
            rule = f'{ids[0]}, but the image in this place is {ids[1]}'
            yield Problem(file, 'image_id', rule, level=Level.FLAW, **where)
        if rule := name_rule(entry.file_name) or order_rule(entry.file_name, frame.image.file_name):
            yield Problem(file, 'file_name', rule, **where)
        else:
            frame.mask = masks / f'{_stem(entry.file_name)}.png'
        segments = yield from read_segments(
            entry.segments_info, Segment, category_ids, file, **where
        )
        frame.segments = [segment for segment in segments if segment is not None]
        frame.complete = None not in segments


def read_segments(
    raw: Raw,
    kind: type[PredictedSegment],
    category_ids: Collection[int] | None,
    file: str,
    **where: Any,
) -> Findings[list[PredictedSegment | None]]:
    """Read the ``segments_info`` of a frame; ``where`` says which.

    Yields:
        Entries that are not of the ``kind``, unknown categories (unless these are None), ids that
        are listed twice.

    Returns:
        The entries; None in the place of broken ones, or of the list.
    """
    segments = yield from decode_entries(raw, kind, file, 'segments_info', where, segment='id')
    if segments is None:
        return [None]
    sound = [segment for segment in segments if segment is not None]
    for segment in sound:
        if category_ids is not None and segment.category_id not in category_ids:
            rule = f'unknown category {segment.category_id}'
            yield Problem(file, 'category_id', rule, segment=segment.id, **where)
    if len({segment.id for segment in sound}) < len(sound):
        yield from _listed_twice(sound, file, where)
    return segments


def _listed_twice(
    segments: Sequence[PredictedSegment], file: str, where: dict[str, Any]
) -> Iterator[Problem]:
    first: dict[int, tuple] = {}
    for segment in segments:
        kind = (segment.category_id, getattr(segment, 'iscrowd', None))
        rule, level = 'listed twice in the frame, with different classes', Level.FAULT
        if first.get(segment.id) == kind:
            rule, level = 'listed twice in the frame; areas are added up, as officially', Level.FLAW
        if segment.id in first:
            yield Problem(file, 'id', rule, segment=segment.id, level=level, **where)
        first.setdefault(segment.id, kind)


def name_rule(name: str) -> str | None:
    """What is wrong with the name of a file or a folder."""
    if leads_out(name):
        return f'{quoted(name)} leaves the folder of the frames'
    if '\0' in name or set(name) <= set('/\\.'):
        return f'{quoted(name)} is a name that no file can have'
    return None


def order_rule(found: str, image: str) -> str | None:
    """Whether an annotation's file is of another frame than the picture in its place."""
    if _stem(os.path.basename(found)) == _stem(os.path.basename(image)):
        return None
    rule = f'{quoted(found)}, but the image in this place is {quoted(image)}'
    return f'{rule}; list annotations in the order of the images'


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]
