"""CVAT for images: folders as videos, identity, names of pictures, and what is wrong with them."""

import json

import numpy as np
import pytest
from cvat_files import document, labels, shape, task, write_frames

from mmvseg.apis.import_labels import ImportRequest, import_labels
from mmvseg.errors import UserError


def square(left, label='cup', attributes=None, **more):
    points = f'{left},2;{left + 8},2;{left + 8},10;{left},10'
    return shape('polygon', 0, attributes=attributes, label=label, points=points, **more)


def image(name, *shapes, id_=0, hw=(30, 40), **more):
    sides = dict(height=hw[0], width=hw[1]) if hw else {}
    given = dict(id=id_, name=name) | sides | more
    text = ' '.join(f'{key}="{value}"' for key, value in given.items())
    return f'<image {text}>{"".join(shapes)}</image>'


@pytest.fixture
def load(tmp_path):
    """Imports a text as ``labels/day.xml``; ``write_frames`` puts pictures beside it."""

    def run(*images, meta=None, **more):
        folder = tmp_path / 'labels'
        folder.mkdir(exist_ok=True)
        (folder / 'day.xml').write_text(document(images, meta))
        done = import_labels(ImportRequest(source=folder, out=tmp_path / 'out', **more))
        content = json.loads((tmp_path / 'out' / 'annotations.json').read_text())
        return content, done.report

    return run


def shown(content):
    """Left edge by frame of each object, by the name of its video and its own."""
    names = {video['id']: video['name'] for video in content['videos']}
    return {
        (names[entry['video_id']], entry['track']): {
            frame: box[0] for frame, box in enumerate(entry['bboxes']) if box is not None
        }
        for entry in content['annotations']
    }


def test_folders_are_videos_and_frames_are_in_natural_order(load):
    content, report = load(
        image('b/f10.jpg', square(10, group_id=1), id_=0),
        image('a/x.jpg', id_=1),
        image('b/f2.jpg', square(2, group_id=1), id_=2),
        image('b/f9.jpg', id_=3),
    )
    assert [video['name'] for video in content['videos']] == ['b', 'a']
    assert [video['file_names'] for video in content['videos']] == [
        ['b/f2.jpg', 'b/f9.jpg', 'b/f10.jpg'],
        ['a/x.jpg'],
    ]
    assert shown(content) == {('b', 'cup, group 1'): {0: 2, 2: 10}}
    assert report.notes == []


def test_the_task_need_not_say_how_many_there_are(load):
    meta = f'<task><name>street</name>{labels()}</task>'
    content, _ = load(image('a/1.jpg', square(2)), meta=meta)
    assert [video['length'] for video in content['videos']] == [1]


def test_without_folders_the_task_is_the_video(load):
    content, _ = load(*(image(f'{n}.jpg', square(n, group_id=1)) for n in range(3)))
    assert shown(content) == {('street', 'cup, group 1'): {0: 0, 1: 1, 2: 2}}


def test_objects_are_known_by_attribute_then_by_group(load):
    content, report = load(
        image('0.jpg', square(2, attributes=dict(track_id=7)), square(20, group_id=7)),
        image('1.jpg', square(3, attributes=dict(instance_id=4)), square(21, group_id=7)),
        image('2.jpg', square(4, attributes=dict(track_id=7), group_id=9), square(22, 'dog')),
    )
    assert shown(content) == {
        ('street', 'track_id=7'): {0: 2, 2: 4},
        ('street', 'cup, group 7'): {0: 20, 1: 21},
        ('street', 'instance_id=4'): {1: 3},
        ('street', 'shape 6'): {2: 22},
    }
    (note,) = report.notes
    assert 'objects of one frame each' in note


def test_a_number_that_nobody_set(load):
    unset = dict(attributes=dict(track_id=0))
    content, report = load(
        image('a/1.jpg', square(2, **unset), square(20, **unset)),
        image('a/2.jpg', square(3, group_id=4, **unset), square(9, attributes=dict(track_id=1))),
        image('a/3.jpg', square(4, group_id=4, **unset)),
    )
    assert shown(content) == {
        ('a', 'track_id=0'): {0: 2},
        ('a', 'cup, group 4'): {1: 3, 2: 4},
        ('a', 'track_id=1'): {1: 9},
    }
    (note,) = report.notes
    assert 'nobody sets it' in note


def test_shapes_of_one_object_are_parts(load):
    content, _ = load(image('0.jpg', square(2, group_id=1), square(20, group_id=1)))
    assert content['annotations'][0]['areas'] == [128]


def test_masks_and_what_has_no_area(load):
    mask = shape('mask', 0, label='cup', rle='0, 6', left=4, top=5, width=3, height=2, group_id=1)
    content, report = load(
        image('0.jpg', mask, shape('points', 0, label='cup', points='1,2')),
        image('1.jpg', '<tag label="dog" source="manual"></tag>', square(2, outside=1)),
    )
    assert content['annotations'][0]['bboxes'] == [[4, 5, 3, 2], None]
    assert report.ignored == dict(points=1, tag=1)


def test_pictures_lie_in_images_and_may_have_another_suffix(load, tmp_path):
    write_frames(tmp_path / 'labels/images/cam', ['frame_000003.PNG', 'frame_000004.PNG'])
    content, _ = load(*(image(f'cam/frame_00000{n}', square(n, group_id=1)) for n in (3, 4)))
    names = ['cam/frame_000003.PNG', 'cam/frame_000004.PNG']
    assert content['videos'][0]['file_names'] == names
    assert all((tmp_path / 'out/frames' / name).is_file() for name in names)


@pytest.mark.parametrize('folder', ['labels/images/Train', 'given/street'])
def test_pictures_of_a_subset_and_given_ones(load, tmp_path, folder):
    write_frames(tmp_path / folder, ['0.jpg', '1.jpg'])
    given = dict(frames=tmp_path / 'given') if 'given' in folder else {}
    images = [image(f'{n}.jpg', square(n, group_id=1), subset='Train', hw=None) for n in range(2)]
    content, _ = load(*images, **given)
    assert (content['videos'][0]['height'], content['videos'][0]['width']) == (30, 40)
    assert (tmp_path / 'out/frames/street/1.jpg').is_file()


def test_frames_of_a_video_task_come_from_its_video(load, tmp_path):
    from mmvseg.media import VideoWriter

    with VideoWriter(tmp_path / 'street.mp4', 5) as writer:
        for place in range(4):
            writer.write(np.full((30, 40, 3), 60 * place, np.uint8))
    names = [f'frame_00000{n}' for n in (1, 3)]
    content, _ = load(
        *(image(name, square(2, group_id=1)) for name in names), videos=tmp_path / 'street.mp4'
    )
    assert content['videos'][0]['file_names'] == [f'street/{name}.jpg' for name in names]
    with pytest.raises(UserError, match=r'which frame is 0.jpg'):
        load(image('0.jpg'), videos=tmp_path / 'street.mp4', overwrite=True)


def test_frames_of_a_video_task_are_found_among_all_of_the_video(load, tmp_path):
    write_frames(tmp_path / 'given/street', [f'{n}.png' for n in range(5)])
    images = [image(f'frame_00000{n}', square(n, group_id=1)) for n in (1, 3)]
    content, _ = load(*images, frames=tmp_path / 'given')
    assert content['videos'][0]['file_names'] == ['street/1.png', 'street/3.png']
    with pytest.raises(UserError, match='the frames of street are needed'):
        load(image('frame_000005'), frames=tmp_path / 'given', overwrite=True)


def test_tasks_of_a_project_are_videos(load):
    tasks = task(name='a', id_='3') + task(name='b', id_='4')
    meta = f'<project><id>1</id><tasks>{tasks}</tasks>{labels()}</project>'
    content, _ = load(
        image('0.jpg', square(1, group_id=1), task_id=3),
        image('0_1.jpg', square(2, group_id=1), task_id=4),
        image('cam/0.jpg', square(3, group_id=1), task_id=4),
        meta=meta,
    )
    assert [*shown(content)] == [(name, 'cup, group 1') for name in ('a', 'b', 'cam')]


FAULTS = {
    'a polygon of 2 points': image('1.jpg', square(2).replace(';2,10', '').replace(';10,10', '')),
    "the label 'cat' is not among": image('1.jpg', square(2, 'cat')),
    '20x10 pixels, the first picture has 40x30': image('1.jpg', square(2), hw=(10, 20)),
    'lists the picture 0.jpg twice': image('0.jpg', square(2, group_id=1)),
}


@pytest.mark.parametrize('rule', FAULTS)
def test_a_broken_shape_is_told_and_can_be_left_out(load, rule):
    good = image('0.jpg', square(20, group_id=1)), image('2.jpg', square(20, group_id=1))
    with pytest.raises(UserError) as told:
        load(*good, FAULTS[rule])
    assert rule in str(told.value)
    assert 'day.xml: video street' in str(told.value)
    content, report = load(*good, FAULTS[rule], skip_bad=True)
    assert ('street', 'cup, group 1') in shown(content)
    assert any(rule in line for line in report.left_out)


def test_a_lost_picture_is_told(load, tmp_path):
    write_frames(tmp_path / 'labels/images', ['0.jpg'])
    images = [image(f'{n}.jpg', square(n, group_id=1)) for n in range(2)]
    with pytest.raises(UserError, match=r'1.jpg: video street, frame 1: there is no such picture'):
        load(*images)
    content, report = load(*images, skip_bad=True)
    assert content['videos'][0]['length'] == 1
    assert len(report.left_out) == 1


def test_an_object_of_two_classes_is_told(load):
    shapes = [square(2, label, attributes=dict(track_id=1)) for label in ('cup', 'dog')]
    with pytest.raises(UserError, match=r"track track_id=1, frame 1: has the class 'dog'"):
        load(*(image(f'{n}.jpg', shapes[n]) for n in range(2)))
