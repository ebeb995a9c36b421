"""MOTS: a 16-bit PNG a frame, as datumaro and CVAT read it.

``<video>/instances/<frame>.png`` with values ``class * 1000 + number``, ``instances/labels.txt``,
whose line N names class N, and ``<video>/images``. Classes are numbered in their order, objects
from 1 within their class. Every frame has a PNG. Where objects overlap, the first is in front: of
results the one of the highest score. There is no place for crowds and scores.
"""

from collections import defaultdict
from pathlib import Path

import numpy as np

from mmvseg.errors import UserError
from mmvseg.files import write_bytes
from mmvseg.formats.labels.records import LabelledVideo
from mmvseg.formats.labels.report import ImportReport
from mmvseg.media.images import write_image

from .frames import copy_frames
from .index_maps import IndexMaps, check_count, frame_stems
from .options import Export, ExportOptions

OPTIONS = frozenset({'with_frames'})

#: Objects a class: numbers have three digits, and 0 is none.
_OBJECTS = 999
#: Numbers of 16 bits are enough for so many; from ten on, 10 is a class and no ignored region.
_CLASSES = 64


def write(export: Export, out: Path, options: ExportOptions, report: ImportReport) -> None:
    """See the package."""
    if len(export.classes) > _CLASSES:
        raise UserError(
            f'{len(export.classes)} classes: MOTS has numbers for {_CLASSES}; mmvseg data subset '
            '--classes takes some of them'
        )
    names = dict.fromkeys(c.name for c in export.classes)
    numbers = {name: number for number, name in enumerate(names, start=1)}
    table = '\n'.join(' '.join(name.splitlines()) for name in names)
    maps = IndexMaps(np.uint16, report)
    for video in export.videos:
        folder = out / video.name
        write_bytes(folder / 'instances' / 'labels.txt', table.encode())
        objects = maps.objects(video)
        ids = _ids(video, [numbers[labelled.label] for labelled in objects])
        painted = maps.paint(video, objects, ids)
        for stem, values in zip(frame_stems(video), painted, strict=True):
            write_image(folder / 'instances' / f'{stem}.png', values)
        if options.with_frames:
            copy_frames(video, folder / 'images')
    maps.tell_overlaps()


def _ids(video: LabelledVideo, classes: list[int]) -> list[int]:
    """The value of each object, given the number of its class."""
    counts: defaultdict[int, int] = defaultdict(int)
    ids = []
    for number in classes:
        counts[number] += 1
        ids.append(1000 * number + counts[number])
    check_count(video.name, ' of one class', max(counts.values(), default=0), _OBJECTS)
    return ids
