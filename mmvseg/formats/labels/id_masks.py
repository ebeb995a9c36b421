"""Id masks: grey or palette PNGs whose values are objects, with a table of their classes.

``images/<video>/<frame>.<suffix>``, ``masks/<video>/<frame>.png`` and ``classes.csv`` (``video``,
``id``, ``class``; an empty video stands for all) or ``classes.json``. A value is the same object
over its video; 0 is none.
"""

import csv
from collections.abc import Iterator
from functools import partial
from io import TextIOWrapper

from mmvseg.errors import UserError
from mmvseg.formats.json_files import decode_json
from mmvseg.media.images import read_index_map, read_segment_map

from .frame_numbers import placed_masks
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
    options.footage.leave_out(['masks'])
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
    names = [
        folder.removeprefix('masks').strip('/')
        for folder in source.picture_folders()
        if f'{folder}/'.startswith('masks/') and _masks(source, folder)
    ]
    for name in names:
        yield PendingVideo(name, partial(_read_video, source, name, table, file, options, report))


def _masks(source: Source, folder: str) -> list[SourceFile]:
    return [file for file in source.pictures(folder) if file.suffix == '.png']


def _read_video(
    source: Source,
    name: str,
    table: ClassTable,
    file: SourceFile,
    options: ImportOptions,
    report: ImportReport,
) -> LabelledVideo | None:
    objects = table.get('', {}) | table.get(name, {})
    masks = _masks(source, '/'.join(filter(None, ('masks', name))))
    read_map, size = (read_segment_map if options.rgb_ids else read_index_map), None
    with report.guard(video=name):
        frames = options.footage.frames(f'images/{name}', name)
        frames, places = placed_masks(masks, frames, name, report, fill_gaps=False)
        size = options.footage.size(frames) or read_map(masks[0]).shape
    if size is None:
        return None
    builder, unseen = VideoBuilder(name, size, frames, report, file), set(table.get(name, {}))
    for mask, place in zip(masks, places, strict=True):
        if place is None:
            report.bad(mask, 'there is no picture of this frame', video=name)
            continue
        with report.guard(video=name, frame=place):
            for value, rle in value_masks(read_map(mask, size)):
                unseen.discard(value)
                if value in objects:
                    builder.add(str(value), objects[value], place, rle, file=mask)
                else:
                    rule = f'the value has no class in {file.base}'
                    report.bad(mask, rule, video=name, track=value, frame=place)
    if unseen:
        ids = ', '.join(map(str, sorted(unseen)))
        report.note(f'{file}: of video {name}, these ids are in no mask: {ids}')
    return builder.video()
