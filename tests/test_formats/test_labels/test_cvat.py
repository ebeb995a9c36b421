"""CVAT for video: frames, tracks, key frames, masks, and what is wrong with them."""

import json
import zipfile

import numpy as np
import pytest
from cvat_files import (
    box,
    brush,
    document,
    labels,
    polygon,
    shape,
    square,
    task,
    track,
    write_frames,
)
from PIL import Image
from pycocotools import mask as coco_mask

from mmvseg.apis.import_labels import ImportRequest, import_labels
from mmvseg.errors import UserError
from mmvseg.formats.labels.importers import recognise
from mmvseg.formats.labels.sources import Source


@pytest.fixture
def load(tmp_path):
    """Imports a text as ``street.xml``, or what lies in the folder ``labels``."""

    def run(text=None, **more):
        folder = tmp_path / 'labels'
        if text is not None:
            folder.mkdir(exist_ok=True)
            (folder / 'street.xml').write_text(text)
        done = import_labels(ImportRequest(source=folder, out=tmp_path / 'out', **more))
        content = json.loads((tmp_path / 'out' / 'annotations.json').read_text())
        return content, done.report

    return run


def masks(entry):
    """The masks of an object, None where it is absent."""
    return [rle and coco_mask.decode([rle])[..., 0] > 0 for rle in entry['segmentations']]


def boxes(content, place=0):
    """Boxes ``[x, y, w, h]`` of an object by frame, without those where it is absent."""
    found = content['annotations'][place]['bboxes']
    return {frame: value for frame, value in enumerate(found) if value is not None}


def tracks(content):
    return [entry['track'] for entry in content['annotations']]


def test_visible_frames_are_those_that_are_listed(load):
    shapes = [
        square(0, 2, 2),
        square(1, 3, 2, keyframe=0, occluded=1),
        square(2, 3, 2, outside=1),
        square(4, 9, 2),
        square(5, 10, 2, keyframe=0),
    ]
    content, report = load(document([track(shapes)]))
    assert {f: b[0] for f, b in boxes(content).items()} == {0: 2, 1: 3, 4: 9, 5: 10}
    assert content['videos'][0]['name'] == 'street'
    assert report.notes == []


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
    content, _ = load(document([track([square(2, 2, 2)])], meta))
    video = content['videos'][0]
    assert (video['height'], video['width']) == (20, 24)
    assert video['file_names'] == ['street/b1.jpg', 'street/b2.jpg', 'street/b10.jpg']


def test_without_any_size_frames_are_asked_for(load):
    with pytest.raises(UserError, match='street: its frames are needed'):
        load(document([track([square(2, 2, 2)])], task(hw=None, extra=labels())))


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


PROJECT = (
    '<project><id>1</id><name>p</name><tasks>'
    f'{task(name="a", id_="3", size=4, start=5, step=2, extra="<subset>Train</subset>")}'
    f'{task(name="b", id_="4", size=3, extra="<subset>Train</subset>")}'
    f'{task(name="c", id_="2", size=3, extra="<subset>Val</subset>")}'
    f'</tasks>{labels()}</project>'
)


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


def test_tracks_of_a_group_and_label_are_parts(load):
    parts = [
        track([square(0, 2, 2), square(1, 2, 2)], 0, group_id=5),
        track([square(1, 20, 2), square(2, 20, 2, outside=1)], 1, group_id=5),
        track([square(1, 2, 20)], 2, 'dog', group_id=5),
        track([square(1, 30, 20)], 3, group_id=0),
    ]
    content, _ = load(document(parts))
    assert tracks(content) == ['cup, group 5', 'dog, group 5', '3']
    first = content['annotations'][0]
    assert first['areas'][:2] == [64, 128]
    assert first['bboxes'][1] == [2, 2, 26, 8]


@pytest.mark.parametrize('name', ['track_id', 'instance_id', 'object_id', 'Track_ID'])
def test_masks_are_one_object_by_an_attribute(load, name):
    parts = [
        track([brush(n, n, 2, attributes={name: id_})], 10 * n + id_)
        for n in range(6)
        for id_ in (1, 2)
    ]
    content, report = load(document(parts))
    assert tracks(content) == [f'{name.lower()}={id_}' for id_ in (1, 2)]
    assert [*boxes(content)] == [*range(6)]
    assert report.notes == []


def test_masks_are_one_object_by_a_group(load):
    parts = [track([brush(n, n, 2)], n, group_id=4) for n in range(6)]
    content, report = load(document(parts))
    assert tracks(content) == ['cup, group 4']
    assert report.notes == []


def test_masks_that_nothing_joins_are_told_loudly(load):
    parts = [track([brush(n, n, 2), brush(n + 1, n, 2, outside=1)], n) for n in range(4)]
    content, report = load(document(parts))
    assert tracks(content) == ['0', '1', '2', '3']
    (note,) = report.notes
    assert 'CVAT cannot track masks' in note
    assert 'attribute track_id' in note


def test_numbers_that_nobody_set_are_told(load):
    parts = [track([brush(1, 9 * n, 2, attributes=dict(track_id=0))], n) for n in range(2)]
    content, report = load(document(parts))
    assert len(content['annotations']) == 1
    assert 'when nobody sets it' in report.notes[0]


def test_single_polygons_are_one_object_by_a_number_that_was_set(load):
    parts = [
        track(
            [square(n, 9 * n, 2, attributes=dict(track_id=id_)), square(n + 1, 0, 0, outside=1)], k
        )
        for k, (n, id_) in enumerate([(0, 0), (1, 0), (2, 3), (3, 3)])
    ]
    content, report = load(document(parts))
    assert tracks(content) == ['0', '1', 'track_id=3']
    assert 'objects of one frame each' in report.notes[0]


def test_a_part_of_one_frame_belongs_to_its_group(load):
    number = dict(track_id=4)
    parts = [
        track([square(n, 2, 2, attributes=number) for n in range(6)], 0, group_id=4),
        track([square(3, 20, 2, attributes=number), square(4, 0, 0, outside=1)], 1, group_id=4),
    ]
    content, _ = load(document(parts))
    assert tracks(content) == ['cup, group 4']
    assert content['annotations'][0]['areas'][3] == 128


def test_a_track_is_itself_whatever_its_attributes_say(load):
    parts = [
        track([square(n, 9 * id_, 2, attributes=dict(track_id=0)) for n in range(6)], id_)
        for id_ in range(2)
    ]
    content, report = load(document(parts))
    assert tracks(content) == ['0', '1']
    assert report.notes == []


def test_a_shape_near_the_end_is_no_track(load):
    # of a file with computed frames: the server wrote every frame that there is
    whole = track([square(n, 2, 2, keyframe=int(n == 0)) for n in range(6)])
    content, _ = load(document([whole, track([square(4, 20, 2)], 1)]))
    assert [*boxes(content, 1)] == [4]


def test_a_key_near_the_end_of_a_file_of_keys_stays(load):
    keys = track([square(0, 2, 2), square(5, 7, 2)])
    content, _ = load(document([keys, track([square(4, 20, 2)], 1)]))
    assert [*boxes(content, 1)] == [4, 5]


def test_after_the_last_key_a_shape_stays_unless_it_is_outside(load):
    parts = [
        track([square(2, 2, 2)]),
        track([square(1, 12, 2), square(3, 12, 2, outside=1)], 1),
        track([square(n, 12, 12, keyframe=int(n < 2)) for n in range(3)], 2),
        track([brush(2, 20, 20)], 3),
    ]
    content, _ = load(document(parts))
    assert [[*boxes(content, place)] for place in range(4)] == [
        [2, 3, 4, 5],
        [1, 2],
        [0, 1, 2],  # computed frames: the last one that is seen is listed
        [2],
    ]


def test_boxes_move_linearly_between_keys_and_turn_the_shorter_way(load):
    shapes = [
        box(0, 10, 10, 20, 14, rotation=350),
        box(4, 18, 10, 28, 14, rotation=10),
        box(5, 18, 10, 28, 14, outside=1),
    ]
    content, _ = load(document([track(shapes)]))
    assert boxes(content)[2] == [14, 10, 10, 4]  # not turned at all
    ends = [masks(content['annotations'][0])[frame] for frame in (0, 4)]
    assert not np.array_equal(ends[0], ends[1])


def test_polygons_pair_points_by_their_share_of_the_way(load):
    # the second begins at another corner: points move crosswise, as in CVAT
    first = [(4, 4), (12, 4), (12, 12), (4, 12)]
    content, _ = load(document([track([polygon(0, first), polygon(2, first[1:] + first[:1])])]))
    middle = masks(content['annotations'][0])[1]
    # a square of half the size, standing on a corner
    assert abs(middle.sum() - 32) <= 4
    assert not middle[[4, 4, 11, 11], [4, 11, 4, 11]].any()


def test_polygons_of_other_numbers_of_points_move(load):
    first = [(4, 4), (12, 4), (12, 12), (4, 12)]
    second = [(20, 4), (24, 4), (28, 4), (28, 8), (28, 12), (24, 12), (20, 12), (20, 8)]
    content, _ = load(document([track([polygon(0, first), polygon(4, second)])]))
    found = boxes(content)
    assert [found[frame] for frame in range(5)] == [[4 + 4 * n, 4, 8, 8] for n in range(5)]
    assert [*found] == [0, 1, 2, 3, 4, 5]


def test_attributes_of_datumaro_say_nothing_of_keys(load):
    meta = task(name='street', id_='', size=6, extra=labels())
    shapes = [square(0, 2, 2, keyframe=0), square(4, 9, 2, keyframe=0)]
    parts = [
        track([*shapes, square(4, 20, 2, keyframe=0)]),  # two parts
        track([brush(1, 2, 2), brush(3, 2, 2)], 1),
    ]
    content, report = load(document(parts, meta))
    assert [*boxes(content)] == [0, 4]
    assert content['annotations'][0]['areas'][4] == 128
    assert [*boxes(content, 1)] == [1, 3]
    assert report.notes == []


def test_frames_of_datumaro_begin_where_its_pictures_do(load, tmp_path):
    write_frames(tmp_path / 'labels/images', [f'frame_{n:06d}.jpg' for n in (20, 22, 24)])
    meta = task(id_='', size=3, extra=labels())
    content, _ = load(document([track([square(22, 2, 2), square(24, 9, 2)])], meta))
    assert {f: b[0] for f, b in boxes(content).items()} == {1: 2, 2: 9}


def test_tracks_that_are_outside_everywhere_are_no_fault(load):
    parts = [track([square(0, 2, 2, outside=1)]), track([square(0, 2, 2)], 1)]
    content, report = load(document(parts))
    assert tracks(content) == ['1']
    assert report.ignored == {'track that is outside in all frames': 1}


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
