"""Random videos with labelled objects, and labels as what they mean."""

import numpy as np
import pytest
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from mmvseg.errors import UserError
from mmvseg.formats.labels.footage import Footage
from mmvseg.formats.labels.importers import importer
from mmvseg.formats.labels.options import ImportOptions
from mmvseg.formats.labels.outlines import encode
from mmvseg.formats.labels.records import Frame, LabelClass, LabelledObject, LabelledVideo
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import Source

CLASSES = [LabelClass(name, id_) for id_, name in ((3, 'traffic light'), (1, 'Straße'), (7, 'x'))]


@st.composite
def labelled_videos(draw, overlaps=False, max_objects=4):
    """One to three small videos, whose objects have random masks; some frames have none."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    videos = []
    for number in range(draw(st.integers(1, 3))):
        height, width, length = rng.integers(1, [12, 12, 6])
        count = rng.integers(1, max_objects, endpoint=True)
        if overlaps:
            masks = rng.random((count, length, height, width)) < 0.3
        else:
            ids = rng.integers(0, count, (length, height, width), endpoint=True)
            masks = ids == np.arange(1, count + 1)[:, None, None, None]
        masks &= rng.random((count, length, 1, 1)) < 0.7
        masks &= rng.random((length, 1, 1)) < 0.9
        objects = [
            LabelledObject(
                str(track),
                CLASSES[rng.integers(len(CLASSES))].name,
                [encode(frame) if frame.any() else None for frame in tube],
            )
            for track, tube in enumerate(masks, start=1)
            if tube.any()
        ]
        frames = [Frame(f'{place:05d}.jpg') for place in range(length)]
        videos.append(LabelledVideo(f'video {number}', height, width, frames, objects))
    return videos


def read_labels(format_, path, report=None, frames=None, **options):
    """Classes and videos of files, as an importer gives them; those left out are not among them."""
    source = Source(path)
    footage = Footage(source, frames and Source(frames))
    labels = importer(format_).read(
        source, ImportOptions(footage, **options), report or ImportReport()
    )
    videos = [pending.read() for pending in labels.videos]
    return labels.classes, [video for video in videos if video is not None]


def refused(format_, path, message, **options):
    """What is broken stops an import, and is left out with --skip-bad: the videos without it."""
    with pytest.raises(UserError, match=message):
        read_labels(format_, path, **options)
    report = ImportReport(skip_bad=True)
    _, videos = read_labels(format_, path, report, **options)
    assert len(report.left_out) == 1
    return videos


def meaning(video):
    """Name, size, frames and objects of a video; what the objects are called does not count."""
    return video.name, (video.height, video.width), len(video.frames), objects_of(video)


def objects_of(video):
    """Class and masks of each object, in an order of their own."""
    return sorted((labelled.label, *map(pixels, labelled.rles)) for labelled in video.objects)


def pixels(rle):
    """The pixels of a mask as bytes, none if there is no mask."""
    return b'' if rle is None else coco_mask.decode([rle])[..., 0].tobytes()
