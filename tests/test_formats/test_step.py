"""The form of the STEP sets: coding of maps, crowds, sequences, results."""

import json

import numpy as np
import pytest
from panoptic_sets import VOID, pixels, write_step, write_step_map, write_step_maps
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.formats.categories import load_table
from mmvseg.formats.panoptic import find_truth, panoptic_form, read_panoptic
from mmvseg.formats.step import (
    find_segments,
    load_results,
    read_classes,
    read_step,
    read_step_map,
    segment_id,
    split_id,
    step_colors,
)

ROAD, PERSON, CAR = 0, 11, 13
#: Stuff, two tracks of the same number, a large number, a crowd, void.
FRAME = pixels([(ROAD, 0), (PERSON, 1), (CAR, 1)], [(CAR, 300), (CAR, 0), (VOID, 0)])


@pytest.fixture
def maps(tmp_path):
    return write_step(tmp_path, {'0002': [FRAME, FRAME], '0010': [FRAME[:1]]})


def test_a_pixel_is_class_and_number(tmp_path):
    write_step_map(tmp_path / 'a.png', FRAME)
    rgb = np.asarray(Image.open(tmp_path / 'a.png'))
    assert rgb[1, 0].tolist() == [CAR, 1, 44]  # 300 = 1 * 256 + 44
    ids = read_step_map(tmp_path / 'a.png')
    assert ids[1, 2] == 0
    assert split_id(ids[1, 0]) == (CAR, 300)
    assert ids[0, 0] == segment_id(ROAD, 0) == 1  # road is no void, though all of it is 0
    assert len(np.unique(ids)) == 6


def test_the_largest_number_fits():
    assert split_id(segment_id(254, 65535)) == (254, 65535)
    assert step_colors([(254, 65535), (VOID, 0)]).tolist() == [[254, 255, 255], [255, 0, 0]]


def test_a_thing_without_number_is_a_crowd_in_the_ground_truth_alone(tmp_path):
    write_step_map(tmp_path / 'a.png', FRAME)
    ids = read_step_map(tmp_path / 'a.png')
    table = {category.id: category for category in load_table('kitti_step')}
    truth = find_segments(ids, table, 'a.png', crowds=True)
    assert [split_id(s.id) for s in truth if s.iscrowd] == [(CAR, 0)]
    assert {s.area for s in truth} == {1}
    assert not any(s.iscrowd for s in find_segments(ids, table, 'a.png', crowds=False))


def test_sequences_have_sizes_of_their_own(maps):
    truth = read_step(maps, 'kitti_step')
    assert [(v.name, v.height, v.width, v.length) for v in truth.videos.values()] == [
        ('0002', 2, 3, 2),
        ('0010', 1, 3, 1),
    ]
    assert truth.form == panoptic_form(maps) == 'step'
    assert find_truth(maps) == maps
    assert read_panoptic(maps, version='kitti_step').videos.keys() == truth.videos.keys()


def test_only_persons_and_cars_are_things_of_kitti():
    things = [c.name for c in load_table('kitti_step') if c.is_thing]
    assert things == ['person', 'car']
    assert [c.name for c in load_table('motchallenge_step') if c.is_thing] == ['person']
    assert [len(load_table(name)) for name in ('kitti_step', 'motchallenge_step')] == [19, 7]


def test_classes_have_to_be_named(maps):
    with pytest.raises(UserError, match='do not say what their classes are; name them'):
        read_step(maps)
    with pytest.raises(UserError, match="no classes 'kitti'"):
        read_step(maps, 'kitti')
    entries = [dict(id=i, name=str(i), isthing=int(i > 9)) for i in (ROAD, PERSON, CAR)]
    path = maps.parent / 'categories.json'
    path.write_text(json.dumps(entries))
    assert [c.is_thing for c in read_step(maps).categories] == [False, True, True]
    entries[0].pop('isthing')
    path.write_text(json.dumps(entries))
    with pytest.raises(UserError, match=r'categories\[0\]: isthing is missing'):
        read_classes(maps)
    path.write_text(json.dumps([dict(id=255, name='a', isthing=0)]))
    with pytest.raises(UserError, match='255 is not from 0 to 254'):
        read_classes(maps)


def test_a_class_that_is_none(maps):
    write_step_map(maps / '0002/000001.png', pixels([(ROAD, 0), (50, 0), (50, 0)]).repeat(2, 0))
    video = read_step(maps, 'kitti_step').videos['0002']
    assert len(video.frames[0].segments) == 5
    with pytest.raises(UserError, match=r'0002/000001\.png: 4 pixels of class 50'):
        video.segment_ids()


def test_wanted_sequences_have_to_be_there(maps):
    assert [*read_step(maps, 'kitti_step', ['0010']).videos] == ['0010']
    with pytest.raises(UserError, match='has no sequence 0018, which is one of the 2'):
        read_step(maps, 'kitti_step', ['0002', '0018'])
    (maps / '0011').mkdir()
    with pytest.raises(UserError, match='0011: has no maps'):
        read_step(maps, 'kitti_step')


def test_results_are_found_by_name(maps, tmp_path):
    truth = read_step(maps, 'kitti_step')
    write_step_maps(tmp_path / 'pred', {'0002': [FRAME, FRAME], '0010': [FRAME[:1]], '0099': []})
    found = load_results(tmp_path / 'pred', truth)
    assert [*found] == ['0002', '0010']
    assert found['0002'].frames[1].mask == tmp_path / 'pred/0002/000001.png'
    assert not any(s.iscrowd for s in found['0002'].frames[1].segments)
    assert [*load_results(tmp_path / 'pred', truth, {'0010': truth.videos['0010']})] == ['0010']
    (tmp_path / 'pred/0002/000001.png').unlink()
    with pytest.raises(UserError, match=r'sequence 0002: 1 of 2 frames have no result.*000001'):
        load_results(tmp_path / 'pred', truth)


def test_results_of_another_size(maps, tmp_path):
    truth = read_step(maps, 'kitti_step')
    write_step_maps(tmp_path / 'pred', {'0002': [FRAME, FRAME[:1]], '0010': [FRAME[:1]]})
    with pytest.raises(UserError, match='3x1 pixels, the frames of the video have 3x2'):
        load_results(tmp_path / 'pred', truth)['0002'].segment_ids()


def test_pictures_may_be_of_another_kind(maps):
    video = read_step(maps, 'kitti_step').videos['0002']
    root = maps.parent.parent / 'images/val'
    (root / '0002/000001.png').rename(root / '0002/000001.jpg')
    assert video.frame_paths(root) == [
        str(root / '0002/000000.png'),
        str(root / '0002/000001.jpg'),
    ]
    (root / '0002/000001.jpg').unlink()
    with pytest.raises(UserError, match='has no picture 000001'):
        video.frame_paths(root)
