"""labelme's files: what is written comes back, and is what labelme expects."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from label_reading import box_mask, masks_of, picture, read_labels

from mmvseg.errors import UserError
from mmvseg.formats.label_exports.exporters import exporter
from mmvseg.formats.label_exports.options import Export, ExportOptions
from mmvseg.formats.labels.outlines import encode
from mmvseg.formats.labels.records import Frame, LabelClass, LabelledObject, LabelledVideo
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import SourceFile

SIZE = 24, 20
RING = box_mask(SIZE, 2, 2, 12, 12) & ~box_mask(SIZE, 5, 5, 8, 8)


def labelled(track, label, masks, **more):
    rles = [encode(mask) if mask.any() else None for mask in masks]
    return LabelledObject(track, label, rles, **more)


def video(*objects, names=('0.jpg', '1.jpg'), name='clip'):
    return LabelledVideo(name, *SIZE, [Frame(name) for name in names], list(objects))


def write(folder, *videos, **options):
    """Export videos; returns what there is to say."""
    report = ImportReport()
    classes = [LabelClass('cup', 1), LabelClass('Fußgänger', 2)]
    export = Export(classes, iter(videos), len(videos))
    exporter('labelme').write(export, folder, ExportOptions(**options), report)
    return report


def shapes(folder, name='clip/0'):
    return json.loads((folder / f'{name}.json').read_text())['shapes']


masks = arrays.arrays(bool, (2, *SIZE), elements=st.booleans(), fill=st.just(False))


@given(st.lists(masks.filter(np.any), min_size=1, max_size=3), st.booleans())
@settings(max_examples=25, deadline=None)
def test_exact_exports_come_back_equal(scene, as_masks):
    labels = ['cup', 'Fußgänger', 'cup']
    objects = [labelled(str(5 * i), labels[i], mask) for i, mask in enumerate(scene)]
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), video(*objects), min_iou=1, masks=as_masks)
        found = read_labels('labelme', Path(folder)).videos['clip']
    assert [(o.label, o.track) for o in found.objects] == [
        (o.label, f'{o.label} {o.track}') for o in sorted(objects, key=first_frame)
    ]
    by_track = {o.track: masks_of(o, found) for o in found.objects}
    for mask, original in zip(scene, objects, strict=True):
        assert (by_track[f'{original.label} {original.track}'] == mask).all()


def first_frame(one):
    return next(i for i, rle in enumerate(one.rles) if rle is not None)


def test_simplified_polygons_keep_the_stated_part(tmp_path):
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    disc = (x - 9) ** 2 + (y - 11) ** 2 < 70
    points = {}
    for min_iou in (1, 0.95, 0.8):
        out = tmp_path / str(min_iou)
        write(out, video(labelled('1', 'cup', [disc, disc])), min_iou=min_iou)
        found = read_labels('labelme', out).videos['clip']
        mask = masks_of(found.objects[0], found)[0]
        assert (mask & disc).sum() / (mask | disc).sum() >= min_iou
        points[min_iou] = len(shapes(out)[0]['points'])
    assert points[1] > points[0.95] > points[0.8]


def test_an_object_with_a_hole_is_a_mask_where_it_has_one(tmp_path):
    whole = box_mask(SIZE, 2, 2, 12, 12)
    write(tmp_path, video(labelled('1', 'cup', [RING, whole])))
    assert [s['shape_type'] for s in shapes(tmp_path)] == ['mask']
    assert shapes(tmp_path)[0]['points'] == [[2, 2], [11, 11]]
    assert [s['shape_type'] for s in shapes(tmp_path, 'clip/1')] == ['polygon']


def test_masks_are_written_if_wanted(tmp_path):
    write(tmp_path, video(labelled('1', 'cup', [box_mask(SIZE, 2, 2, 12, 12)] * 2)), masks=True)
    assert [s['shape_type'] for s in shapes(tmp_path)] == ['mask']


def test_parts_share_a_group_that_no_other_object_has(tmp_path):
    parts = box_mask(SIZE, 0, 0, 3, 3) | box_mask(SIZE, 10, 10, 15, 15)
    objects = [labelled(track, 'cup', [parts, parts]) for track in ('a', 'b')]
    write(tmp_path, video(*objects))
    assert [s['group_id'] for s in shapes(tmp_path)] == [1, 1, 2, 2]
    write(tmp_path / 'more', video(labelled('7', 'cup', [parts, parts])))
    assert {s['group_id'] for s in shapes(tmp_path / 'more')} == {7}


def test_every_frame_has_a_json(tmp_path):
    write(tmp_path, video(labelled('1', 'cup', [RING, RING * False]), name='day/street'))
    page = json.loads((tmp_path / 'day/street/1.json').read_text())
    assert page == dict(
        version='6.3.1',
        flags={},
        shapes=[],
        imagePath='1.jpg',
        imageData=None,
        imageHeight=SIZE[0],
        imageWidth=SIZE[1],
    )


def test_frames_are_written_if_wanted(tmp_path):
    picture(tmp_path / 'in/0.png', SIZE)
    clip = video(labelled('1', 'cup', [RING]), names=['0.png'])
    clip.frames = [Frame('0.png', SourceFile('0.png', tmp_path / 'in/0.png'))]
    write(tmp_path / 'out', clip, with_frames=True)
    found = read_labels('labelme', tmp_path / 'out').videos['clip']
    assert found.frames[0].picture.read_bytes() == (tmp_path / 'in/0.png').read_bytes()


def test_crowds_are_left_out_and_counted(tmp_path):
    report = write(tmp_path, video(labelled('1', 'cup', [RING, RING], is_crowd=True)))
    assert shapes(tmp_path) == []
    assert report.ignored == dict(crowd=1)


def test_frames_that_labelme_cannot_tell_apart(tmp_path):
    clip = video(labelled('1', 'cup', [RING, RING]), names=['a.jpg', 'a.png'])
    with pytest.raises(UserError, match='video clip: two frames are called a'):
        write(tmp_path, clip)


def test_another_order_than_that_of_names_is_said(tmp_path):
    one = labelled('1', 'cup', [RING, RING])
    assert write(tmp_path / 'a', video(one, names=['9.jpg', '10.jpg'])).notes == []
    (note,) = write(tmp_path / 'b', video(one, names=['10.jpg', '9.jpg'])).notes
    assert 'not in the order of their names' in note
