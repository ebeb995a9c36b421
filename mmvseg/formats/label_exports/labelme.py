"""labelme: a folder a video, with a json for each frame, to lie beside its picture.

labelme looks for the picture beside the json: write the frames, too, or copy the json files into
the folders of the frames. It shows frames in the order of their names.

* An object has its label and one ``group_id`` in all frames; parts of it are several shapes.
* Points of polygons are pixel indices, and the outline belongs to the object. A polygon has no
  hole: an object that has one in a frame is a mask there.
* Crowds and scores cannot be told.
"""

import base64
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from mmvseg.errors import UserError
from mmvseg.files import write_bytes
from mmvseg.formats.labels.records import LabelledObject, LabelledVideo
from mmvseg.formats.labels.report import ImportReport
from mmvseg.media.names import natural_key

from .frames import copy_frames
from .numbers import object_numbers
from .options import Export, ExportOptions
from .polygons import PIXELS, outlines

OPTIONS = frozenset({'masks', 'min_iou', 'with_frames'})

#: Of labelme, whose fields these are.
_VERSION = '6.3.1'


def write(export: Export, out: Path, options: ExportOptions, report: ImportReport) -> None:
    """See the package."""
    for video in export.videos:
        folder = out / video.name
        _check_names(video, report)
        folder.mkdir(parents=True, exist_ok=True)
        objects = [labelled for labelled in video.objects if not labelled.is_crowd]
        if len(objects) < len(video.objects):
            report.ignore('crowd', len(video.objects) - len(objects))
        numbers = object_numbers(objects)
        for index, frame in enumerate(video.frames):
            page = dict(
                version=_VERSION,
                flags={},
                shapes=[
                    shape
                    for number, labelled in zip(numbers, objects, strict=True)
                    for shape in _shapes(labelled, index, number, options)
                ],
                imagePath=frame.name,
                imageData=None,
                imageHeight=video.height,
                imageWidth=video.width,
            )
            path = folder / f'{PurePosixPath(frame.name).stem}.json'
            write_bytes(path, msgspec.json.encode(page))
        if options.with_frames:
            copy_frames(video, folder)


def _check_names(video: LabelledVideo, report: ImportReport) -> None:
    names = [frame.name for frame in video.frames]
    stems = [PurePosixPath(name).stem for name in names]
    if len(set(stems)) < len(stems):
        (double, _), *_ = Counter(stems).most_common(1)
        raise UserError(
            f'video {video.name}: two frames are called {double}, and labelme has one json for '
            'both; rename the pictures'
        )
    if names != sorted(names, key=natural_key):
        report.note(
            f'video {video.name}: its frames are not in the order of their names, in which '
            'labelme shows them'
        )


def _shapes(
    labelled: LabelledObject, frame: int, number: int, options: ExportOptions
) -> Iterator[dict[str, Any]]:
    """What an object is in a frame: polygons, or a mask where it has a hole or masks are wanted."""
    if labelled.rles[frame] is None:
        return
    mask = coco_mask.decode(labelled.rles[frame]) > 0
    parts = [] if options.masks else outlines(mask, PIXELS, options.min_iou)
    if not parts or any(part.holes for part in parts):
        yield _shape(labelled.label, number, 'mask', *_boxed(mask))
        return
    for part in parts:
        yield _shape(labelled.label, number, 'polygon', part.outer)


def _shape(
    label: str, number: int, kind: str, points: np.ndarray, mask: str | None = None
) -> dict[str, Any]:
    return dict(
        label=label,
        points=points.astype(float).tolist(),
        group_id=number,
        description='',
        shape_type=kind,
        flags={},
        mask=mask,
    )


def _boxed(mask: np.ndarray) -> tuple[np.ndarray, str]:
    """First and last pixel of a mask, (2, 2), and what lies between them as a PNG in base64."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    corners = np.array([[columns[0], rows[0]], [columns[-1], rows[-1]]])
    (x0, y0), (x1, y1) = corners.tolist()
    data = BytesIO()
    Image.fromarray(mask[y0 : y1 + 1, x0 : x1 + 1]).save(data, 'PNG')
    return corners, base64.b64encode(data.getvalue()).decode()
