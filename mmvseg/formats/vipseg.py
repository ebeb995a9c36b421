"""The form of VIPSeg: json with the segments of every frame, pixels in PNGs beside it.

What the fields are is declared here and nowhere else. Data sets, evaluation, checker and drawing
read through :func:`parse`, so that they agree on what is refused, and in which words. A map holds
the id of each pixel's segment as R + 256 G + 65536 B, 0 for none.
"""

import os.path
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Raw, Struct, ValidationError

from mmvseg.errors import UserError, counted
from mmvseg.media.names import leads_out

from .categories import Category, parse_categories
from .json_files import Id, Text, decode_entries, decode_json, read_json_bytes
from .panoptic_records import (
    File,
    Folder,
    Frame,
    ImageEntry,
    PanopticSet,
    PredictedSegment,
    Segment,
    Video,
    without_suffix,
)
from .problems import Findings, Level, Problem, no_annotations, quoted, strictly


class VideoEntry(Struct):
    """An entry of ``videos``; its id is the name of its folders."""

    video_id: Folder | Id
    images: Raw


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


def read_vipseg(
    path: str | Path, mask_root: str | Path = '', with_annotations: bool = True
) -> PanopticSet:
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


def parse(
    content: Content, file: str, mask_root: str | Path = '', with_annotations: bool = True
) -> Findings[PanopticSet]:
    """Read the entries of a file.

    Args:
        content: its lists.
        file: its name, for messages.
        mask_root: folder of the videos' folders with the segment maps.
        with_annotations: whether to read the segments, too.

    Yields:
        What is wrong with categories, videos and annotations, in the order of the file.

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
    return PanopticSet(file, categories, videos, bool(annotations))


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
        if (stem := without_suffix(os.path.basename(image.file_name))) in stems:
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
            frame.mask = masks / f'{without_suffix(entry.file_name)}.png'
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
    if without_suffix(os.path.basename(found)) == without_suffix(os.path.basename(image)):
        return None
    rule = f'{quoted(found)}, but the image in this place is {quoted(image)}'
    return f'{rule}; list annotations in the order of the images'
