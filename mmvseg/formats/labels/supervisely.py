"""Supervisely: a video project, with a json for each video of its datasets.

Every frame is stored as it is, so there is nothing to interpolate. Several figures of an object in
a frame are its parts. Frames are counted from 0.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from msgspec import Raw, Struct

from mmvseg.errors import UserError, counted
from mmvseg.formats.json_files import Side, Text
from mmvseg.media.names import is_video_name

from .json_entries import listed, read_entry, typed
from .options import ImportOptions
from .records import Frame, LabelClass, LabelledVideo, Labels, PendingVideo
from .report import ImportReport
from .sources import Source, SourceFile, nfc
from .supervisely_figures import LINES, Figure, figure_code
from .video_builder import VideoBuilder

OPTIONS: frozenset[str] = frozenset()

_META = 'meta.json'
_HEAD = 2**16


class _Meta(Struct):
    classes: Raw
    projectType: Text | None = None


class _Class(Struct):
    title: Text
    id: int | None = None


class _Size(Struct):
    height: Side
    width: Side


class _Annotation(Struct):
    size: _Size
    objects: Raw
    frames: Raw
    framesCount: int | None = None


class _Object(Struct):
    classTitle: Text
    key: Text | None = None
    id: int | None = None


class _Frame(Struct):
    index: int
    figures: Raw


def recognises(source: Source) -> bool:
    """Whether there is a project's meta.json with classes, and a folder of annotations."""
    if not any(file.folder.split('/')[-1] == 'ann' for file in source.of('.json')):
        return False
    return any(map(_has_classes, source.called(_META)))


def _has_classes(file: SourceFile) -> bool:
    with file.open() as stream:
        return b'"classes"' in stream.read(_HEAD)


@dataclass
class _Project:
    """A project, and what is needed to read its videos."""

    labels: set[str]
    options: ImportOptions
    report: ImportReport


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    files = source.called(_META)
    if not files:
        raise UserError(
            f'{source.path}: no meta.json, which has the classes of a Supervisely project; give '
            'the folder of the project'
        )
    classes: dict[str, LabelClass] = {}
    videos: list[PendingVideo] = []
    for file in files:
        own = _classes(file)
        for labelled in own:
            classes.setdefault(labelled.name, labelled)
        project = _Project({labelled.name for labelled in own}, options, report)
        for annotation in source.within(file.folder):
            folder, suffix = PurePosixPath(annotation.folder), annotation.suffix
            if suffix == '.json' and folder.name == 'ann':
                read_video = partial(_read_video, annotation, project)
                videos.append(PendingVideo(_video_name(annotation), read_video))
    if not videos:
        raise UserError(f'{source.path}: no <dataset>/ann/<video>.json beside meta.json')
    return Labels(list(classes.values()), iter(videos))


def _classes(file: SourceFile) -> list[LabelClass]:
    meta = read_entry(file, _Meta)
    if meta.projectType not in (None, 'videos'):
        raise UserError(
            f'{file}: a project of {meta.projectType}; only projects of videos tell which object '
            'is the same in several frames'
        )
    entries = [
        typed(raw, _Class, file, f'classes[{number}]')
        for number, raw in enumerate(listed(meta.classes, file, 'classes'))
    ]
    return [LabelClass(nfc(entry.title), entry.id) for entry in entries]


def _video_name(file: SourceFile) -> str:
    """Of ``street.mp4.json``, ``street``."""
    return PurePosixPath(file.stem).stem if is_video_name(file.stem) else file.stem


def _read_video(file: SourceFile, project: _Project) -> LabelledVideo | None:
    name, report, footage = _video_name(file), project.report, project.options.footage
    with report.guard(video=name):
        annotation = read_entry(file, _Annotation)
        size = annotation.size.height, annotation.size.width
        dataset = PurePosixPath(file.folder).parent
        names = f'video/{file.stem}', file.stem, name
        found = footage.frames(*(f'{dataset}/{name}' for name in names), file.stem, name)
        frames = found or (None if footage.is_given else _unseen(annotation.framesCount))
        if not frames:
            raise footage.missing(name)
        _check_length(annotation.framesCount, frames, file)
        builder = VideoBuilder(name, size, frames, report, file)
        _add_objects(builder, annotation, file, project.labels)
        return builder.video()
    return None


def _unseen(count: int | None) -> list[Frame] | None:
    """Frames that are not there, of which the labels say how many there are."""
    return None if count is None else [Frame(f'{index:06d}.jpg') for index in range(count)]


def _check_length(count: int | None, frames: list[Frame], file: SourceFile) -> None:
    """Pictures must be all frames; of a video file, programs count the last ones differently."""
    if count is not None and count != len(frames) and frames[0].video is None:
        raise UserError(
            f'{file}: framesCount is {count}, there are {counted(len(frames), "pictures")}; give '
            'all frames of the video that was labelled, or the video with --video'
        )


def _add_objects(
    builder: VideoBuilder, annotation: _Annotation, file: SourceFile, labels: set[str]
) -> None:
    """Add the masks of all objects, frame by frame."""
    report, known = builder.report, {}
    for number, raw in enumerate(listed(annotation.objects, file, 'objects')):
        with report.guard(video=builder.name):
            entry = typed(raw, _Object, file, f'objects[{number}]')
            track, label = _key(entry.key, entry.id), nfc(entry.classTitle)
            if track is None:
                rule = f'objects[{number}]: an object ({label}) without a key and an id'
                report.bad(file, rule, video=builder.name)
            elif known.setdefault(track, label if label in labels else None) is None:
                rule = f'its class {label!r} is not in meta.json'
                report.bad(file, rule, video=builder.name, track=track)
            elif known[track] != label:
                rule = (
                    f'has the class {label!r}, and {known[track]!r} before; an object has one class'
                )
                report.bad(file, rule, video=builder.name, track=track)
    with_figures = set()
    for number, raw in enumerate(listed(annotation.frames, file, 'frames')):
        with report.guard(video=builder.name):
            frame = typed(raw, _Frame, file, f'frames[{number}]')
            field = f'frames[{number}].figures'
            for raw_figure in listed(frame.figures, file, field):
                with report.guard(video=builder.name, frame=frame.index):
                    figure = typed(raw_figure, Figure, file, field)
                    with_figures.add(_key(figure.objectKey, figure.objectId))
                    _add_figure(builder, figure, frame.index, file, known)
    for track, label in known.items():
        if label is not None and track not in with_figures:
            report.bad(file, 'has no figure in any frame', video=builder.name, track=track)


def _add_figure(
    builder: VideoBuilder,
    figure: Figure,
    frame: int,
    file: SourceFile,
    known: dict[str, str | None],
) -> None:
    track = _key(figure.objectKey, figure.objectId)
    where = dict(video=builder.name, track=track, frame=frame)
    if figure.kind in LINES:
        builder.report.ignore(figure.kind)
    elif track is None:
        builder.report.bad(file, 'a figure without an objectKey and an objectId', **where)
    elif track not in known:
        builder.report.bad(file, 'a figure of an object that is not in objects', **where)
    elif known[track] is not None:
        try:
            rle = figure_code(figure, builder.height, builder.width)
        except ValueError as error:
            builder.report.bad(file, str(error), **where)
        else:
            builder.add(track, known[track], frame, rle, file=file)


def _key(key: str | None, id_: int | None) -> str | None:
    """What an object is known by; None if nothing says it."""
    return str(id_) if key is None and id_ is not None else key
