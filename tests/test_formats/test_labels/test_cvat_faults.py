"""CVAT for video: what is wrong with files, tracks and shapes."""

import zipfile

import pytest
from cvat_files import (
    PROJECT,
    box,
    boxes,
    brush,
    cvat_import,
    document,
    labels,
    polygon,
    shape,
    square,
    task,
    track,
    tracks,
)

from mmvseg.apis.import_labels import ImportRequest, import_labels
from mmvseg.errors import UserError
from mmvseg.formats.labels.importers import recognise
from mmvseg.formats.labels.sources import Source


@pytest.fixture
def load(tmp_path):
    return cvat_import(tmp_path)


GOOD = track([square(n, 20, 20) for n in range(6)], 99)
FAULTS = {
    'a polygon of 1 point;': track([polygon(2, [(1, 1)])], 5),
    'a polygon whose values are no numbers': track([shape('polygon', 2, points='1,2;a,3')], 5),
    'a box without ybr': track([shape('box', 2, xtl=1, ytl=1, xbr=5)], 5),
    'reaches far outside': track([box(2, 0, 0, 1e9, 5)], 5),
    'an ellipse without extent': track([shape('ellipse', 2, cx=5, cy=5, rx=0, ry=2)], 5),
    'the runs cover 5 pixels': track(
        [shape('mask', 2, rle='2,3', left=0, top=0, width=2, height=2)], 5
    ),
    'a run of -2 pixels': track(
        [shape('mask', 2, rle='-2,6', left=0, top=0, width=2, height=2)], 5
    ),
    'is not in the 30 x 40 frame': track([brush(2, 38, 2)], 5),
    'a track without a shape': track([], 5),
    "the label 'cat' is not among": track([square(2, 2, 2)], 5, 'cat'),
    'those of the task are 0 to 5': track([square(6, 2, 2)], 5),
    'two shapes of one track': track([square(2, 2, 2), square(2, 9, 2)], 5),
}


@pytest.mark.parametrize('rule', FAULTS)
def test_a_broken_track_is_told_and_can_be_left_out(load, rule):
    text = document([FAULTS[rule], GOOD])
    with pytest.raises(UserError) as told:
        load(text)
    message = str(told.value)
    assert rule in message
    assert 'street.xml: video street, track 5' in message
    content, report = load(text, skip_bad=True)
    assert '99' in tracks(content)
    assert any(rule in line for line in report.left_out)


@pytest.mark.parametrize('points', ['', '1,1', 'nan,1;2,2;3,3', '1e300,1;2,2;3,3', 'a'])
def test_a_broken_shape_where_the_object_is_gone_is_no_matter(load, points):
    gone = shape('polygon', 4, points=points, outside=1)
    content, _ = load(document([track([square(0, 2, 2), gone])]))
    assert [*boxes(content)] == [0]


def test_where_an_object_is_gone_outside_of_the_task_is_no_matter(load):
    parts = [track([square(5, 2, 2), square(6, 2, 2, outside=1)])]
    parts.append(track([square(6, 2, 2, outside=1)], 1))
    content, _ = load(document(parts))
    assert tracks(content) == ['0']


def test_an_object_of_two_classes_is_told(load):
    parts = [
        track([brush(n, 2, 2, attributes=dict(track_id=3))], n, label)
        for n, label in enumerate(['cup', 'dog'])
    ]
    match = "street.xml: video street, track track_id=3, frame 1: has the class 'dog', and 'cup'"
    with pytest.raises(UserError, match=match):
        load(document(parts))
    content, report = load(document(parts), skip_bad=True)
    assert [*boxes(content)] == [0]
    assert len(report.left_out) == 1


def test_a_track_of_no_task_is_told(load):
    parts = [track([square(13, 2, 2)], 8, task_id=9), track([square(13, 2, 2)], 1, task_id=4)]
    with pytest.raises(UserError, match='track 8: is of the task 9'):
        load(document(parts, PROJECT))
    content, _ = load(document(parts, PROJECT), skip_bad=True)
    assert tracks(content) == ['1']


@pytest.mark.parametrize(
    ('text', 'match'),
    [
        ('<annotations><meta>', 'no sound xml'),
        ('<annotations><version>1.1</version></annotations>', 'says nothing of its task'),
        ('<annotations><meta></meta></annotations>', 'no task, job or project'),
        (document([], task().replace('<size>6', '<size>x')), 'size must be a number'),
        (document([], task(hw=(0, 5))), 'original_size 5x0'),
        (document([], task(size=10**9)), 'that cannot be'),
        ('<?xml version="1.0" encoding="inf"?>\n<annotations></annotations>', 'unknown encoding'),
        ('<!DOCTYPE a [<!ENTITY e "x">]><annotations>&e;</annotations>', 'declares entities'),
    ],
)
def test_a_broken_file_is_told_and_can_be_left_out(load, tmp_path, text, match):
    good = tmp_path / 'labels/good.xml'
    good.parent.mkdir()
    good.write_text(document([GOOD], task(name='good', extra=labels())))
    with pytest.raises(UserError, match=match):
        load(text)
    content, report = load(text, skip_bad=True)
    assert [video['name'] for video in content['videos']] == ['good']
    assert 'street.xml' in report.left_out[0]


def test_a_damaged_archive_is_told(tmp_path):
    path = tmp_path / 'task.zip'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('annotations.xml', document([GOOD] * 500))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UserError, match=r'task.zip/annotations.xml: (cannot be read|no sound xml)'):
        import_labels(ImportRequest(path, tmp_path / 'out'))


def test_a_backup_is_refused_with_the_way_out(tmp_path):
    with zipfile.ZipFile(tmp_path / 'task.zip', 'w') as archive:
        archive.writestr('task.json', '{}')
        archive.writestr('annotations.json', '[]')
    assert recognise(Source(tmp_path / 'task.zip')) == 'cvat'
    with pytest.raises(UserError, match=r'is a backup, .* "CVAT for video 1.1"'):
        import_labels(ImportRequest(tmp_path / 'task.zip', tmp_path / 'out'))


def test_finished_videos_of_a_project_are_not_read_again(load, tmp_path, monkeypatch):
    parts = [track([square(n, 2, 2)], n, task_id=i) for i, n in ((3, 7), (4, 14), (2, 1))]
    bad = track([polygon(1, [(1, 1)])], 9, task_id=2)
    with pytest.raises(UserError, match='video c, track 9'):
        load(document([*parts, bad], PROJECT))
    content, _ = load(document(parts, PROJECT))  # goes on with the third
    assert tracks(content) == ['7', '14', '1']
