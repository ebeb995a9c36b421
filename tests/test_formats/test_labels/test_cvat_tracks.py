"""CVAT for video: which object a track is of, and what is seen between key frames."""

import numpy as np
import pytest
from cvat_files import (
    box,
    boxes,
    brush,
    cvat_import,
    document,
    labels,
    masks,
    polygon,
    square,
    task,
    track,
    tracks,
    write_frames,
)


@pytest.fixture
def load(tmp_path):
    return cvat_import(tmp_path)


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
    assert 'nobody sets it' in report.notes[0]


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
