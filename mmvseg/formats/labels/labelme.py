"""labelme: a json beside each picture, a folder for each video.

An object is a label with a group id over the frames of a folder: the label alone says which class
it is, not which object, so that without a group id an object has one frame. A picture without a
json is a frame without objects. Shapes of one label and group in a frame are parts of one object.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from msgspec import Raw, Struct

from mmvseg.errors import UserError, counted
from mmvseg.formats.json_files import Side, Text
from mmvseg.media.names import natural_key

from .inline import InlinePicture, decode_base64
from .json_entries import listed, read_entry, typed
from .labelme_shapes import LINES, Shape, shape_code
from .options import ImportOptions
from .records import Frame, LabelledVideo, Labels, PendingVideo
from .report import ImportReport
from .sources import Source, SourceFile, nfc
from .video_builder import VideoBuilder

OPTIONS: frozenset[str] = frozenset()

#: So many files of json are looked at, and so many bytes of each.
_LOOKED_AT, _HEAD = 5, 4096
#: Of folders, so many are named in a note.
_NAMED = 5
_NO_GROUP = (
    'there are shapes without a group id; each is an object of one frame of its own. An object of '
    'several frames has the same label and group id in all of them: set it in labelme (Edit '
    'Label), and import again'
)


class _Page(Struct):
    """What a json says of its picture."""

    shapes: Raw = Raw(b'')
    imagePath: Text | None = None
    imageHeight: Side | None = None
    imageWidth: Side | None = None


class _Inside(Struct):
    imageData: Text | None = None


@dataclass
class _LabelledFrame:
    """A json, the frame that it belongs to and the height and width that it says."""

    file: SourceFile
    frame: Frame
    size: tuple[int, int] | None


@dataclass
class _Folder:
    """What is needed to read the json files of a folder."""

    source: Source
    folder: str
    files: list[SourceFile]
    options: ImportOptions
    report: ImportReport

    @property
    def video(self) -> str:
        """Name of the video."""
        return self.folder or self.source.name


def recognises(source: Source) -> bool:
    """Whether one of the first files of json has shapes, or a picture, which may stand first."""
    for file in source.of('.json')[:_LOOKED_AT]:
        with file.open() as stream:
            head = stream.read(_HEAD)
        if b'"imageData"' in head or (b'"shapes"' in head and b'"version"' in head):
            return True
    return False


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    if options.footage.given_videos is not None and options.footage.given_frames is None:
        raise UserError(
            f'{source.path}: labelme labels pictures, and which frame of a video each is, it does '
            'not say; give their folder with --frames'
        )
    folders: dict[str, list[SourceFile]] = {}
    for file in source.of('.json'):
        folders.setdefault(file.folder, []).append(file)
    with_pictures = {file.folder for file in source.files.values() if file.is_picture}
    if with_pictures & folders.keys():
        rest = sorted(with_pictures - folders.keys())
        if rest:
            some = ', '.join(folder or source.name for folder in rest[:_NAMED])
            some += ', ...' if len(rest) > _NAMED else ''
            report.note(
                f'{counted(len(rest), "folders")} with pictures and without json files of labelme: '
                f'no video is made of them ({some})'
            )
    return Labels(None, _videos(source, folders, options, report))


def _videos(
    source: Source,
    folders: dict[str, list[SourceFile]],
    options: ImportOptions,
    report: ImportReport,
) -> Iterator[PendingVideo]:
    for name, files in folders.items():
        folder = _Folder(source, name, files, options, report)
        yield PendingVideo(folder.video, partial(_read_video, folder))


def _read_video(folder: _Folder) -> LabelledVideo | None:
    pictures, report = _pictures(folder), folder.report
    known = {p.stem: p for p in pictures} | {p.base: p for p in pictures}
    pages = [page for file in folder.files if (page := _read_page(file, folder, known))]
    if not pages:
        return None
    places = {p.frame.picture.folder for p in pages if _lies_on_disk(p.frame)}
    if len(places) > 1:
        rule = (
            f'its pictures lie in several folders ({", ".join(sorted(places))}), and a folder is a '
            "video: put each video's json files into a folder of their own"
        )
        report.bad(folder.files[0], rule, video=folder.video)
        return None
    if places and folder.options.footage.given_frames is None:
        pictures = folder.source.pictures(places.pop())
    frames = {picture.base: Frame(picture.base, picture) for picture in pictures}
    for page in pages:
        frames.setdefault(page.frame.name, page.frame)
    ordered = sorted(frames.values(), key=lambda frame: natural_key(frame.name))
    with report.guard(video=folder.video):
        folder.options.footage.check_given(folder.video, ordered)
        sizes = Counter(page.size for page in pages if page.size is not None)
        size = sizes.most_common(1)[0][0] if sizes else folder.options.footage.size(ordered)
        if size is None:
            raise UserError(f'{folder.files[0]}: neither imageHeight and imageWidth nor a picture')
        builder = VideoBuilder(folder.video, size, ordered, report, folder.files[0])
        _add_shapes(builder, pages)
        return builder.video()
    return None


def _lies_on_disk(frame: Frame) -> bool:
    return frame.picture is not None and not isinstance(frame.picture, InlinePicture)


def _pictures(folder: _Folder) -> list[SourceFile]:
    """All pictures of a folder, or those that are known by its name."""
    footage = folder.options.footage
    if footage.given_frames is None and (beside := folder.source.pictures(folder.folder)):
        return beside
    return footage.pictures(folder.video, folder.video.rpartition('/')[2])


def _read_page(
    file: SourceFile, folder: _Folder, known: dict[str, SourceFile]
) -> _LabelledFrame | None:
    """What a json says of its picture; None if it is broken or of something else."""
    report = folder.report
    with report.guard(video=folder.video, frame=file.stem):
        page = read_entry(file, _Page)
        if not bytes(page.shapes) and page.imagePath is None:
            report.note(f'{file}: passed over, it is not of labelme (no shapes, no imagePath)')
            return None
        size = None
        if page.imageHeight is not None and page.imageWidth is not None:
            size = page.imageHeight, page.imageWidth
        return _LabelledFrame(file, _frame_of(file, page.imagePath or '', folder, known), size)
    return None


def _frame_of(file: SourceFile, path: str, folder: _Folder, known: dict[str, SourceFile]) -> Frame:
    """The picture that a json names, which may have been moved since, or is inside of it."""
    if folder.options.footage.given_frames is None:
        named = folder.source.get(folder.folder, path)
        if named is not None and named.is_picture:
            return Frame(named.base, named)
    name = nfc(path.replace('\\', '/').rpartition('/')[2])
    for key in (name, file.stem):
        if key in known:
            return Frame(known[key].base, known[key])
    name = name or f'{file.stem}.jpg'
    if read_entry(file, _Inside).imageData is None:
        return Frame(name)
    member = f'{file.member}/imageData' if file.member else 'imageData'
    return Frame(name, InlinePicture(file.name, file.path, member, partial(_inside, file)))


def _inside(file: SourceFile) -> bytes:
    """The bytes of the picture inside of a json."""
    try:
        return decode_base64(read_entry(file, _Inside).imageData or '')
    except ValueError as error:
        raise UserError(f'{file}: imageData: {error}') from error


def _add_shapes(builder: VideoBuilder, pages: list[_LabelledFrame]) -> None:
    """Add the masks of all frames, json by json."""
    index = {frame.name: i for i, frame in enumerate(builder.frames)}
    seen: set[int] = set()
    for page in pages:
        frame = index[page.frame.name]
        where = dict(video=builder.name, frame=frame)
        if frame in seen:
            builder.report.bad(
                page.file, f'a second json of the picture {page.frame.name}', **where
            )
        elif page.size not in (None, (builder.height, builder.width)):
            rule = (
                f'of a picture of {page.size[1]}x{page.size[0]} pixels, the other frames have '
                f'{builder.width}x{builder.height}'
            )
            builder.report.bad(page.file, rule, **where)
        else:
            with builder.report.guard(**where):
                shapes = listed(read_entry(page.file, _Page).shapes, page.file, 'shapes')
                for number, raw in enumerate(shapes):
                    with builder.report.guard(**where):
                        shape = typed(raw, Shape, page.file, f'shapes[{number}]')
                        _add_shape(builder, page.file, frame, number, shape)
        seen.add(frame)


def _add_shape(
    builder: VideoBuilder, file: SourceFile, frame: int, number: int, shape: Shape
) -> None:
    kind, label = shape.shape_type or 'polygon', nfc(shape.label)
    if kind in LINES:
        builder.report.ignore(kind)
        return
    if shape.group_id is None or shape.group_id == '':
        builder.report.note(_NO_GROUP)
        track = f'{label} #{frame}.{number}'
    else:
        track = f'{label} {shape.group_id}'
    try:
        rle = shape_code(shape, builder.height, builder.width)
    except ValueError as error:
        where = dict(video=builder.name, track=track, frame=frame)
        builder.report.bad(file, f'shapes[{number}]: {error}', **where)
        return
    builder.add(track, label, frame, rle, file=file)
