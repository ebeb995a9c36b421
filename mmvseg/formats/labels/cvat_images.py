"""CVAT's "for images" files: pictures with their shapes, without tracks.

A picture's name may have folders: the folder is the video; without one, the task is. Pictures of a
video are in the natural order of their names, those without shapes, too. An object is known by an
attribute of its shapes, or by label and group; otherwise each shape is an object of its own.

A video task that is written like this calls its frames ``frame_000012``, without a suffix.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

from mmvseg.errors import UserError
from mmvseg.media.images import MAX_SIDE
from mmvseg.media.names import natural_key

from .cvat_frames import PictureFinder, numbered_name
from .cvat_meta import Meta
from .cvat_shapes import AREAS, draw, read_shape
from .cvat_tracks import UNSET, group_of, identity_of
from .cvat_videos import pending_videos
from .cvat_xml import read_parts
from .options import ImportOptions
from .records import Frame, LabelledVideo, PendingVideo
from .report import ImportReport, LaterReport
from .sources import Source, SourceFile, nfc
from .video_builder import VideoBuilder

_ALONE = (
    'CVAT for images has no tracks: shapes without an attribute track_id and without a group '
    'became objects of one frame each; number the objects, or export a video task as CVAT for '
    'video 1.1'
)

#: A video of a file: the number of its task, if the file has several, and its folder.
VideoKey = tuple[str, str]
#: Height and width, None where they are not said.
Size = tuple[int, int] | None


@dataclass
class Listed:
    """The pictures of a video as the file lists them.

    Attributes:
        name: of the video.
        subset: of the project, may be empty.
        sizes: by name of the picture.
        twice: names that are listed before.
    """

    name: str
    subset: str
    sizes: dict[str, Size] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)


def images_videos(
    file: SourceFile, meta: Meta, source: Source, options: ImportOptions, report: ImportReport
) -> Iterator[PendingVideo]:
    """The videos of a file, in the order of their first pictures.

    Args:
        file: the xml.
        meta: of it.
        source: where the pictures may lie.
        options: of the import.
        report: is told of what is broken.

    Raises:
        UserError: the file is no sound xml.
    """
    listed = _list_pictures(file, meta)
    finder = PictureFinder(file, source, options.footage)

    def read_all() -> dict[VideoKey, 'ImagesVideo | UserError']:
        videos: dict[VideoKey, ImagesVideo | UserError] = {}
        for key, pictures in listed.items():
            try:
                videos[key] = ImagesVideo(file, meta, pictures, finder, options, report)
            except UserError as error:
                videos[key] = error
        for image, shape in read_parts(file):
            if image.tag == 'image' and shape is not None:
                video = videos[_key(image)]
                if isinstance(video, ImagesVideo):
                    video.add(image, shape)
        return videos

    return pending_videos({key: entry.name for key, entry in listed.items()}, read_all, report)


def _list_pictures(file: SourceFile, meta: Meta) -> dict[VideoKey, Listed]:
    listed: dict[VideoKey, Listed] = {}
    tasks = {task.id: task.name for task in meta.tasks}
    for image, shape in read_parts(file):
        if image.tag != 'image' or shape is not None:
            continue
        if not PurePosixPath(_name(image)).name:
            raise UserError(f'{file}: an image (id {image.get("id")}) without a name')
        key = task, folder = _key(image)
        if key not in listed:
            name = folder or tasks.get(task, meta.tasks[0].name)
            listed[key] = Listed(name, image.get('subset') or '')
        if _name(image) in listed[key].sizes:
            listed[key].twice.append(_name(image))
        sides = image.get('height') or '', image.get('width') or ''
        is_said = all(side.isdecimal() and 0 < int(side) <= MAX_SIDE for side in sides)
        listed[key].sizes[_name(image)] = (int(sides[0]), int(sides[1])) if is_said else None
    return listed


def _name(image: Element) -> str:
    return nfc(image.get('name') or '').replace('\\', '/')


def _key(image: Element) -> VideoKey:
    folder = PurePosixPath(_name(image)).parent.as_posix()
    return image.get('task_id') or '', '' if folder == '.' else folder


class ImagesVideo:
    """Takes the shapes of one video's pictures.

    Args:
        file: the xml.
        meta: of it.
        listed: the pictures.
        finder: finds them.
        options: of the import.
        report: is told of what is broken.

    Raises:
        UserError: nothing says how large they are, or they cannot be found in a video.
    """

    def __init__(
        self,
        file: SourceFile,
        meta: Meta,
        listed: Listed,
        finder: PictureFinder,
        options: ImportOptions,
        report: ImportReport,
    ) -> None:
        self.file, self.name = file, listed.name
        self.report = LaterReport(report)
        self._labels = {label.name for label in meta.classes}
        self._meta = meta
        self._unset: set[tuple[str, int]] = set()
        names = sorted(listed.sizes, key=lambda name: natural_key(PurePosixPath(name).name))
        self._indices = {name: index for index, name in enumerate(names)}
        frames = _frames(listed, names, finder, options)
        said = (listed.sizes[name] for name in names)
        self.size = next(filter(None, said), None) or options.footage.size(frames)
        if self.size is None:
            raise options.footage.missing(listed.name)
        self._sizes = listed.sizes
        self._builder = VideoBuilder(listed.name, self.size, frames, self.report, file)
        self._count = 0
        for name in listed.twice:
            self.report.bad(file, f'lists the picture {name} twice', video=listed.name)

    def add(self, image: Element, element: Element) -> None:
        """Take a shape of a picture."""
        self._count += 1
        if element.get('outside') == '1':  # of datumaro, which keeps it as an attribute
            return
        if element.tag not in AREAS:
            self.report.ignore(element.tag)
            return
        name, label = _name(image), nfc(element.get('label') or '')
        index = self._indices[name]
        object_ = self._object(element, label, index)
        if self._labels and label not in self._labels:
            self._bad(f'the label {label!r} is not among the labels of the file', object_, index)
            return
        if self._sizes[name] not in (None, self.size):
            height, width = self._sizes[name]
            rule = f'{width}x{height} pixels, the first picture has {self.size[1]}x{self.size[0]}'
            self._bad(rule, object_, index)
            return
        try:
            rle = draw(read_shape(element), *self.size)
        except ValueError as error:
            self._bad(str(error), object_, index)
            return
        self._builder.add(object_, label, index, rle)

    def video(self) -> LabelledVideo:
        """The video, once all shapes are taken."""
        return self._builder.video()

    def _object(self, element: Element, label: str, frame: int) -> str:
        """What the object of a shape is called."""
        identity, group = identity_of(element), group_of(element)
        is_unset = identity is not None and self._meta.is_default(label, identity)
        if identity and not (is_unset and group and element.tag != 'mask'):
            if is_unset and (identity, frame) in self._unset:
                self.report.note(UNSET)
            self._unset.add((identity, frame))
            return identity
        if group:
            return f'{label}, group {group}'
        if len(self._indices) > 1:
            self.report.note(_ALONE)
        return f'shape {self._count}'

    def _bad(self, rule: str, track: str, frame: int) -> None:
        self.report.bad(self.file, rule, video=self.name, track=track, frame=frame)


def _frames(
    listed: Listed, names: list[str], finder: PictureFinder, options: ImportOptions
) -> list[Frame]:
    footage = options.footage
    pictures = [finder.find(name, listed.subset, listed.name) for name in names]
    if not any(pictures):
        pictures = _by_number(names, footage.pictures(listed.name))
    if any(pictures):
        bases = [PurePosixPath(name).name for name in names]
        pairs = zip(bases, pictures, strict=True)
        return [Frame(base if p is None else p.base, p) for base, p in pairs]
    video = footage.video(listed.name)
    if video is None and footage.is_given:
        raise footage.missing(listed.name)
    frames = []
    for name in names:
        stem = PurePosixPath(name).stem
        number = numbered_name(stem)
        if video is not None and number is None:
            raise UserError(
                f'{video}: video {listed.name}: which frame is {name}? Names like frame_000012 '
                'say it; give the pictures with --frames'
            )
        frames.append(Frame(f'{stem}.jpg', video=video, index=number or 0))
    return frames


def _by_number(names: list[str], pictures: list[SourceFile]) -> list[SourceFile | None]:
    """The pictures of a video's frames, of all frames of the video; none if they do not fit."""
    numbers = [numbered_name(PurePosixPath(name).stem) for name in names]
    if None in numbers or max(numbers) >= len(pictures):
        return []
    return [pictures[number] for number in numbers]
