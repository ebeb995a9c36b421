"""Annotations and results as files of labelling tools and of other data sets."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError
from mmvseg.files import file_errors
from mmvseg.formats.label_exports.exporters import FORMATS, exporter
from mmvseg.formats.label_exports.options import Export, ExportOptions
from mmvseg.formats.labels.records import LabelledVideo
from mmvseg.formats.labels.report import ImportReport
from mmvseg.locks import LOCK_FILE, folder_lock
from mmvseg.progress import ProgressReport

from .export_drafts import DraftChoice
from .export_sources import FrameRoot, ToExport, read_to_export

#: Options that belong to some formats only, and how they are called on the command line.
SPECIAL = dict(masks='--masks', min_iou='--min-iou', with_frames='--with-frames')
_PART = '.export'


@dataclass
class ExportRequest:
    """What to export, and how.

    Attributes:
        format: of :data:`~mmvseg.formats.label_exports.exporters.FORMATS`.
        source: annotation file, ``results.json``, or what ``mmvseg predict --json`` wrote.
        out: folder to write; new or empty.
        ann: annotation file that a ``results.json`` belongs to.
        root: folder of the frames, or the video file of one video's tracks.
        allow_outside_root: whether names and links of frames may lead out of ``root``.
        choice: which results become drafts; None: the usual ones.
        special: values of the :data:`SPECIAL` options.
    """

    format: str
    source: Path
    out: Path
    ann: Path | None = None
    root: Path | None = None
    allow_outside_root: bool = False
    choice: DraftChoice | None = None
    special: dict[str, Any] = field(default_factory=dict)


@dataclass
class Exported:
    """What was exported.

    Attributes:
        videos: number of videos.
        frames: number of frames.
        objects: number of objects by class, before what the format cannot carry is left out.
        left_out: a line for each reason why results are left out.
        report: what is to be said of the format.
    """

    videos: int
    frames: int
    objects: dict[str, int]
    left_out: list[str]
    report: ImportReport


def export_labels(request: ExportRequest) -> Exported:
    """Write annotations or results in a format of others.

    The folder has all files or, after an error, none.

    Raises:
        UserError: the input is not what it should be, the format cannot carry it, or the folder
            has something else.

    Example:
        >>> done = export_labels(ExportRequest('cvat', Path('shapes/val.json'), Path('cvat')))
        >>> done.videos, sum(done.objects.values())
        (2, 5)
        >>> sorted(path.name for path in Path('cvat').iterdir())
        ['labels.json', 'shapes_00000.zip', 'shapes_00001.zip']
    """
    options = _options(request)
    _check_empty(request.out)
    frames = FrameRoot(request.root, request.allow_outside_root)
    read = read_to_export(request.source, request.ann, frames, request.choice)
    report = ImportReport()
    with _whole_folder(request.out) as folder:
        exporter(request.format).write(_watched(read), folder, options, report)
    return Exported(read.export.count, read.frames, read.objects, read.left_out, report)


def _options(request: ExportRequest) -> ExportOptions:
    known = exporter(request.format).OPTIONS
    if unknown := [SPECIAL[key] for key in request.special if key not in known]:
        fitting = [other for other in FORMATS if request.special.keys() <= exporter(other).OPTIONS]
        raise UserError(
            f'{" ".join(unknown)}: not for {request.format}, but for {", ".join(fitting) or "none"}'
        )
    options = ExportOptions(**request.special)
    if not 0 < options.min_iou <= 1:
        raise UserError(f'--min-iou {options.min_iou:g}: must be above 0 and at most 1')
    if options.with_frames and request.root is None:
        raise UserError('--with-frames: needs --root, the folder of the frames')
    return options


def _check_empty(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UserError(f'{out}: is a file; give --out a folder')
    if out.is_dir() and any(path.name not in (_PART, LOCK_FILE) for path in out.iterdir()):
        raise UserError(f'{out}: is not empty; give --out a new folder')


@contextmanager
def _whole_folder(out: Path) -> Iterator[Path]:
    """A folder to write to, whose files are moved into ``out`` in the end."""
    part = out / _PART
    with folder_lock(out, 'give another --out'), file_errors(out):
        shutil.rmtree(part, ignore_errors=True)  # of a run that was killed
        part.mkdir()
        try:
            yield part
            for path in part.iterdir():
                path.rename(out / path.name)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _watched(read: ToExport) -> Export:
    """The export, whose videos are counted while they are written."""
    return replace(read.export, videos=_with_progress(read.export))


def _with_progress(export: Export) -> Iterator[LabelledVideo]:
    with ProgressReport('exporting', total=export.count, unit='videos') as progress:
        for video in export.videos:
            yield video
            progress.advance()
