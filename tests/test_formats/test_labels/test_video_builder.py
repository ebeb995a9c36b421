"""Videos put together mask by mask, and what is told of those that do not go together."""

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mmvseg.errors import UserError
from mmvseg.formats.labels.outlines import encode
from mmvseg.formats.labels.records import Frame
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.video_builder import VideoBuilder


def builder(report=None, frames=3):
    names = [Frame(f'{i}.png') for i in range(frames)]
    return VideoBuilder('street', (2, 4), names, report or ImportReport(), 'a.json')


def column(index):
    mask = np.zeros((2, 4), bool)
    mask[:, index] = True
    return encode(mask)


def test_masks_become_objects():
    video = builder()
    video.add('7', 'car', 0, column(0))
    video.add('8', 'dog', 1, column(1), is_crowd=True, score=0.5)
    video.add('7', 'car', 2, column(2))
    video.add('7', 'car', 2, column(3))  # a part
    video.add('7', 'car', 1, encode(np.zeros((2, 4))))  # absent
    made = video.video(fps=5)
    assert (made.name, made.height, made.width, made.extra) == ('street', 2, 4, {'fps': 5})
    car, dog = made.objects
    assert (car.track, car.label, car.is_crowd) == ('7', 'car', False)
    assert [rle is not None for rle in car.rles] == [True, False, True]
    assert coco_mask.decode([car.rles[2]])[..., 0].tolist() == [[0, 0, 1, 1]] * 2
    assert (dog.is_crowd, dog.extra) == (True, {'score': 0.5})


@pytest.mark.parametrize(
    ('add', 'rule'),
    [
        (('7', 'car', 3, column(0)), 'video street, track 7, frame 3: there is no such frame'),
        (('7', 'car', -1, column(0)), 'frame -1: there is no such frame; the video has 3'),
        (('7', 'car', 0, encode(np.ones((4, 2)))), 'a mask of 4 x 2, the frames have 2 x 4'),
        (('1', 'dog', 0, column(0)), "track 1, frame 0: has the class 'dog', and 'car' before"),
    ],
)
def test_what_does_not_fit(add, rule):
    video = builder()
    video.add('1', 'car', 0, column(0))
    with pytest.raises(UserError, match=rule):
        video.add(*add)
    report = ImportReport(skip_bad=True)
    video = builder(report)
    video.add('1', 'car', 0, column(0))
    video.add(*add)
    (made,) = video.video().objects or [None]
    assert (made.track, made.label) == ('1', 'car')
    assert rule in report.left_out[0]


def test_an_object_without_masks():
    video = builder()
    video.declare('9', 'car')
    with pytest.raises(
        UserError, match=r'a\.json: video street, track 9: has no mask in any frame'
    ):
        video.video()
    report = ImportReport(skip_bad=True)
    video = builder(report)
    video.add('9', 'car', 0, encode(np.zeros((2, 4))), file='b.json')
    assert video.video().objects == []
    assert report.left_out == ['b.json: video street, track 9: has no mask in any frame']


def test_a_guard_names_the_place_and_advises_once():
    report = ImportReport()
    with (
        pytest.raises(UserError) as stop,
        report.guard(video='street', frame=1),
        report.guard(video='street'),
    ):
        raise UserError('x.png: broken')
    assert str(stop.value).startswith('video street: x.png: broken (--skip-bad')
    assert str(stop.value).count('--skip-bad') == 1
    skipping = ImportReport(skip_bad=True)
    with skipping.guard(video='street', frame=1):
        raise UserError('x.png: broken')
    assert skipping.left_out == ['video street, frame 1: x.png: broken']


def test_notes_are_said_once_and_ignored_shapes_counted():
    report = ImportReport()
    for _ in range(2):
        report.note('no identity')
        report.ignore('polyline', 2)
    assert (report.notes, report.ignored) == (['no identity'], {'polyline': 4})


def test_names_in_messages_cannot_steer_the_terminal():
    report = ImportReport(skip_bad=True)
    report.bad('a\n.json', 'broken', video='\x1b[31m')
    assert report.left_out == ['a\\n.json: video \\x1b[31m: broken']
