"""Id masks: grey or palette PNGs whose values are objects, with a table of their classes.

``images/<video>/<frame>.<suffix>``, ``masks/<video>/<frame>.png`` and ``classes.csv`` (``video``,
``id``, ``class``; an empty video stands for all) or ``classes.json``. A value is the same object
over its video; 0 is none.
"""

import csv
from collections.abc import Iterator
from functools import partial
from io import TextIOWrapper
from itertools import chain

import numpy as np

from mmvseg.errors import UserError
from mmvseg.formats.json_files import decode_json
from mmvseg.media.images import png_header, read_index_map, read_segment_map

from .frame_numbers import placed_masks
from .mask_layout import joined, note_unmasked
from .options import ImportOptions
from .outlines import value_masks
from .records import LabelClass, LabelledVideo, Labels, PendingVideo
from .report import ImportReport
from .sources import Source, SourceFile, nfc
from .video_builder import VideoBuilder

OPTIONS = frozenset({'rgb_ids'})

#: Class of each object of a video; the empty video stands for all.
ClassTable = dict[str, dict[int, str]]


def recognises(source: Source) -> bool:
    """Whether there is a table of classes beside folders of masks."""
    return any(any(source.within(joined(f.folder, 'masks'))) for f in _table_files(source))


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    files = _table_files(source)
    if not files:
        raise UserError(
            f'{source.path}: no classes.csv or classes.json, which says what the values of the '
            'masks are (header video,id,class)'
        )
    tables = [_read_json(f) if f.suffix == '.json' else _read_csv(f) for f in files]
    names = dict.fromkeys(
        label for table in tables for objects in table.values() for label in objects.values()
    )
    options.footage.leave_out([joined(file.folder, 'masks') for file in files])
    readers = [
        _Reader(source, file, table, options, report)
        for file, table in zip(files, tables, strict=True)
    ]
    videos = chain.from_iterable(reader.videos() for reader in readers)
    return Labels([LabelClass(name) for name in names], videos)


def _table_files(source: Source) -> list[SourceFile]:
    """The table at the top; else those below, one in each archive of a folder of such."""
    for name in ('classes.csv', 'classes.json'):
        if name in source.files:
            return [source.files[name]]
        if files := source.called(name):
            return files
    return []


def _read_csv(file: SourceFile) -> ClassTable:
    table: ClassTable = {}
    try:
        with TextIOWrapper(file.open(), 'utf-8-sig', newline='') as text:
            for line, row in enumerate(csv.DictReader(text), start=2):
                _add_row(table, row, f'{file}: line {line}')
    except (UnicodeError, csv.Error) as error:
        raise UserError(f'{file}: is no text in UTF-8 of comma-separated values') from error
    return table


def _add_row(table: ClassTable, row: dict[str, str | None], where: str) -> None:
    try:
        video, id_, name = row['video'], int(row['id']), nfc(row['class'])
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(
            f'{where}: must have video, id and class, the id a number; the header is video,id,class'
        ) from error
    if not name:
        raise UserError(f'{where}: the class of id {id_} has no name')
    known = table.setdefault(nfc(video or ''), {}).setdefault(id_, name)
    if known != name:
        raise UserError(f'{where}: id {id_} is {name!r}, and {known!r} before')


def _read_json(file: SourceFile) -> ClassTable:
    content = decode_json(file.read_bytes(), file)
    try:
        return {
            nfc(video): {int(id_): _named(name) for id_, name in objects.items()}
            for video, objects in content.items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(f'{file}: must be {{video: {{id: class}}}}, classes with a name') from error


def _named(text: str) -> str:
    if not text:
        raise ValueError
    return nfc(text)


class _Reader:
    """Reads the videos, and knows which of their ids there are.

    Args:
        source: the files.
        file: the table.
        table: its content.
        options: see the package.
        report: see the package.
    """

    def __init__(
        self,
        source: Source,
        file: SourceFile,
        table: ClassTable,
        options: ImportOptions,
        report: ImportReport,
    ) -> None:
        self.source, self.file, self.table = source, file, table
        self.options, self.report = options, report
        self._unseen = {video: set(objects) for video, objects in table.items()}

    def videos(self) -> Iterator[PendingVideo]:
        """The videos, each with a folder of masks.

        Raises:
            UserError: there are none.
        """
        root = joined(self.file.folder, 'masks')
        masks = {
            folder.removeprefix(root).strip('/'): pngs
            for folder in self.source.picture_folders()
            if f'{folder}/'.startswith(f'{root}/')
            and (pngs := [f for f in self.source.pictures(folder) if f.suffix == '.png'])
        }
        if not masks:
            raise UserError(f'{self.file}: there are no PNGs in masks/<video> beside it')
        note_unmasked(self.source, joined(self.file.folder, 'images'), masks, self.report)
        read: list[str] = []
        for below, pngs in masks.items():
            name = below or self.file.folder.rpartition('/')[2] or self.source.path.resolve().stem
            yield PendingVideo(name, partial(self._read, name, below, pngs, read))
        if len(read) == len(masks):  # of videos that an earlier run has read, nothing is known
            for name in list(self._unseen):
                self._note_unseen(name)

    def _read(
        self, name: str, below: str, masks: list[SourceFile], read: list[str]
    ) -> LabelledVideo | None:
        read.append(name)
        size, read_map = None, read_segment_map if self.options.rgb_ids else read_index_map
        with self.report.guard(video=name):
            self._check_kind(masks[0])
            frames = self.options.footage.frames(joined(self.file.folder, 'images', below), name)
            frames, places = placed_masks(masks, frames, name, self.report, fill_gaps=False)
            size = self.options.footage.size(frames) or read_map(masks[0]).shape
        if size is None:
            return None
        builder = VideoBuilder(name, size, frames, self.report, self.file)
        for mask, place in zip(masks, places, strict=True):
            if place is None:
                self.report.bad(mask, 'there is no picture of this frame', video=name)
                continue
            with self.report.guard(video=name, frame=place):
                self._add(builder, read_map(mask, size), place, mask)
        self._note_unseen(name)
        return builder.video()

    def _check_kind(self, mask: SourceFile) -> None:
        with mask.open() as stream:
            header = png_header(stream.read(64))
        if header and header.kind == 'RGB 8 bit' and not self.options.rgb_ids:
            raise UserError(
                f'{mask}: has colours; --rgb-ids takes them as numbers, R + 256 G + 65536 B'
            )

    def _add(self, builder: VideoBuilder, ids: np.ndarray, place: int, mask: SourceFile) -> None:
        own, common = (self.table.get(video, {}) for video in (builder.name, ''))
        for value, rle in value_masks(ids):
            video = builder.name if value in own else ''
            self._unseen.get(video, set()).discard(value)
            if (label := own.get(value, common.get(value))) is not None:
                builder.add(str(value), label, place, rle, file=mask)
            else:
                rule = f'the value has no class in {self.file.base}'
                self.report.bad(mask, rule, video=builder.name, track=value, frame=place)

    def _note_unseen(self, video: str) -> None:
        if unseen := self._unseen.pop(video, None):
            where = f'video {video}' if video else 'all videos'
            ids = ', '.join(map(str, sorted(unseen)))
            self.report.note(f'{self.file}: of {where}, these ids are in no mask: {ids}')
