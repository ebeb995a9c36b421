"""Random scenes, written in the json forms and as bit masks, are read as they were."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from label_reading import code, masks, read_labels, runs, write_json
from PIL import Image

from mmvseg.formats.label_exports.coco import write
from mmvseg.formats.label_exports.options import Export, ExportOptions
from mmvseg.formats.labels.outlines import encode
from mmvseg.formats.labels.records import Frame, LabelClass, LabelledObject, LabelledVideo
from mmvseg.formats.labels.report import ImportReport

NAMES = ['car', 'Fußgänger', 'traffic light']
SIZE, LENGTH = (5, 7), 3
a_few = settings(max_examples=15, deadline=None)

tube = st.lists(arrays(bool, SIZE), min_size=LENGTH, max_size=LENGTH).filter(
    lambda tube: any(mask.any() for mask in tube)
)
objects = st.lists(st.tuples(st.sampled_from(NAMES), tube), max_size=3)
scenes = st.lists(objects, min_size=1, max_size=3).filter(any)


def found_in(videos):
    """Class and masks of the objects of each video, in an order that does not tell."""
    return [
        sorted((one.label, [_rows(mask) for mask in masks(one)]) for one in video.objects)
        for video in videos.values()
    ]


def meant(scene):
    return [
        sorted((name, [_rows(mask) for mask in tube]) for name, tube in video) for video in scene
    ]


def _rows(mask):
    return mask.tolist() if mask is not None and mask.any() else []


def read(name, write_to, **options):
    with tempfile.TemporaryDirectory() as folder:
        write_to(Path(folder))
        return read_labels(name, folder, **options)


def export_of(scene):
    classes = [LabelClass(name, id_) for id_, name in enumerate(NAMES, start=4)]
    videos = []
    for number, video in enumerate(scene):
        frames = [Frame(f'{i}.jpg', index=i) for i in range(LENGTH)]
        labelled = [
            LabelledObject(str(i), name, [encode(m) if m.any() else None for m in tube])
            for i, (name, tube) in enumerate(video)
        ]
        videos.append(LabelledVideo(f'v{number}', *SIZE, frames, labelled))
    return Export(classes, iter(videos), len(videos))


@given(scenes)
@a_few
def test_coco(scene):
    def write_to(folder):
        write(export_of(scene), folder, ExportOptions(), ImportReport())

    found = read('coco', write_to)
    assert found.ids == {name: id_ for id_, name in enumerate(NAMES, start=4)}
    assert found_in(found.videos) == meant(scene)


def burst(scene):
    sequences = [
        dict(
            seq_name=f'v{number}',
            height=SIZE[0],
            width=SIZE[1],
            annotated_image_paths=[f'{i}.jpg' for i in range(LENGTH)],
            track_category_ids={str(i): NAMES.index(name) for i, (name, _) in enumerate(video)},
            segmentations=[
                {str(i): dict(rle=code(tube[t])['counts']) for i, (_, tube) in enumerate(video)}
                for t in range(LENGTH)
            ],
        )
        for number, video in enumerate(scene)
    ]
    categories = [dict(id=id_, name=name) for id_, name in enumerate(NAMES)]
    return dict(sequences=sequences, categories=categories)


@given(scenes)
@a_few
def test_burst(scene):
    found = read('coco', lambda folder: write_json(folder / 'train.json', burst(scene)))
    assert found_in(found.videos) == meant(scene)


def tubes(scene):
    videos = [
        dict(id=i, height=SIZE[0], width=SIZE[1], file_names=[f'v{i}/{t}.jpg' for t in range(3)])
        for i in range(len(scene))
    ]
    annotations = [
        dict(
            id=100 * number + i,
            video_id=number,
            category_id=NAMES.index(name),
            # by turns in both ways
            segmentations=[(code, runs)[t % 2](mask) for t, mask in enumerate(tube)],
        )
        for number, video in enumerate(scene)
        for i, (name, tube) in enumerate(video)
    ]
    categories = [dict(id=id_, name=name) for id_, name in enumerate(NAMES)]
    return dict(videos=videos, annotations=annotations, categories=categories)


@given(scenes)
@a_few
def test_tubes(scene):
    found = read('coco', lambda folder: write_json(folder / 'a.json', tubes(scene)))
    assert found_in(found.videos) == meant(scene)


def scalabel(scene):
    return [
        dict(
            name=f'{t}.jpg',
            videoName=f'v{number}',
            frameIndex=t,
            size=dict(height=SIZE[0], width=SIZE[1]),
            labels=[
                dict(id=str(i), category=name, rle=code(tube[t]))
                for i, (name, tube) in enumerate(video)
            ],
        )
        for number, video in enumerate(scene)
        for t in range(LENGTH)
    ]


@given(scenes)
@a_few
def test_scalabel(scene):
    found = read('bdd100k', lambda folder: write_json(folder / 'a.json', scalabel(scene)))
    assert found_in(found.videos) == meant(scene)


@given(
    ids=arrays(np.uint16, (LENGTH, *SIZE), elements=st.sampled_from([0, 1, 255, 256, 65535])),
    flags=st.sampled_from([0, 4, 8, 12]),
)
@a_few
def test_bit_masks(ids, flags):
    numbers = np.unique(ids[ids > 0]).tolist()
    classes = {number: order % len(NAMES) for order, number in enumerate(numbers)}

    def write_to(folder):
        (folder / 'bitmasks/v').mkdir(parents=True)
        for frame, values in enumerate(ids):
            rgba = np.zeros((*SIZE, 4), np.uint8)
            for number, class_ in classes.items():
                at = values == number
                rgba[at] = class_ + 1, flags, number >> 8, number & 255
            Image.fromarray(rgba, 'RGBA').save(folder / f'bitmasks/v/{frame}.png')

    table = [LabelClass(name, id_) for id_, name in enumerate(NAMES, start=1)]
    found = read('bdd100k', write_to, classes=table)
    (video,) = found.videos.values()
    assert {labelled.track: labelled.label for labelled in video.objects} == {
        str(number): NAMES[class_] for number, class_ in classes.items()
    }
    for labelled in video.objects:
        for values, mask in zip(ids, masks(labelled), strict=True):
            expected = values == int(labelled.track)
            assert (mask is None) == (not expected.any())
            assert mask is None or (mask == expected).all()
