"""Json of Scalabel, BDD100K's label tool: frames with labels, of all videos or a file a video.

A label has a run-length code or ``poly2d``: several polygons, whose points may be those of Bezier
curves. Coordinates are corners of pixels; Scalabel's own drawing adds a rim of half a pixel, which
is not added here.
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from mmvseg.errors import UserError
from mmvseg.formats.json_files import Id, Number, Side, Text, decode_json, json_in_utf8
from mmvseg.formats.rle import RunLengthCode
from mmvseg.media.names import natural_key

from .bdd100k_masks import tell_crowd
from .coco_file import decoded, folder_of, head
from .coco_frames import find_frames
from .coco_masks import MaskCollector
from .curves import flattened
from .options import ImportOptions
from .outlines import corner_polygon, encode, polygon_rule
from .records import LabelClass, LabelledVideo, Labels, PendingVideo
from .report import ImportReport
from .sources import SourceFile, nfc
from .video_builder import VideoBuilder

_BEGINS = re.compile(rb'\s*(\[\s*\{|\{)')
_FRAMES = re.compile(rb'"frames"\s*:\s*\[\s*\{')
_IN_VIDEO = re.compile(rb'"(videoName|frameIndex)"\s*:')
_LABELS = re.compile(rb'"labels"\s*:\s*(\[\s*\{|null)')
_SHAPES = re.compile(rb'"(poly2d|rle|box2d)"\s*:')

Point = Annotated[list[Number], Meta(min_length=2, max_length=2, description='[x, y]')]


class ImageSize(Struct):
    """Width and height of a frame."""

    width: Side
    height: Side


class FrameHead(Struct, rename='camel'):
    """What says which frame it is."""

    name: Text
    video_name: Text | None = None
    frame_index: Id | None = None


class FrameEntry(FrameHead, rename='camel'):
    """A frame."""

    size: ImageSize | None = None
    labels: list[Raw] | None = None


class Poly2D(Struct):
    """A polygon; each letter of ``types`` says whether a point is one of the outline, L, or C."""

    vertices: list[Point]
    types: Text | None = None
    closed: bool = True


class Label(Struct):
    """An object in a frame."""

    id: Text | Id
    category: Text | None = None
    attributes: Any = None
    rle: RunLengthCode | None = None
    poly2d: list[Poly2D] | None = None

    @property
    def is_crowd(self) -> bool:
        """Whether it is a crowd, or ignored by the evaluation."""
        flags = self.attributes if isinstance(self.attributes, dict) else {}
        return flags.get('crowd') is True or flags.get('ignored') is True


class Category(Struct):
    """A class in the configuration, or a group of such."""

    name: Text
    subcategories: list['Category'] | None = None


class Config(Struct, rename='camel'):
    """What a file says of all frames."""

    image_size: ImageSize | None = None
    categories: list[Category] | None = None


class _WithFrames(Struct):
    frames: list[Raw]
    config: Config | None = None


class FramePlace(Struct):
    """Where a frame stands.

    Attributes:
        file: the json.
        position: in its list.
        name: of the picture.
        number: of the frame, None if only its name says where it belongs.
    """

    file: SourceFile
    position: int
    name: str
    number: int | None


def looks_like_scalabel(file: SourceFile) -> bool:
    """Whether a json begins as those of Scalabel do."""
    start = head(file)
    begins = _BEGINS.match(start)
    if begins is None or b'"name"' not in start:
        return False
    if begins[1] == b'{' and not _FRAMES.search(start):
        return False
    if _IN_VIDEO.search(start):
        return True
    return _LABELS.search(start) is not None and _SHAPES.search(start) is not None


def read_scalabel(
    files: Sequence[SourceFile], options: ImportOptions, report: ImportReport
) -> Labels:
    """The videos of files.

    Args:
        files: of Scalabel.
        options: of the import.
        report: is told what is broken.
    """
    reader = _ScalabelReader(files, options, report)
    return Labels(reader.classes, reader.pending())


class _ScalabelReader:
    """Reads files: first which frames they have, then each video when it is asked for."""

    def __init__(
        self, files: Sequence[SourceFile], options: ImportOptions, report: ImportReport
    ) -> None:
        self.options, self.report = options, report
        self._opened: tuple[SourceFile, _WithFrames] | None = None
        self.videos: dict[str, list[FramePlace]] = {}
        names: dict[str, None] = {}
        for file in files:
            content = None
            with report.guard():
                content = self._open(file)
            if content is None:
                continue
            for position, raw in enumerate(content.frames):
                self._place(raw, file, position, is_only=len(files) == 1)
            if content.config is not None:
                names |= dict.fromkeys(_leaves(content.config.categories or ()))
        self.classes: list[LabelClass] | None = options.classes
        if self.classes is None and names:
            self.classes = [LabelClass(name) for name in names]
        self._names = None if self.classes is None else {one.name for one in self.classes}

    def pending(self) -> Iterator[PendingVideo]:
        """The videos, to be read one by one."""
        return (PendingVideo(name, partial(self.read, name)) for name in self.videos)

    def _open(self, file: SourceFile) -> _WithFrames:
        """The frames of a file; the last one stays open, since there may be thousands."""
        if self._opened is None or self._opened[0] != file:
            self._opened = None
            self._opened = file, _open(file)
        return self._opened[1]

    def _place(self, raw: Raw, file: SourceFile, position: int, is_only: bool) -> None:
        """Note which video a frame belongs to."""
        place = f'frames[{position}]'
        entry = decoded(raw, FrameHead, file, place, self.report)
        if entry is None:
            return
        folder = folder_of(entry.name)
        video = entry.video_name or folder.rpartition('/')[2] or ('' if is_only else file.stem)
        if not video:
            self.report.bad(file, f'{place}: no videoName says which video it is of')
            return
        frame = FramePlace(file, position, entry.name, entry.frame_index)
        self.videos.setdefault(nfc(video), []).append(frame)

    def read(self, name: str) -> LabelledVideo | None:
        """A video; None if it has no size, which the report is told."""
        found = self._decoded(name)
        file = self.videos[name][0].file
        paths = [(f'{name}/{_base(place.name)}', None) for place, _ in found]
        footage, is_only = self.options.footage, len(self.videos) == 1
        frames = find_frames(footage, name, paths, file, self.report, is_only)
        size = self._size([entry for _, entry in found], file)
        if size is None:
            with self.report.guard(video=name):
                size = footage.size(frames)
        if size is None:
            rule = 'its frames have no size, and there are no pictures; give them with --frames'
            self.report.bad(file, rule, video=name)
            return None
        collector = MaskCollector(VideoBuilder(name, size, frames, self.report, file))
        for frame, (place, entry) in enumerate(found):
            own = entry.size
            if own is not None and (own.height, own.width) != size:
                rule = f'{own.height} x {own.width}, the first frame has {size[0]} x {size[1]}'
                self.report.bad(place.file, rule, video=name, frame=frame)
                continue
            self._take_labels(place, entry, frame, collector)
        return collector.end().video()

    def _decoded(self, name: str) -> list[tuple[FramePlace, FrameEntry]]:
        """The sound frames of a video, in the order of time."""
        found = []
        for place in self._in_order(name):
            raw = self._open(place.file).frames[place.position]
            where = f'frames[{place.position}]'
            entry = decoded(raw, FrameEntry, place.file, where, self.report, name)
            if entry is not None:
                found.append((place, entry))
        return found

    def _in_order(self, name: str) -> list[FramePlace]:
        """The frames of a video by their numbers, or by their names if some have none."""
        places = self.videos[name]
        if any(place.number is None for place in places):
            return sorted(places, key=lambda place: natural_key(place.name))
        found: dict[int, FramePlace] = {}
        for place in places:
            other = found.setdefault(place.number, place)
            if other is not place:
                rule = f'{other.name} and {place.name} have the same frameIndex'
                self.report.bad(place.file, rule, video=name, frame=place.number)
        return [found[number] for number in sorted(found)]

    def _size(self, entries: Sequence[FrameEntry], file: SourceFile) -> tuple[int, int] | None:
        config = self._open(file).config
        sizes = [entry.size for entry in entries if entry.size is not None]
        if config is not None and config.image_size is not None:
            sizes.append(config.image_size)
        return (sizes[0].height, sizes[0].width) if sizes else None

    def _take_labels(
        self, place: FramePlace, entry: FrameEntry, frame: int, collector: MaskCollector
    ) -> None:
        video = collector.builder.name
        for position, raw in enumerate(entry.labels or ()):
            where = f'frames[{place.position}].labels[{position}]'
            label = decoded(raw, Label, place.file, where, self.report, video)
            if label is not None:
                self._take(label, frame, place.file, collector)

    def _take(self, label: Label, frame: int, file: SourceFile, collector: MaskCollector) -> None:
        """Take a label."""
        name, track = nfc(label.category or ''), str(label.id)
        where = dict(video=collector.builder.name, track=track, frame=frame)
        if not name or (self._names is not None and name not in self._names):
            known = ', '.join(self._names or ())
            rule = f'the class {name!r} is none of the file or of --classes ({known})'
            self.report.bad(file, rule if name else 'it has no category', **where)
            return
        if label.is_crowd:
            tell_crowd(self.report)
        more = dict(file=file, is_crowd=label.is_crowd)
        if label.rle is not None:
            collector.add(track, name, frame, label.rle, **more)
        elif label.poly2d:
            for poly in label.poly2d:
                code = self._code(poly, file, where, collector.builder)
                if code is not None:
                    collector.add(track, name, frame, code, **more)
        else:
            self.report.bad(file, 'has neither rle nor poly2d: a box is no mask', **where)

    def _code(
        self, poly: Poly2D, file: SourceFile, where: dict[str, Any], builder: VideoBuilder
    ) -> RunLengthCode | None:
        """The mask of a polygon, None of what has no area or is broken."""
        if not poly.closed:
            self.report.ignore('open poly2d')
            return None
        height, width = builder.height, builder.width
        try:
            points = flattened(poly.vertices, poly.types or 'L' * len(poly.vertices))
        except ValueError as error:
            self.report.bad(file, str(error), **where)
            return None
        rule = polygon_rule(points, height, width)
        if rule is not None:
            self.report.bad(file, rule, **where)
            return None
        rle = encode(corner_polygon(points, height, width))
        return RunLengthCode(rle['size'], rle['counts'].decode('ascii'))


def _base(name: str) -> str:
    """The name of a file without its folders."""
    return PurePosixPath(name.replace('\\', '/')).name


def _open(file: SourceFile) -> _WithFrames:
    data = json_in_utf8(file.read_bytes(), file)
    try:
        if data.lstrip()[:1] == b'[':
            return _WithFrames(decode_json(data, file, list[Raw]))
        return decode_json(data, file, _WithFrames)
    except msgspec.ValidationError as error:
        raise UserError(f'{file}: no json of Scalabel ({error})') from error


def _leaves(categories: Sequence[Category]) -> Iterator[str]:
    """The classes of a tree of categories, groups left out."""
    for category in categories:
        if category.subcategories:
            yield from _leaves(category.subcategories)
        else:
            yield nfc(category.name)
