"""CVAT: an archive a video, as "CVAT for video 1.1" exports a task.

To correct drafts, make a task of the same frames, all of them from the first on, with the labels of
``labels.json`` (its text goes into the "Raw" field of the label constructor), and choose "Upload
annotations" with the format "CVAT 1.1" and the archive of the video. Frame 0 of the file is frame 0
of the task.

* An object is a track of polygons, with a key frame wherever it is visible. Polygons have no holes:
  an object that has one in any frame goes out as masks. Parts are tracks of one label that share a
  group.
* CVAT cannot track masks, and of a track that begins with one it reads the first shape alone: each
  mask is a track of its own for one frame. The attribute ``track_id`` says which object it is.
* The importer of CVAT reads shapes with ``keyframe="1"`` only, and shows a shape until the next one
  of its track: where an object is gone, a copy says so with ``outside="1"``.
* Crowds and scores cannot be told.
"""

import json
import zipfile
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path, PurePosixPath

import numpy as np
from pycocotools import mask as coco_mask
from scipy.optimize import linear_sum_assignment

from mmvseg.errors import counted
from mmvseg.files import write_bytes
from mmvseg.formats.labels.records import LabelClass, LabelledObject, LabelledVideo
from mmvseg.formats.labels.report import ImportReport

from .cvat_xml import CvatXml, Shape, mask_shape, polygon_shape
from .frames import frame_contents
from .numbers import MAX_NUMBER, object_numbers
from .options import Export, ExportOptions
from .polygons import CORNERS, outlines

OPTIONS = frozenset({'masks', 'min_iou', 'with_frames'})

#: Name of the attribute that says which object a mask is of.
TRACK_ID = 'track_id'

#: Outline of a part in each frame, (P, 2), None where it is absent.
Part = list[np.ndarray | None]


def write(export: Export, out: Path, options: ExportOptions, report: ImportReport) -> None:
    """See the package."""
    with_hole = 0
    write_bytes(out / 'labels.json', json.dumps(_constructor(export.classes), indent=1).encode())
    for number, video in enumerate(export.videos, start=1):
        path = out / f'{video.name}.zip'
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
            # without a date, so that equal exports are equal files
            info = zipfile.ZipInfo('annotations.xml')
            info.compress_type = zipfile.ZIP_DEFLATED
            member = archive.open(info, 'w', force_zip64=True)
            with TextIOWrapper(member, 'utf-8', newline='\n') as text:
                with_hole += _write_xml(
                    CvatXml(text), video, number, export.classes, options, report
                )
            if options.with_frames:
                _write_frames(archive, video)
    if with_hole:
        report.note(f'{counted(with_hole, "objects")} with a hole in some frame: written as masks')


def _constructor(classes: Sequence[LabelClass]) -> list[dict]:
    """The labels, as the constructor of a task takes them."""
    attribute = dict(
        name=TRACK_ID,
        mutable=False,
        input_type='number',
        default_value='0',
        values=['0', str(MAX_NUMBER), '1'],
    )
    return [dict(name=c.name, type='any', attributes=[attribute]) for c in classes]


def _write_frames(archive: zipfile.ZipFile, video: LabelledVideo) -> None:
    numbers = {frame.name: number for number, frame in enumerate(video.frames)}
    for frame, content in frame_contents(video):
        suffix = PurePosixPath(frame.name).suffix
        info = zipfile.ZipInfo(f'images/frame_{numbers[frame.name]:06d}{suffix}')
        archive.writestr(info, content, zipfile.ZIP_STORED)


def _write_xml(
    xml: CvatXml,
    video: LabelledVideo,
    number: int,
    classes: Sequence[LabelClass],
    options: ExportOptions,
    report: ImportReport,
) -> int:
    """Write a video; returns the number of objects that became masks because of a hole."""
    xml.begin(video, number, _constructor(classes))
    objects = [labelled for labelled in video.objects if not labelled.is_crowd]
    if len(objects) < len(video.objects):
        report.ignore('crowd', len(video.objects) - len(objects))
    with_hole = 0
    # group 0 is none, and track_id 0 is what nobody has set
    numbers = object_numbers(objects, least=1)
    for order, (id_, labelled) in enumerate(zip(numbers, objects, strict=True)):
        tracks = None if options.masks else _polygon_tracks(labelled, options.min_iou)
        with_hole += tracks is None and not options.masks
        group = id_ if tracks is not None and len(tracks) > 1 else 0
        for shapes in _mask_tracks(labelled) if tracks is None else tracks:
            closed = _closed(shapes, len(video.frames))
            # the first lies in front, as the one of the highest score
            z_order = len(objects) - order - 1
            xml.track(labelled.label, closed, {TRACK_ID: id_}, z_order, group)
    xml.end()
    return with_hole


def _closed(shapes: Sequence[Shape], length: int) -> Iterator[Shape]:
    """Shapes of a track, with a copy that says so wherever it is gone."""
    frames = {shape.frame for shape in shapes}
    for shape in shapes:
        yield shape
        if shape.frame + 1 < length and shape.frame + 1 not in frames:
            yield shape.gone(shape.frame + 1)


def _mask_tracks(labelled: LabelledObject) -> Iterator[list[Shape]]:
    for frame, rle in enumerate(labelled.rles):
        if rle is not None:
            yield [mask_shape(frame, coco_mask.decode(rle) > 0)]


def _polygon_tracks(labelled: LabelledObject, min_iou: float) -> list[list[Shape]] | None:
    """A track for each part of an object, None if the object has a hole."""
    parts: list[Part] = []
    for frame, rle in enumerate(labelled.rles):
        found = [] if rle is None else outlines(coco_mask.decode(rle) > 0, CORNERS, min_iou)
        if any(part.holes for part in found):
            return None
        _continue_parts(parts, [part.outer for part in found], frame, len(labelled.rles))
    return [
        [polygon_shape(frame, ring) for frame, ring in enumerate(part) if ring is not None]
        for part in parts
    ]


def _continue_parts(
    parts: list[Part], rings: Sequence[np.ndarray], frame: int, length: int
) -> None:
    """Give the outlines of a frame to the parts that were last seen nearest."""
    last = [next(ring for ring in reversed(part[:frame]) if ring is not None) for part in parts]
    distances = np.array([[np.hypot(*(a.mean(0) - b.mean(0))) for b in rings] for a in last])
    chosen = linear_sum_assignment(distances) if distances.size else ((), ())
    for part, ring in zip(*chosen, strict=True):
        parts[part][frame] = rings[ring]
    for ring in sorted(set(range(len(rings))) - {*map(int, chosen[1])}):
        parts.append([None] * length)
        parts[-1][frame] = rings[ring]
