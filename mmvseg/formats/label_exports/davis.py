"""DAVIS: a palette PNG a frame, whose indices are objects, with the classes of YouTube-VOS.

``Annotations/480p/<video>/<frame>.png``, ``JPEGImages/480p/<video>``, the list of the videos in
``ImageSets/2017/val.txt``, and ``meta.json`` with the class of each object. The folder 480p is the
one that tools look into, whatever the size of the frames is. Objects are numbered from 1 in each
video; 255 would be void. Where objects overlap, the first is in front: of results the one of the
highest score. There is no place for crowds and scores.
"""

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmvseg.files import write_bytes
from mmvseg.formats.labels.records import LabelledObject, LabelledVideo
from mmvseg.formats.labels.report import ImportReport

from .frames import copy_frames
from .index_maps import IndexMaps, check_count, frame_stems
from .options import Export, ExportOptions

OPTIONS = frozenset({'with_frames'})

_OBJECTS = 254
_RESOLUTION = '480p'


def write(export: Export, out: Path, options: ExportOptions, report: ImportReport) -> None:
    """See the package."""
    maps, palette = IndexMaps(np.uint8, report), _palette()
    meta: dict[str, Any] = {}
    for video in export.videos:
        objects = maps.objects(video)
        check_count(video.name, '', len(objects), _OBJECTS)
        meta[video.name] = _entry(video, objects)
        numbers = range(1, len(objects) + 1)
        folder = out / 'Annotations' / _RESOLUTION / video.name
        for stem, ids in zip(frame_stems(video), maps.paint(video, objects, numbers), strict=True):
            write_bytes(folder / f'{stem}.png', _png(ids, palette))
        if options.with_frames:
            copy_frames(video, out / 'JPEGImages' / _RESOLUTION / video.name)
    maps.tell_overlaps()
    write_bytes(out / 'ImageSets' / '2017' / 'val.txt', ''.join(f'{v}\n' for v in meta).encode())
    text = json.dumps(dict(videos=meta), ensure_ascii=False, indent=1)
    write_bytes(out / 'meta.json', text.encode())


def _entry(video: LabelledVideo, objects: Sequence[LabelledObject]) -> dict[str, Any]:
    """What meta.json says of a video."""
    names = frame_stems(video)
    return dict(
        objects={
            str(number): dict(
                category=labelled.label,
                frames=[n for n, rle in zip(names, labelled.rles, strict=True) if rle is not None],
            )
            for number, labelled in enumerate(objects, start=1)
        }
    )


def _png(ids: np.ndarray, palette: bytes) -> bytes:
    image = Image.fromarray(ids)
    image.putpalette(palette)
    data = BytesIO()
    image.save(data, 'PNG')
    return data.getvalue()


def _palette() -> bytes:
    """The usual colours of indices: bits 0, 3, 6 of one are the high bits of its red, and so on."""
    index = np.arange(256)
    channels = [
        sum((index >> (3 * step + channel) & 1) << (7 - step) for step in range(3))
        for channel in range(3)
    ]
    return np.stack(channels, -1).astype(np.uint8).tobytes()
