"""The form of Cityscapes-VPS: a flat list of the pictures of all videos, one of their segments.

``panoptic_gt_<split>_city_vps.json`` is what the data set's own script makes of its labels. The
first four characters of a picture's name are its video. Six of the 30 frames of a video are
labelled; the file lists these alone, ``im_all_info_<split>_city_vps.json`` lists all.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from msgspec import Raw, Struct, ValidationError

from mmvseg.errors import UserError, counted

from .categories import Category, parse_categories
from .json_files import Text, decode_entries, decode_json, read_json_bytes
from .panoptic_records import File, Frame, ImageEntry, PanopticSet, Segment, Video
from .problems import Findings, Level, Problem, no_annotations, quoted, strictly
from .vipseg import name_rule, read_segments

#: Labelled frames lie so far apart; the first of a video is its fifth frame.
LABEL_STEP = 5
LABELLED_FRAMES = 6
_VIDEO_CHARACTERS = 4
#: Endings of pictures and of their masks: the 20th frame of a video is Cityscapes' own, the other
#: five are new.
_MASK_ENDINGS = {'_leftImg8bit.png': '_gtFine_color.png', '_newImg8bit.png': '_final_mask.png'}
#: As the script spells a class.
_SPELLING = {'vegitation': 'vegetation'}
_CITYSCAPES_NAME = re.compile(r'\d{4}_\d{4}_(?P<place>.+_\d{6})_(?P<frame>\d{6})')


class LabelledImage(ImageEntry):
    """An entry of ``images``."""

    id: Text


class AnnotatedImage(Struct):
    """An entry of ``annotations``."""

    image_id: Text
    file_name: File
    segments_info: Raw


class Content(Struct):
    """The whole file, lists not yet decoded."""

    images: Raw
    categories: list[Raw]
    annotations: Raw = Raw(b'null')


class _ImageName(Struct):
    file_name: File


class _AllImages(Struct):
    images: Raw


class LabelledFrame(Frame):
    """A labelled frame; its results are named by the id of its picture."""

    __slots__ = ()

    @property
    def map_name(self) -> str:
        """What the file of its segment map is called in results."""
        return f'{self.image.id}.png'


@dataclass(slots=True)
class LabelledVideo(Video):
    """The labelled frames of a video; the pictures of all videos lie in one folder."""

    def frame_paths(self, root: str | Path) -> list[str]:
        """The pictures, ``root`` being the folder of all."""
        return [str(Path(root, frame.image.file_name)) for frame in self.frames]


class AllFrames(NamedTuple):
    """The frames of a video between and before its labelled ones, too.

    Attributes:
        names: their pictures, in order of time.
        labelled: which of them are labelled, 0-based, ascending.
    """

    names: list[str]
    labelled: list[int]


def read_cityscapes_vps(
    path: str | Path, mask_root: str | Path = '', with_annotations: bool = True
) -> PanopticSet:
    """Read the labelled frames of a file.

    Args:
        path: the json.
        mask_root: folder of the segment maps, ``panoptic_video``.
        with_annotations: whether to read the segments, too.

    Raises:
        UserError: naming file, entry, or video, frame, segment and field of the first fault.
    """
    return strictly(parse(load_content(path), str(path), mask_root, with_annotations))


def read_categories(path: str | Path) -> list[Category]:
    """The things and stuff of a file alone; see :func:`read_cityscapes_vps`."""
    return strictly(_categories(load_content(path), str(path)))


def load_content(path: str | Path) -> Content:
    """The lists of a file.

    Raises:
        UserError: it cannot be read, is no json or of another form.
    """
    try:
        return decode_json(read_json_bytes(path), path, Content)
    except ValidationError as error:
        raise UserError(f'{path}: not a file of the form of Cityscapes-VPS ({error})') from None


def mask_name(picture: str) -> str:
    """What the mask of a picture is called; a picture with an ending of its own shares its name."""
    for ending, other in _MASK_ENDINGS.items():
        if picture.endswith(ending):
            return picture.removesuffix(ending) + other
    return picture


def image_id(name: str) -> str:
    """The id of a picture by its name or that of its mask: what is left without the ending."""
    for ending in (*_MASK_ENDINGS, *_MASK_ENDINGS.values()):
        name = name.removesuffix(ending)
    return name.removesuffix('.png')


def parse(
    content: Content, file: str, mask_root: str | Path = '', with_annotations: bool = True
) -> Findings[PanopticSet]:
    """Read the entries of a file.

    Args:
        content: its lists.
        file: its name, for messages.
        mask_root: folder of the segment maps.
        with_annotations: whether to read the segments, too.

    Yields:
        What is wrong with categories, pictures and annotations.

    Returns:
        What is sound, videos in the order of their names.
    """
    categories = yield from _categories(content, file)
    videos = yield from _read_videos(content.images, file)
    raw = Raw(b'[]') if content.annotations == Raw(b'null') else content.annotations
    entries = yield from decode_entries(raw, AnnotatedImage, file, 'annotations', {})
    if entries == []:
        yield no_annotations(file)
    if entries and with_annotations:
        all_sound = len(categories) == len(content.categories)
        ids = {category.id for category in categories} if all_sound else None
        yield from _annotate(videos, entries, ids, file, Path(mask_root))
    return PanopticSet(file, categories, videos, bool(entries), form='cityscapes_vps')


def _categories(content: Content, file: str) -> Findings[list[Category]]:
    categories = yield from parse_categories(content.categories, file, panoptic=True)
    return [c._replace(name=_SPELLING.get(c.name, c.name)) for c in categories]


def _read_videos(raw: Raw, file: str) -> Findings[dict[str, Video]]:
    entries = yield from decode_entries(raw, LabelledImage, file, 'images', {})
    if entries == []:
        yield Problem(file, 'images', 'is empty')
    by_video: dict[str, list[LabelledImage]] = defaultdict(list)
    known: dict[str, set[str]] = dict(id=set(), file_name=set())
    for position, image in enumerate(entries or ()):
        if image is None:
            continue
        rule = name_rule(image.file_name) or name_rule(image.id)
        if '/' in image.id:  # results are files of this name
            rule = f'{quoted(image.id)} is not the name of a file'
        for key, values in known.items():
            if (value := getattr(image, key)) in values:
                rule = f'{key} {quoted(value)} occurs twice'
            values.add(value)
        if rule:
            yield Problem(file, f'images[{position}]', rule)
        else:
            by_video[image.file_name[:_VIDEO_CHARACTERS]].append(image)
    videos = {}
    for name in sorted(by_video):
        images = sorted(by_video[name], key=lambda image: image.file_name)
        videos[name] = yield from _read_video(name, images, file)
    return videos


def _read_video(name: str, images: Sequence[LabelledImage], file: str) -> Findings[Video]:
    height, width = images[0].height, images[0].width
    frames = [LabelledFrame(index, image) for index, image in enumerate(images)]
    for frame in frames:
        where = dict(video=name, frame=frame.index)
        image = frame.image
        if (image.height, image.width) != (height, width):
            sizes = f'{image.height} x {image.width}', f'{height} x {width}'
            rule = f'{sizes[0]}, but the frames before are {sizes[1]}'
            yield Problem(file, 'height, width', rule, **where)
        if image.id != image_id(image.file_name):
            rule = f'{quoted(image.id)}, but the picture is {quoted(image.file_name)}'
            yield Problem(file, 'id', rule, level=Level.FLAW, **where)
    if len(frames) != LABELLED_FRAMES:
        rule = (
            f'{counted(len(frames), "labelled frames")}; the official evaluation counts off '
            f'{LABELLED_FRAMES} a video'
        )
        yield Problem(file, 'images', rule, video=name, level=Level.FLAW)
    return LabelledVideo(name, height, width, len(frames), frames)


def _annotate(
    videos: Mapping[str, Video],
    entries: Sequence[AnnotatedImage | None],
    category_ids: set[int] | None,
    file: str,
    masks: Path,
) -> Findings[None]:
    places = {f.image.id: (video, f) for video in videos.values() for f in video.frames}
    for position, entry in enumerate(entries):
        if entry is None:
            continue
        video, frame = places.get(entry.image_id, (None, None))
        if frame is None or frame.mask is not None:
            rule = 'no such picture' if frame is None else 'the picture is annotated twice'
            yield Problem(file, f'annotations[{position}]', f'{quoted(entry.image_id)}: {rule}')
            continue
        where = dict(video=video.name, frame=frame.index)
        expected = mask_name(frame.image.file_name)
        frame.mask = masks / expected
        if entry.file_name != expected:
            rule = f'{quoted(entry.file_name)}, but the mask of the picture is {quoted(expected)}'
            yield Problem(file, 'file_name', rule, level=Level.FLAW, **where)
        segments = yield from read_segments(
            entry.segments_info, Segment, category_ids, file, **where
        )
        frame.segments = [segment for segment in segments if segment is not None]
        frame.complete = None not in segments
    for video in videos.values():
        without = [frame.image.file_name for frame in video.frames if frame.mask is None]
        video.annotated = not without
        if without:
            rule = f'{counted(len(without), "pictures")} have none, the first is {without[0]}'
            yield Problem(file, 'annotations', rule, video=video.name)


def read_all_frames(path: str | Path, videos: Iterable[Video]) -> dict[str, AllFrames]:
    """Find all frames of videos whose labelled ones are known, by the names that Cityscapes gives.

    A picture's number in its recording is the last of its name. A video begins four frames before
    its first labelled one and ends with its last.

    Args:
        path: ``im_all_info_<split>_city_vps.json``.
        videos: their labelled frames.

    Raises:
        UserError: it is no such file, a name has another form, or a frame is not listed.
    """
    try:
        raw = decode_json(read_json_bytes(path), path, _AllImages).images
    except ValidationError as error:
        raise UserError(f'{path}: lists no pictures ({error})') from None
    entries = strictly(decode_entries(raw, _ImageName, str(path), 'images', {}), advice='')
    listed = {entry.file_name for entry in entries}
    return {video.name: _all_frames(video, listed, path) for video in videos}


def _all_frames(video: Video, listed: set[str], path: str | Path) -> AllFrames:
    parts = [_CITYSCAPES_NAME.fullmatch(frame.image.id) for frame in video.frames]
    if None in parts:
        wrong = video.frames[parts.index(None)].image.id
        raise UserError(
            f'video {video.name}: {quoted(wrong)} is not VIDEO_FRAME_CITY_SEQUENCE_FRAME, so its '
            f'place among the frames of {path} is unknown'
        )
    places, numbers = {part['place'] for part in parts}, [int(part['frame']) for part in parts]
    if len(places) > 1 or sorted(set(numbers)) != numbers:
        raise UserError(f'video {video.name}: its labelled frames are not of one recording')
    first = numbers[0] - LABEL_STEP + 1
    (place,) = places
    names = [f'{place}_{n:06d}_leftImg8bit.png' for n in range(first, numbers[-1] + 1)]
    if missing := [name for name in names if name not in listed]:
        raise UserError(
            f'{path}: video {video.name}: {len(missing)} of its {len(names)} frames are not '
            f'listed, the first is {missing[0]}; is it the file of the same split?'
        )
    return AllFrames(names, [number - first for number in numbers])
