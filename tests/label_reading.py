"""Labels of tools, read without being written again."""

import json
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
from pycocotools import mask as coco_mask

from mmvseg.formats.labels.footage import Footage
from mmvseg.formats.labels.importers import importer
from mmvseg.formats.labels.options import ImportOptions
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import Source
from mmvseg.media.images import write_image
from mmvseg.media.video_writer import VideoWriter


def read_labels(name, path, *, skip_bad=False, frames=None, videos=None, **options):
    """What an importer makes of a path: classes, videos by name, and what is said."""
    source, report = Source(path), ImportReport(skip_bad)
    footage = Footage(source, frames and Source(frames), videos and Source(videos))
    labels = importer(name).read(source, ImportOptions(footage, **options), report)
    found = [pending.read() for pending in labels.videos]
    videos = {video.name: video for video in found if video is not None}
    classes = labels.classes
    return SimpleNamespace(
        classes=classes,
        ids=classes and {one.name: one.id for one in classes},
        extra=classes and {one.name: one.extra for one in classes},
        videos=videos,
        report=report,
        left_out=report.left_out,
        notes=report.notes,
        ignored=report.ignored,
    )


def objects_of(video):
    """Masks of the objects of a video by track, (T, H, W) bool."""
    return {labelled.track: masks_of(labelled, video) for labelled in video.objects}


def masks_of(labelled, video):
    """Masks of an object, (T, H, W) bool."""
    empty = np.zeros((video.height, video.width), bool)
    return np.stack([empty if rle is None else coco_mask.decode(rle) > 0 for rle in labelled.rles])


def picture(path, size=(20, 30)):
    """A picture of a height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, np.zeros((*size, 3), np.uint8))


def video_file(path, count, fps=10, size=(16, 32)):
    """A video of a number of frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, Fraction(fps)) as writer:
        for _ in range(count):
            writer.write(np.zeros((*size, 3), np.uint8))


def box_mask(size, x0, y0, x1, y1):
    """A mask, (H, W), of a box of pixels without its last column and row."""
    mask = np.zeros(size, bool)
    mask[y0:y1, x0:x1] = True
    return mask


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
