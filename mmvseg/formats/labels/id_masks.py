"""Id masks: grey or palette PNGs whose values are objects, with a table of their classes.

``images/<video>/<frame>.<suffix>``, ``masks/<video>/<frame>.png`` and ``classes.csv`` (``video``,
``id``, ``class``; an empty video stands for all) or ``classes.json``. A value is the same object
over its video; 0 is none.
"""

import csv
from collections.abc import Iterator
from functools import partial
from io import TextIOWrapper

import numpy as np

from mmvseg.errors import UserError
from mmvseg.formats.json_files import decode_json
from mmvseg.media.images import read_index_map, read_segment_map

from .options import ImportOptions
from .outlines import encode
from .records import Frame, LabelClass, LabelledVideo, Labels, PendingVideo
from .report import ImportReport
from .sources import Source, SourceFile, nfc
from .video_builder import VideoBuilder

OPTIONS = frozenset({'rgb_ids'})

#: Class of each object of a video; the empty video stands for all.
ClassTable = dict[str, dict[int, str]]


def recognises(source: Source) -> bool:
    """Whether there is a table of classes beside folders of masks."""
    return _table_file(source) is not None and any(
        name.startswith('masks/') for name in source.files
    )


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    file = _table_file(source)
    if file is None:
        raise UserError(
            f'{source.path}: no classes.csv or classes.json, which says what the values of the '
            'masks are (header video,id,class)'
        )
    table = _read_json(file) if file.suffix == '.json' else _read_csv(file)
    names = dict.fromkeys(label for objects in table.values() for label in objects.values())
    classes = [LabelClass(name) for name in names]
    return Labels(classes, _videos(source, table, file, options, report))


def _table_file(source: Source) -> SourceFile | None:
    return source.get('classes.csv') or source.get('classes.json')


def _read_csv(file: SourceFile) -> ClassTable:
    table: ClassTable = {}
    with TextIOWrapper(file.open(), 'utf-8-sig', newline='') as text:
        for line, row in enumerate(csv.DictReader(text), start=2):
            try:
                video, id_, name = row['video'], int(row['id']), row['class']
            except (KeyError, ValueError, TypeError) as error:
                raise UserError(
                    f'{file}: line {line}: must have video, id and class, the id a number; the '
                    'header is video,id,class'
                ) from error
            table.setdefault(nfc(video or ''), {})[id_] = nfc(name)
    return table


def _read_json(file: SourceFile) -> ClassTable:
    content = decode_json(file.read_bytes(), file)
    try:
        return {
            nfc(video): {int(id_): nfc(name) for id_, name in objects.items()}
            for video, objects in content.items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(f'{file}: must be {{video: {{id: class}}}}') from error


def _videos(
    source: Source,
    table: ClassTable,
    file: SourceFile,
    options: ImportOptions,
    report: ImportReport,
) -> Iterator[PendingVideo]:
    folders = dict.fromkeys(f.folder for f in source.within('masks') if f.suffix == '.png')
    for folder in folders:
        name = folder.removeprefix('masks').strip('/')
        yield PendingVideo(name, partial(_read_video, source, name, table, file, options, report))


def _read_video(
    source: Source,
    name: str,
    table: ClassTable,
    file: SourceFile,
    options: ImportOptions,
    report: ImportReport,
) -> LabelledVideo:
    objects = table.get('', {}) | table.get(name, {})
    masks = {mask.stem: mask for mask in source.within(f'masks/{name}' if name else 'masks')}
    frames = options.footage.frames(f'images/{name}', name) or [
        Frame(mask.base) for mask in masks.values()
    ]
    read_map = read_segment_map if options.rgb_ids else read_index_map
    size = options.footage.size(frames) or read_map(next(iter(masks.values()))).shape
    builder, unseen = VideoBuilder(name, size, frames, report, file), set(table.get(name, {}))
    for index, frame in enumerate(frames):
        mask = masks.pop(frame.name.rpartition('.')[0], None)
        if mask is None:
            continue  # nothing is annotated
        with report.guard(video=name, frame=index):
            ids = read_map(mask, size)
            for value in np.unique(ids[ids > 0]).tolist():
                unseen.discard(value)
                if value in objects:
                    rle = encode(ids == value)
                    builder.add(str(value), objects[value], index, rle, file=mask)
                else:
                    rule = f'the value has no class in {file.base}'
                    report.bad(mask, rule, video=name, track=value, frame=index)
    for mask in masks.values():
        report.bad(mask, 'a mask without a frame', video=name)
    if unseen:
        ids = ', '.join(map(str, sorted(unseen)))
        report.note(f'{file}: of video {name}, these ids are in no mask: {ids}')
    return builder.video()
