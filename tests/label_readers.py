"""Reading labels by an importer alone, without writing a data set."""

import json
from types import SimpleNamespace

import numpy as np
from pycocotools import mask as coco_mask

from mmvseg.formats.labels.footage import Footage
from mmvseg.formats.labels.importers import importer
from mmvseg.formats.labels.options import ImportOptions
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import Source


def read_labels(name, path, *, skip_bad=False, frames=None, videos=None, **options):
    """What an importer makes of a path: classes, videos by name, and the report."""
    source, report = Source(path), ImportReport(skip_bad)
    footage = Footage(source, frames and Source(frames), videos and Source(videos))
    labels = importer(name).read(source, ImportOptions(footage, **options), report)
    videos = [video for pending in labels.videos if (video := pending.read()) is not None]
    return SimpleNamespace(
        classes=labels.classes and {one.name: one.id for one in labels.classes},
        extra=labels.classes and {one.name: one.extra for one in labels.classes},
        videos={video.name: video for video in videos},
        left_out=report.left_out,
        notes=report.notes,
        ignored=report.ignored,
    )


def write_json(path, content):
    """Write a json file, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding='utf-8')
    return path


def block(top, left, bottom, right, size=(8, 12)):
    """A mask of a rectangle, (H, W) bool."""
    mask = np.zeros(size, bool)
    mask[top:bottom, left:right] = True
    return mask


def code(mask):
    """The compressed run-length code of a mask, as json has it."""
    rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return dict(size=rle['size'], counts=rle['counts'].decode())


def runs(mask):
    """The uncompressed run-length code of a mask."""
    flat = np.concatenate([[False], mask.ravel('F')])
    changes = np.flatnonzero(np.diff(flat.astype(np.int8)))
    lengths = np.diff([0, *changes.tolist(), mask.size]).tolist()
    return dict(size=list(mask.shape), counts=lengths)


def masks(labelled):
    """The masks of an object: None where it is absent."""
    return [rle and coco_mask.decode(rle) > 0 for rle in labelled.rles]


def shown(video):
    """Class and frames of each object by its track."""
    return {
        labelled.track: (labelled.label, [i for i, rle in enumerate(labelled.rles) if rle])
        for labelled in video.objects
    }
