"""Labels of other tools as a data set of ours: annotations, frames and a config that trains."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError
from mmvseg.files import SAME_COMMAND, file_errors, write_bytes
from mmvseg.formats.edits.contents import read_contents, write_contents
from mmvseg.formats.edits.split import ClassSplit, number_to_validate, split
from mmvseg.formats.labels.footage import Footage
from mmvseg.formats.labels.importers import format_names, importer, recognise
from mmvseg.formats.labels.options import ImportOptions
from mmvseg.formats.labels.records import (
    Frame,
    LabelClass,
    LabelledObject,
    LabelledVideo,
    Labels,
    class_ids,
)
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import Source
from mmvseg.formats.youtube_vis_writer import YouTubeVISJournal, annotation_lists
from mmvseg.locks import folder_lock
from mmvseg.progress import ProgressReport

from .import_config import DEFAULT_MODEL, import_config
from .import_frames import drop_bad_frames, place_frames
from .import_names import FolderNames, safe_name

ANNOTATIONS, FRAMES, CONFIG = 'annotations.json', 'frames', 'config.py'
TRAIN, VAL = 'train.json', 'val.json'
#: Options that belong to some formats only, and how they are called on the command line.
SPECIAL = dict(
    classes='--classes',
    with_confidence='--with-confidence',
    keep_crowd='--keep-crowd',
    annotated_only='--annotated-only',
    rgb_ids='--rgb-ids',
)
_CHANGED = (
    'files have changed since the import into this folder was interrupted, so all was read anew'
)
_NAMED = 'if you named the format, leave that to mmvseg, which looks at the files'
_OLD_SPLIT = (
    '{out}/train.json and {out}/val.json are of the import before, and are not used; mmvseg data '
    'split {out}/annotations.json --out {out} --overwrite makes them anew'
)


@dataclass
class ImportRequest:
    """What to import, and how.

    Attributes:
        source: folder, zip archive or file of the labels.
        out: folder to write.
        format: of :func:`~mmvseg.formats.labels.importers.format_names`; None recognises it.
        frames: folder or archive of the frames, if they are not beside the labels.
        videos: video file or a folder of such, whose frames are extracted.
        copy: copy frames instead of linking them.
        skip_bad: leave out what is broken and go on.
        overwrite: replace an import that is there.
        model: name of the config that the new one inherits from.
        val: videos to hold back for validation, their number or their share below 1; None writes
            one file of all.
        special: values of the :data:`SPECIAL` options.
    """

    source: Path
    out: Path
    format: str | None = None
    frames: Path | None = None
    videos: Path | None = None
    copy: bool = False
    skip_bad: bool = False
    overwrite: bool = False
    model: str = DEFAULT_MODEL
    val: int | Fraction | None = None
    special: dict[str, Any] = field(default_factory=dict)


@dataclass
class Imported:
    """What was imported.

    Attributes:
        format: of the labels.
        videos: number of videos.
        frames: number of frames.
        objects: number of objects of each class, in the order of the file.
        pictures: number of frames that have a picture.
        parts: where the objects of each class went, if videos were held back.
        report: what is to be said of the labels.
    """

    format: str
    videos: int
    frames: int
    objects: dict[str, int]
    pictures: int
    report: ImportReport
    parts: list[ClassSplit] | None = None


def import_labels(
    request: ImportRequest, on_format: Callable[[str], object] = lambda name: None
) -> Imported:
    """Read labels and write a data set in the form of YouTube-VIS.

    An import that was interrupted goes on when it is started again.

    Args:
        request: what to import, and how.
        on_format: called with the name of the format, if it had to be recognised.

    Raises:
        UserError: the labels are of no known format or broken, an option does not belong to them,
            or the folder has something else.

    Example:
        >>> from mmvseg.apis.export_labels import ExportRequest, export_labels
        >>> frames = Path('shapes/val/JPEGImages')
        >>> request = ExportRequest('davis', Path('shapes/val.json'), Path('davis'), root=frames)
        >>> request.special['with_frames'] = True
        >>> export_labels(request).videos  # PNGs, as if labelled elsewhere
        2
        >>> found = import_labels(ImportRequest(Path('davis'), Path('mine')))
        >>> found.format, found.videos, sum(found.objects.values())
        ('davis', 2, 5)
        >>> sorted(path.name for path in Path('mine').iterdir())
        ['annotations.json', 'config.py', 'frames']
    """
    source = Source(request.source)
    name = request.format
    if name is None:
        on_format(name := recognise(source))
    _check_special(name, request.special)
    config = import_config(request.out, name, request.model, request.val is not None)
    frames, videos = (path and Source(path) for path in (request.frames, request.videos))
    options = ImportOptions(Footage(source, frames, videos), **request.special)
    progress = ProgressReport('importing', unit='shapes and frames')
    report = ImportReport(request.skip_bad, on_mask=progress.advance)
    target = request.out / ANNOTATIONS
    with folder_lock(request.out, 'give another --out'), file_errors(request.out, SAME_COMMAND):
        if target.exists() and not request.overwrite:
            raise UserError(f'{target}: is there already; --overwrite replaces it')
        sources = [each for each in (source, frames, videos) if each is not None]
        version = ' '.join(each.version(request.out) for each in sources)
        journal = YouTubeVISJournal(target, _purpose(name, request), version, request.overwrite)
        if journal.is_outdated:
            report.note(_CHANGED)
        with progress:
            labels = importer(name).read(source, options, report)
            _take_videos(labels, journal, report, request, progress.advance)
        result, classes = _summarise(name, request.source, labels, journal, report)
        if request.val is not None:
            # now, so that the same command with another size goes on
            number_to_validate(request.val, result.videos, '--val')
        journal.finish(_entries(classes))
        if request.val is not None:
            parts = split(read_contents(target), request.val, seed=0)
            write_contents({request.out / TRAIN: parts.train, request.out / VAL: parts.val})
            result.parts = parts.classes
        elif (request.out / VAL).exists():
            report.note(_OLD_SPLIT.format(out=request.out))
        write_bytes(request.out / CONFIG, config.encode())
    return result


def _check_special(name: str, special: dict[str, Any]) -> None:
    unknown = [SPECIAL[key] for key in special if key not in importer(name).OPTIONS]
    if unknown:
        fitting = [other for other in format_names() if special.keys() <= importer(other).OPTIONS]
        raise UserError(
            f'{" ".join(unknown)}: not for labels of {name}, but of {", ".join(fitting) or "none"}'
        )


def _purpose(name: str, request: ImportRequest) -> dict[str, Any]:
    """What an import that goes on must have in common with the one before."""
    paths = dict(source=request.source, frames=request.frames, videos=request.videos)
    absolute = {key: path and str(path.resolve()) for key, path in paths.items()}
    special = {key: repr(value) for key, value in sorted(request.special.items())}
    # --skip-bad may come later: what was finished without it had nothing to leave out
    return dict(format=name, special=special, **absolute)


def _take_videos(
    labels: Labels,
    journal: YouTubeVISJournal,
    report: ImportReport,
    request: ImportRequest,
    on_frame: Callable[[], None],
) -> None:
    folders = FolderNames()
    for number, pending in enumerate(labels.videos):
        key, folder = f'{number} {pending.name}', folders.take(pending.name)
        if key in journal.finished:
            continue
        before = len(report.left_out), Counter(report.ignored), len(report.notes)
        video = pending.read()
        if video is None:
            continue
        video.frames = [replace(frame, name=_frame_name(frame)) for frame in video.frames]
        drop_bad_frames(video, report)
        if not video.frames:
            report.bad(str(request.source), 'no frame is left', video=video.name)
            continue
        place_frames(video, request.out / FRAMES / folder, request.copy, on_frame)
        journal.add(
            key,
            _video_entry(video, folder),
            [_object_entry(labelled) for labelled in video.objects],
            left_out=report.left_out[before[0] :],
            ignored=report.ignored - before[1],
            notes=report.notes[before[2] :],
            pictures=sum(bool(frame.picture or frame.video) for frame in video.frames),
        )


def _frame_name(frame: Frame) -> str:
    return safe_name(frame.name.replace('\\', '/').rpartition('/')[2]) or 'frame'


def _video_entry(video: LabelledVideo, folder: str) -> dict[str, Any]:
    return dict(
        name=video.name,
        height=video.height,
        width=video.width,
        length=len(video.frames),
        file_names=[f'{folder}/{frame.name}' for frame in video.frames],
        **video.extra,
    )


def _object_entry(labelled: LabelledObject) -> dict[str, Any]:
    return dict(
        track=labelled.track,
        category=labelled.label,
        iscrowd=int(labelled.is_crowd),
        **annotation_lists(labelled.rles),
        **labelled.extra,
    )


def _summarise(
    name: str, source: Path, labels: Labels, journal: YouTubeVISJournal, report: ImportReport
) -> tuple[Imported, list[LabelClass]]:
    """Count what is in the journal, and take what was said of its videos in earlier runs, too."""
    videos = frames = pictures = 0
    objects: Counter[str] = Counter()
    said, ignored, notes = dict.fromkeys(report.left_out), Counter(), dict.fromkeys(report.notes)
    for line in journal.lines():
        videos += 1
        frames += line['video']['length']
        pictures += line['pictures']
        objects.update(entry['category'] for entry in line['annotations'])
        said |= dict.fromkeys(line['left_out'])
        notes |= dict.fromkeys(line['notes'])
        ignored += Counter(line['ignored'])
    report.left_out, report.notes = list(said), list(notes)
    report.ignored |= ignored
    if not videos:
        raise UserError(
            f'{source}: has no video that can be read as labels of {name}; '
            + (f'left out: {report.left_out[0]}' if report.left_out else _NAMED)
        )
    classes = _classes(labels, objects)
    result = Imported(
        format=name,
        videos=videos,
        frames=frames,
        objects={c.name: objects[c.name] for c in classes},
        pictures=pictures,
        report=report,
    )
    return result, classes


def _classes(labels: Labels, names: Iterable[str]) -> list[LabelClass]:
    """The classes, given the names that objects have."""
    if labels.classes is None:
        return [LabelClass(name) for name in sorted(names)]
    return labels.classes(names) if callable(labels.classes) else labels.classes


def _entries(classes: Sequence[LabelClass]) -> list[dict]:
    """Entries of the classes."""
    ids = class_ids(classes)
    return [dict(id=id_, name=c.name, **c.extra) for id_, c in zip(ids, classes, strict=True)]
