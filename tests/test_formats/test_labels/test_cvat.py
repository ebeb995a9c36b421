"""CVAT for video: tasks, jobs and projects, their frames, and shapes as masks."""

import zipfile

import numpy as np
import pytest
from cvat_files import (
    PROJECT,
    box,
    boxes,
    brush,
    cvat_import,
    document,
    labels,
    masks,
    shape,
    square,
    task,
    track,
    tracks,
    write_frames,
)
from PIL import Image

from mmvseg.errors import UserError


@pytest.fixture
def load(tmp_path):
    return cvat_import(tmp_path)


def test_frame_numbers_are_those_of_the_video(load):
    shapes = [square(100, 2, 2), square(103, 3, 2), square(106, 3, 2, outside=1)]
    content, _ = load(document([track(shapes)], task(start=100, step=3, extra=labels())))
    assert [*boxes(content)] == [0, 1]
    names = content['videos'][0]['file_names']
    assert names[:2] == ['street/frame_000100.jpg', 'street/frame_000103.jpg']


def test_pictures_go_by_the_number_of_the_video(load, tmp_path):
    names = [f'frame_{number:06d}.PNG' for number in (10, 12, 14)]
    write_frames(tmp_path / 'labels/images', names)
    meta = task(size=3, start=10, step=2, extra=labels())
    content, _ = load(document([track([square(12, 2, 2), square(14, 2, 2, outside=1)])], meta))
    video = content['videos'][0]
    assert video['file_names'] == [f'street/{name}' for name in names]
    assert boxes(content) == {1: [2, 2, 8, 8]}


def test_deleted_frames_are_no_frames(load, tmp_path):
    write_frames(tmp_path / 'labels/images', [f'frame_{n:06d}.jpg' for n in (0, 1, 3, 4, 5)])
    shapes = [square(n, n, 2, keyframe=0) for n in (0, 1, 3, 4, 5)]
    content, _ = load(document([track(shapes)]))
    assert content['videos'][0]['length'] == 5
    assert {f: b[0] for f, b in boxes(content).items()} == {0: 0, 1: 1, 2: 3, 3: 4, 4: 5}


def test_a_lost_picture_of_an_annotated_frame_is_told(load, tmp_path):
    write_frames(tmp_path / 'labels/images', [f'frame_{n:06d}.jpg' for n in (0, 1, 3, 4, 5)])
    text = document([track([square(n, n, 2) for n in range(6)])])
    with pytest.raises(UserError, match=r'frame_000002.jpg: .*video street, frame 2: .*no such'):
        load(text)
    content, report = load(text, skip_bad=True)
    assert content['videos'][0]['length'] == 5
    assert len(report.left_out) == 1


@pytest.mark.parametrize('count', [3, 20])
def test_given_frames_are_those_of_the_task_or_all_of_the_video(load, tmp_path, count):
    write_frames(tmp_path / 'given', [f'{place}.png' for place in range(count)])
    meta = task(size=3, start=10, step=2, extra=labels())
    content, _ = load(document([track([square(12, 2, 2)])], meta), frames=tmp_path / 'given')
    chosen = ['0', '1', '2'] if count == 3 else ['10', '12', '14']
    assert content['videos'][0]['file_names'] == [f'street/{name}.png' for name in chosen]


def test_other_numbers_of_given_frames_are_told(load, tmp_path):
    write_frames(tmp_path / 'given', [f'{place}.png' for place in range(4)])
    with pytest.raises(UserError, match='4 pictures, but street has 6 frames'):
        load(document([track([square(0, 2, 2)])]), frames=tmp_path / 'given')


def test_a_video_file_has_its_frames_by_their_number(load, tmp_path):
    from mmvseg.media import VideoWriter

    with VideoWriter(tmp_path / 'street.mp4', 5) as writer:
        for place in range(8):
            writer.write(np.full((30, 40, 3), 30 * place, np.uint8))
    meta = task(size=3, start=1, step=3, extra=labels())
    content, _ = load(document([track([square(4, 2, 2)])], meta), videos=tmp_path / 'street.mp4')
    names = content['videos'][0]['file_names']
    assert names == [f'street/frame_00000{number}.jpg' for number in (1, 4, 7)]
    greys = [np.asarray(Image.open(tmp_path / 'out/frames' / name)).mean() for name in names]
    np.testing.assert_allclose(greys, [30, 120, 210], atol=6)


def test_pictures_of_an_image_task_are_in_order_and_say_their_size(load, tmp_path):
    write_frames(tmp_path / 'labels/images/cam', [f'b{n}.jpg' for n in (1, 2, 10)], (20, 24))
    meta = task(size=3, hw=None, extra=labels())
    content, report = load(document([track([square(2, 2, 2)])], meta))
    video = content['videos'][0]
    assert (video['height'], video['width']) == (20, 24)
    assert video['file_names'] == ['street/b1.jpg', 'street/b2.jpg', 'street/b10.jpg']
    (note,) = report.notes
    assert 'video street: its labels say only where in the order of pictures' in note


def test_pictures_that_any_order_sorts_alike_need_no_note(load, tmp_path):
    write_frames(tmp_path / 'labels/images', [f'b{n:02d}.jpg' for n in (1, 2, 10)], (20, 24))
    _, report = load(document([track([square(2, 2, 2)])], task(size=3, hw=None, extra=labels())))
    assert report.notes == []


def test_without_any_size_frames_are_asked_for(load):
    with pytest.raises(UserError, match='the frames of street are needed'):
        load(document([track([square(2, 2, 2)])], task(hw=None, extra=labels())))


def test_a_task_without_frames_is_told(load):
    meta = task(extra=labels()).replace('<size>6</size>', '').replace('<stop_frame>5', '<other>5')
    meta = meta.replace('</stop_frame>', '</other>')
    with pytest.raises(UserError, match=r'meta: no frame \(size, stop_frame\)'):
        load(document([track([square(0, 2, 2)])], meta))


def test_a_job_is_called_by_its_video_and_counts_its_own_frames(load):
    sides = '<original_size><width>40</width><height>30</height></original_size>'
    meta = task('job', name='', start=40, hw=None, extra=labels()) + sides
    content, _ = load(document([track([square(41, 2, 2), square(42, 0, 0, outside=1)])], meta))
    assert content['videos'][0]['name'] == 'street'  # of the file
    assert [*boxes(content)] == [1]
    content, _ = load(
        document([track([square(41, 2, 2)])], f'{meta}<source>day one.mp4</source>'),
        overwrite=True,
    )
    assert content['videos'][0]['name'] == 'day one'


def test_numbers_of_a_project_run_on_within_a_subset(load, tmp_path):
    # 5 7 9 11, then 13 = 5 + 2 * 4 more; another subset begins anew
    numbers = dict(Train=[5, 7, 9, 11, 13, 14, 15], Val=[0, 1, 2])
    for subset, found in numbers.items():
        names = [f'frame_{n:06d}.jpg' for n in found]
        write_frames(tmp_path / f'labels/images/{subset}', names)
    parts = [
        track([square(7, 1, 2), square(9, 1, 2, outside=1)], 0, task_id=3, subset='Train'),
        track([square(14, 2, 2), square(15, 2, 2, outside=1)], 1, task_id=4, subset='Train'),
        track([square(1, 3, 2), square(2, 3, 2, outside=1)], 2, task_id=2, subset='Val'),
    ]
    content, _ = load(document(parts, PROJECT))
    assert [video['name'] for video in content['videos']] == ['a', 'b', 'c']
    assert [video['length'] for video in content['videos']] == [4, 3, 3]
    assert content['videos'][1]['file_names'][0] == 'b/frame_000013.jpg'
    assert [boxes(content, place) for place in range(3)] == [
        {1: [place + 1, 2, 8, 8]} for place in range(3)
    ]


def test_masks_of_a_project_are_not_closed(load):
    parts = [
        track([brush(number, 2, 2, attributes=dict(track_id=1))], number, task_id=4)
        for number in (13, 15)
    ]
    content, _ = load(document(parts, PROJECT))
    assert [*boxes(content)] == [0, 2]


def test_equal_names_of_tasks_are_two_videos(load, tmp_path):
    for number, folder in enumerate('xy'):
        (tmp_path / 'labels' / folder).mkdir(parents=True)
        text = document([track([square(number, 2, 2), square(number + 1, 2, 2, outside=1)])])
        (tmp_path / 'labels' / folder / 'annotations.xml').write_text(text)
    content, _ = load()
    assert [video['name'] for video in content['videos']] == ['street', 'street']
    assert [video['file_names'][0].split('/')[0] for video in content['videos']] == [
        *('street', 'street_2')
    ]


def test_archives_of_tasks_are_read_with_their_pictures(load, tmp_path):
    write_frames(tmp_path / 'images', [f'frame_{n:06d}.jpg' for n in range(6)])
    (tmp_path / 'labels').mkdir()
    for name in 'ab':
        with zipfile.ZipFile(tmp_path / f'labels/task_{name}.zip', 'w') as archive:
            meta = task(name=name, extra=labels())
            archive.writestr('annotations.xml', document([track([square(0, 2, 2)])], meta))
            for picture in (tmp_path / 'images').iterdir():
                archive.write(picture, f'images/{picture.name}')
    content, _ = load()
    assert [video['name'] for video in content['videos']] == ['a', 'b']
    assert len([*(tmp_path / 'out/frames').rglob('*.jpg')]) == 12


def test_labels_are_the_classes_without_points_of_skeletons(load):
    names = '<label><name>cup</name></label><label><name>eye</name><parent>face</parent></label>'
    meta = task(extra=f'<labels>{names}<label><name>Straße 1</name></label></labels>')
    content, _ = load(document([track([square(0, 2, 2)])], meta))
    assert [c['name'] for c in content['categories']] == ['cup', 'Straße 1']


def test_boxes_turn_and_ellipses_are_round(load):
    parts = [
        track([box(0, 10, 10, 20, 14, rotation=90), box(1, 0, 0, 9, 9, outside=1)]),
        track([shape('ellipse', 0, cx=20, cy=15, rx=10, ry=5)], 1, keyframe=1),
    ]
    content, _ = load(document(parts, task(size=2, extra=labels())))
    assert boxes(content) == {0: [13, 7, 4, 10]}
    area = content['annotations'][1]['areas'][0]
    assert abs(area - np.pi * 50) < 4
    assert content['annotations'][1]['bboxes'][0] == [10, 10, 20, 10]


def test_masks_are_runs_along_the_rows(load):
    rle = '1, 2, 1, 4'  # of a box of 4 columns
    mask = shape('mask', 0, rle=rle, left=3, top=5, width=4, height=2)
    content, _ = load(document([track([mask])]))
    found = masks(content['annotations'][0])[0]
    assert found[5:7, 3:7].tolist() == [[False, True, True, False], [True] * 4]
    assert found.sum() == 6


def test_what_has_no_area_is_counted(load):
    points = '1.00,2.00;3.00,4.00'
    skeleton = shape('skeleton', 0).replace(
        '></skeleton>', '><points frame="0" points="1,2" outside="0"/></skeleton>'
    )
    parts = [
        track([shape('polyline', n, points=points) for n in range(6)]),
        track([shape('points', 0, points=points)], 1),
        track([shape('cuboid', 0, xtl1=1)], 2),
        track([skeleton], 3),
        track([square(0, 2, 2)], 4),
    ]
    content, report = load(document(parts))
    assert tracks(content) == ['4']
    kinds = {'polyline track', 'points track', 'cuboid track', 'skeleton track'}
    assert report.ignored == dict.fromkeys(kinds, 1)
