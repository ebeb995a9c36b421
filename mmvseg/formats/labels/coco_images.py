"""Images with objects, as COCO lists them, put together as videos."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from msgspec import Struct

from mmvseg.formats.json_files import Id, Number, Side, Text
from mmvseg.media.names import natural_key

from .coco_file import CocoFile, Segmentation, decoded
from .coco_frames import find_frames
from .coco_identity import AnnotationHead, Identity
from .coco_masks import MaskCollector
from .options import ImportOptions
from .records import LabelClass, LabelledVideo, PendingVideo
from .report import ImportReport
from .sources import SourceFile
from .video_builder import VideoBuilder


class ImageEntry(Struct):
    """An entry of ``images``; TAO calls the number of the frame ``frame_index``."""

    id: Id
    file_name: Text
    height: Side | None = None
    width: Side | None = None
    video_id: Id | None = None
    frame_id: Id | None = None
    frame_index: Id | None = None

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width, None if the file does not say."""
        known = self.height is not None and self.width is not None
        return (self.height, self.width) if known else None

    @property
    def number(self) -> int | None:
        """Of the frame, None if only its name says where it belongs."""
        return self.frame_index if self.frame_id is None else self.frame_id


class AnnotationEntry(AnnotationHead):
    """An entry of ``annotations``."""

    segmentation: Segmentation = None
    bbox: list[Number] | None = None
    area: Any = None


@dataclass(eq=False)
class Image:
    """An image that is a frame.

    Attributes:
        entry: what the file says of it.
        part: the file.
        number: of the frame, None if only its name says where it belongs.
        positions: of its objects in the file's list.
    """

    entry: ImageEntry
    part: 'FilePart'
    number: int | None
    positions: list[int] = field(default_factory=list)


@dataclass(eq=False)
class FilePart:
    """A file, of which a video may have a part of its frames.

    Attributes:
        coco: the file.
        classes: by its ids.
        identity: of its objects.
    """

    coco: CocoFile
    classes: dict[int, LabelClass]
    identity: Identity

    def images(self, report: ImportReport) -> dict[int, Image]:
        """The images by id."""
        found: dict[int, Image] = {}
        for position, raw in enumerate(self.coco['images']):
            place = f'images[{position}]'
            entry = decoded(raw, ImageEntry, self.coco.file, place, report)
            if entry is None:
                continue
            if entry.id in found:
                report.bad(self.coco.file, f'{place}: the id {entry.id} is there twice')
                continue
            found[entry.id] = Image(entry, self, entry.number)
        return found

    def attach(self, images: dict[int, Image], keep_crowd: bool, report: ImportReport) -> None:
        """Give the images their annotations."""
        for position in range(len(self.coco['annotations'])):
            head = self.identity.see(position)
            if head is None:
                continue
            image = images.get(head.image_id)
            if image is None:
                rule = f'annotations[{position}]: there is no image {head.image_id}'
                report.bad(self.coco.file, rule)
            else:
                image.positions.append(position)
        self.identity.tell(keep_crowd)


@dataclass
class ImageVideo:
    """A video of images.

    Attributes:
        name: of the video.
        file: that has it, or a part of it.
        images: in any order.
        size: height and width, None if the file says that of the images only.
        tracks: classes of the objects that a table declares, by what they are called; None if there
            is no table.
        extra: further keys for its entry in the result.
    """

    name: str
    file: SourceFile
    images: list[Image] = field(default_factory=list)
    size: tuple[int, int] | None = None
    tracks: dict[str, str] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class ImageVideoReader:
    """Reads videos of images.

    Args:
        options: of the import.
        report: is told what is broken.
        is_only: whether there is no other video, so that frames are its whatever their folder.
    """

    def __init__(self, options: ImportOptions, report: ImportReport, is_only: bool) -> None:
        self.options, self.report, self.is_only = options, report, is_only

    def pending(self, videos: Sequence[ImageVideo]) -> list[PendingVideo]:
        """The videos, to be read one by one."""
        return [PendingVideo(video.name, partial(self.read, video)) for video in videos]

    def read(self, video: ImageVideo) -> LabelledVideo | None:
        """A video; None if it has no frames or no size, which the report is told."""
        file, images = video.file, in_order(video, self.report)
        if not images:
            self.report.bad(file, 'a video without frames', video=video.name)
            return None
        names = [(image.entry.file_name, image.entry.frame_index) for image in images]
        frames = find_frames(
            self.options.footage, video.name, names, file, self.report, self.is_only
        )
        size = images[0].entry.size or video.size
        if size is None:
            with self.report.guard(video=video.name):
                size = self.options.footage.size(frames)
        if size is None:
            self.report.bad(file, 'neither height and width nor pictures', video=video.name)
            return None
        collector = MaskCollector(VideoBuilder(video.name, size, frames, self.report, file))
        for track, label in (video.tracks or {}).items():
            collector.builder.declare(track, label)
        for frame, image in enumerate(images):
            for position in image.positions:
                self._take(image.part, position, frame, video, collector)
        return collector.end().video(**video.extra)

    def _take(
        self,
        part: FilePart,
        position: int,
        frame: int,
        video: ImageVideo,
        collector: MaskCollector,
    ) -> None:
        """Take an annotation."""
        coco, place = part.coco, f'annotations[{position}]'
        raw = coco['annotations'][position]
        entry = decoded(raw, AnnotationEntry, coco.file, place, self.report, video.name)
        if entry is None:
            return
        where = dict(video=video.name, frame=frame)
        one = part.classes.get(entry.category_id)
        if one is None:
            rule = f'{place}: there is no category {entry.category_id}'
            self.report.bad(coco.file, rule, **where)
            return
        track = part.identity.track(entry, position, one.name)
        if video.tracks is not None and track not in video.tracks:
            self.report.bad(coco.file, 'it is not in the list of tracks', track=track, **where)
            return
        is_crowd = self.options.keep_crowd and entry.is_crowd
        collector.add(
            track,
            one.name,
            frame,
            entry.segmentation,
            entry.bbox,
            entry.area,
            file=coco.file,
            is_crowd=is_crowd,
        )


def in_order(video: ImageVideo, report: ImportReport) -> list[Image]:
    """The images of a video in the order of their numbers, or of their names if none has one.

    Images that have no place in it are told to the report and left out.
    """
    if all(image.number is None for image in video.images):
        found = sorted(video.images, key=_by_name)
    else:
        numbers: dict[int, Image] = {}
        for image in video.images:
            name = image.entry.file_name
            if image.number is None:
                rule = f'image {name} has no frame number, others of the video have'
                report.bad(video.file, rule, video=video.name)
                continue
            other = numbers.setdefault(image.number, image)
            if other is not image:
                rule = f'{other.entry.file_name} and {name} are the same frame'
                report.bad(video.file, rule, video=video.name, frame=image.number)
        found = [numbers[number] for number in sorted(numbers)]
    return [image for image in found if _has_size(image, found[0].entry.size, video, report)]


def _has_size(
    image: Image, size: tuple[int, int] | None, video: ImageVideo, report: ImportReport
) -> bool:
    entry = image.entry
    if entry.size == size:
        return True
    sizes = [f'{s[0]} x {s[1]}' if s else 'no size' for s in (entry.size, size)]
    rule = f'image {entry.file_name} has {sizes[0]}, the first of the video {sizes[1]}'
    report.bad(video.file, rule, video=video.name)
    return False


def _by_name(image: Image) -> list:
    name = image.entry.file_name.replace('\\', '/')
    return [natural_key(part) for part in name.split('/')]
