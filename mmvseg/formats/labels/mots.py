"""MOTS: 16-bit PNGs of class and number, or texts with a run-length code a line.

PNG: ``<video>/instances/<frame>.png`` with ``<video>/images`` and ``instances/labels.txt``
(datumaro and CVAT, which calls a task ``default``), or ``instances/<video>/<frame>.png`` (the
original). A value is ``class * 1000 + number``, 0 is none. A frame without objects may have no PNG,
so the frames are those of the pictures.

Text: ``<video>.txt`` or ``<video>/gt/gt.txt`` of lines ``frame id class height width code``. The
first frame is 0 (KITTI) or 1 (MOTSChallenge), which the pictures tell.

Class N is line N of labels.txt or of ``--classes``, else 1 is car and 2 pedestrian. Class 10 is a
region to be ignored where fewer than ten classes are named: no object, and no crowd either.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from mmvseg.errors import UserError

from . import mots_png, mots_text
from .mots_classes import ClassNumbers, declared, original_classes
from .options import ImportOptions
from .records import Labels, PendingVideo
from .report import ImportReport
from .sources import Source

OPTIONS = frozenset({'classes'})


def recognises(source: Source) -> bool:
    """Whether there are PNGs of 16 bits or a labels.txt in instances, or lines of MOTS."""
    folders = mots_png.mask_folders(source)
    if folders:
        return folders[0].table is not None or mots_png.is_deep(folders[0].masks[0])
    return mots_text.recognises(source)


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    folders, texts = mots_png.mask_folders(source), mots_text.texts(source)
    if not folders and not texts:
        raise UserError(
            f'{source.path}: no PNGs in a folder instances, and no text with lines '
            '"frame id class height width code"'
        )
    if folders and texts:
        report.note(f'{source.path}: the PNGs in instances are read, not the texts')
    options.footage.leave_out(folder.path for folder in folders)
    if options.classes is not None:
        given = ClassNumbers({c.id: c.name for c in options.classes}, '--classes')
        tables = [given] * len(folders or texts)
    else:
        tables = _tables(folders) or [ClassNumbers()] * len(folders or texts)
    classes = declared(dict.fromkeys(tables))
    return Labels(
        partial(original_classes, report=report) if classes is None else classes,
        _videos(folders, texts, tables, options, report),
    )


def _tables(folders: Sequence[mots_png.MaskFolder]) -> list[ClassNumbers]:
    """The classes of each folder of masks, by its labels.txt; none if there is no such file.

    Raises:
        UserError: some folders have one and others do not.
    """
    if not any(folder.table for folder in folders):
        return []
    known: dict[str, ClassNumbers] = {}
    for folder in folders:
        if folder.table is None:
            raise UserError(
                f'{folder.masks[0]}: there is no labels.txt, as other videos have; give the names '
                'with --classes'
            )
        if folder.table.name not in known:
            known[folder.table.name] = ClassNumbers.read(folder.table)
    return [known[folder.table.name] for folder in folders]


def _videos(
    folders: Sequence[mots_png.MaskFolder],
    texts: Sequence[mots_text.Text],
    tables: Sequence[ClassNumbers],
    options: ImportOptions,
    report: ImportReport,
) -> Iterator[PendingVideo]:
    read_video = mots_png.read_video if folders else mots_text.read_video
    for labels, classes in zip(folders or texts, tables, strict=True):
        read_it = partial(read_video, labels, classes, options.footage, report)
        yield PendingVideo(labels.name, read_it)
