"""Random scenes as id masks, MOTS texts and SA-V: what is read is what was written."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from pycocotools import mask as coco_mask
from random_labels import CLASSES, labelled_videos, meaning, objects_of, read_labels

from mmvseg.formats.labels.outlines import encode
from mmvseg.media.images import write_image

NUMBERS = {c.name: c.id for c in CLASSES}


def pictures(videos, root):
    for video in videos:
        for frame in video.frames:
            path = root / video.name / frame.name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, np.zeros((video.height, video.width, 3), np.uint8))


def as_masks(videos, root):
    """Values of 16 bits; every other frame without an object has no PNG."""
    rows = ['video,id,class']
    pictures(videos, root / 'images')
    for video in videos:
        folder = root / 'masks' / video.name
        folder.mkdir(parents=True)
        rows += [f'{video.name},{300 + int(o.track)},{o.label}' for o in video.objects]
        for place, frame in enumerate(video.frames):
            ids = np.zeros((video.height, video.width), np.uint16)
            for labelled in video.objects:
                if labelled.rles[place]:
                    ids[decode(labelled.rles[place])] = 300 + int(labelled.track)
            if place % 2 == 0 or ids.any():
                write_image(folder / f'{Path(frame.name).stem}.png', ids)
    (root / 'classes.csv').write_text('\n'.join(rows), encoding='utf-8')


def as_text(videos, root):
    pictures(videos, root / 'images')
    (root / 'txt').mkdir()
    for video in videos:
        lines = []
        for place in range(len(video.frames)):
            for labelled in video.objects:
                if rle := labelled.rles[place]:
                    number = NUMBERS[labelled.label]
                    size = f'{video.height} {video.width}'
                    id_ = 1000 * number + int(labelled.track)
                    lines.append(f'{place} {id_} {number} {size} {rle["counts"].decode()}')
        (root / 'txt' / f'{video.name}.txt').write_text('\n'.join(lines))
    # one that says that these are texts of MOTS, also where no video has an object
    code = encode(np.ones((1, 1)))['counts'].decode()
    (root / 'txt/extra.txt').write_text(f'0 1001 1 1 1 {code}')


def as_masklets(videos, root):
    for video in videos:
        empty = encode(np.zeros((video.height, video.width)))
        frames = [
            [rle_text(labelled.rles[place] or empty) for labelled in video.objects]
            for place in range(len(video.frames))
        ]
        content = dict(
            video_height=float(video.height),
            video_width=float(video.width),
            masklet_id=[float(labelled.track) for labelled in video.objects],
            masklet=frames,
        )
        (root / f'{video.name}_manual.json').write_text(json.dumps(content))


def as_folders(videos, root):
    """A folder an object."""
    for video in videos:
        for labelled in video.objects:
            folder = root / 'Annotations_6fps' / video.name / f'{int(labelled.track):03d}'
            folder.mkdir(parents=True)
            for place, rle in enumerate(labelled.rles):
                mask = np.zeros((video.height, video.width), np.uint8)
                if rle:
                    mask[decode(rle)] = 1
                write_image(folder / f'{4 * place:05d}.png', mask)


def decode(rle):
    return coco_mask.decode([rle])[..., 0] > 0


def rle_text(rle):
    return dict(size=rle['size'], counts=rle['counts'].decode())


@pytest.mark.parametrize('write', [as_masks, as_text])
@settings(max_examples=8, deadline=None)
@given(videos=labelled_videos())
def test_maps_and_texts(write, videos):
    name, options = 'masks', {}
    if write is as_text:
        name, options = 'mots', dict(classes=CLASSES)
    with TemporaryDirectory() as folder:
        write(videos, Path(folder))
        classes, found = read_labels(name, Path(folder), **options)
    assert [meaning(v) for v in found if v.name != 'extra'] == [meaning(v) for v in videos]
    assert {o.label for v in videos for o in v.objects} <= {c.name for c in classes}


@pytest.mark.parametrize('write', [as_masklets, as_folders])
@settings(max_examples=8, deadline=None)
@given(videos=labelled_videos(overlaps=True))
def test_objects_that_overlap(write, videos):
    videos = [video for video in videos if video.objects]
    for video in videos:
        for labelled in video.objects:
            labelled.label = 'object'
    with TemporaryDirectory() as folder:
        write(videos, Path(folder))
        found = read_labels('sam', Path(folder))[1] if videos else []
    assert [objects_of(v) for v in found] == [objects_of(v) for v in videos]
    assert [len(v.frames) for v in found] == [len(v.frames) for v in videos]
