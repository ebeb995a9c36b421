"""COCO files whose frames are images: CocoVID, TAO, BDD100K's."""

import cv2
import numpy as np
import pytest
from coco_scenes import CLASSES, A, B, annotation, coco_vid, fault, image, read, without
from label_reading import code, masks, read_labels, runs, shown


def test_instances_are_told_apart_by_video_and_number(tmp_path):
    found = read(tmp_path, coco_vid())
    assert found.ids == {'car': 3, 'Fußgänger': 7}
    assert shown(found.videos['one']) == {'5': ('car', [0, 1])}
    assert shown(found.videos['two']) == {'5': ('Fußgänger', [0])}
    np.testing.assert_array_equal(masks(found.videos['one'].objects[0])[1], B)
    assert not found.notes


@pytest.mark.parametrize('field', ['frame_id', 'frame_index'])
def test_frames_are_in_the_order_of_their_numbers(tmp_path, field):
    numbers = {1: 90, 2: 40, 3: 0, 4: 30}
    images = [image(i, 0, 1, **{field: n}, file_name=f'v/{i}.jpg') for i, n in numbers.items()]
    images = [{k: v for k, v in one.items() if k in (field, *image(1, 1))} for one in images]
    for one in images:
        if field != 'frame_id':
            del one['frame_id']
    annotations = [annotation(i, i, i) for i in numbers]
    content = coco_vid(videos=[dict(id=1, name='one')], images=images, annotations=annotations)
    video = read(tmp_path, content).videos['one']
    assert [frame.name for frame in video.frames] == ['3.jpg', '4.jpg', '2.jpg', '1.jpg']
    assert shown(video)['1'] == ('car', [3])


def test_an_order_against_the_names_is_said(tmp_path):
    images = [image(1, 1, file_name='v/1.jpg'), image(2, 0, file_name='v/2.jpg')]
    content = coco_vid(videos=[dict(id=1, name='one')], images=images, annotations=[])
    content['annotations'] = [annotation(1, 1, 1)]
    (note,) = read(tmp_path, content).notes
    assert 'video one: its frames are in another order than their names' in note


@pytest.mark.parametrize(
    'segmentation',
    [
        code(B),
        runs(B),
        [[5, 2, 12, 2, 12, 7, 5, 7]],
        [[5, 2, 9, 2, 9, 7, 5, 7], [9, 2, 12, 2, 12, 7, 9, 7]],
    ],
    ids=['compressed', 'runs', 'polygon', 'parts'],
)
def test_masks_in_the_three_ways(tmp_path, segmentation):
    content = coco_vid(annotations=[annotation(1, 1, 1, segmentation)])
    found = read(tmp_path, content).videos['one'].objects[0]
    np.testing.assert_array_equal(masks(found)[0], B)


@pytest.mark.parametrize(
    'nothing', [code(A & ~A), runs(A & ~A), [], [[]], None, dict(size=[8, 12], counts='')]
)
def test_an_empty_mask_is_an_absent_object(tmp_path, nothing):
    content = coco_vid()
    content['annotations'][1]['segmentation'] = nothing
    assert shown(read(tmp_path, content).videos['one']) == {'5': ('car', [0])}


def test_a_box_without_a_mask_is_filled_and_said(tmp_path):
    content = coco_vid(annotations=[annotation(1, 1, 1, [], bbox=[5, 2, 7, 5])])
    found = read(tmp_path, content)
    np.testing.assert_array_equal(masks(found.videos['one'].objects[0])[0], B)
    assert 'a box and no mask' in found.notes[0]


@pytest.mark.parametrize(
    'field',
    [
        'instance_id',
        'track_id',
        'object_id',
        'scalabel_id',
        'attributes.track_id',
        'attributes.instance_id',
        'attributes.object_id',
    ],
)
@pytest.mark.parametrize('value', [4, '4', 4.0])
def test_fields_that_name_the_object(tmp_path, field, value):
    prefix, _, name = field.rpartition('.')
    named = {name: value}
    given = [annotation(i, i, None, **({prefix: named} if prefix else named)) for i in (1, 2)]
    found = read(tmp_path, coco_vid(annotations=given))
    assert shown(found.videos['one']) == {'4': ('car', [0, 1])}


def test_a_group_is_an_object_together_with_its_class(tmp_path):
    given = [annotation(i, i, None, group_id=1) for i in (1, 2)]
    given += [annotation(i + 2, i, None, category_id=7, group_id=1) for i in (1, 2)]
    given += [annotation(5, 1, None, group_id=0), annotation(6, 2, None, group_id=None)]
    found = read(tmp_path, coco_vid(annotations=given))
    assert list(shown(found.videos['one']).values()) == [
        ('car', [0, 1]),
        ('Fußgänger', [0, 1]),
        ('car', [0]),
        ('car', [1]),
    ]


def test_without_identity_each_mask_is_an_object_and_a_note_is_loud(tmp_path):
    found = read(tmp_path, without(coco_vid(), 'instance_id'))
    assert list(shown(found.videos['one']).values()) == [('car', [0]), ('car', [1])]
    assert 'NO OBJECT IS FOLLOWED OVER FRAMES' in found.notes[0]


def test_masks_without_identity_among_others_are_counted(tmp_path):
    content = coco_vid()
    del content['annotations'][1]['instance_id']
    found = read(tmp_path, content)
    assert list(shown(found.videos['one']).values()) == [('car', [0]), ('car', [1])]
    assert '1 of 3 annotations have no instance_id' in found.notes[0]


@pytest.mark.parametrize('flag', ['iscrowd', 'ignore'])
def test_a_flag_of_tools_is_no_crowd_unless_it_is_said(tmp_path, flag):
    content = coco_vid()
    content['annotations'][1][flag] = 1
    found = read(tmp_path, content)
    assert not found.videos['one'].objects[0].is_crowd
    assert '1 annotation with iscrowd 1' in found.notes[0]
    assert '--keep-crowd' in found.notes[0]
    kept = read_labels('coco', tmp_path, keep_crowd=True)
    assert kept.videos['one'].objects[0].is_crowd
    assert not kept.videos['two'].objects[0].is_crowd
    assert 'crowds, which are not trained on' in kept.notes[0]


def test_ids_of_classes_may_begin_at_0(tmp_path):
    content = coco_vid(categories=[dict(id=0, name='car'), dict(id=1, name='dog')])
    content['annotations'] = [annotation(1, 1, 1, category_id=0)]
    found = read(tmp_path, content)
    assert found.ids == {'car': 0, 'dog': 1}
    assert shown(found.videos['one']) == {'1': ('car', [0])}


def tao(**lists):
    content = coco_vid(tracks=[dict(id=5, category_id=3, video_id=1)]) | lists
    content['annotations'] = [annotation(i, i, None, track_id=5) for i in (1, 2)]
    content['videos'] = [
        dict(id=1, name='train/Src/one', neg_category_ids=[7], not_exhaustive_category_ids=[])
    ]
    content['images'] = content['images'][:2]
    return content


def test_tracks_and_exhaustiveness_of_tao(tmp_path):
    content = tao(categories=[dict(id=0, name='x'), *CLASSES])
    video = read(tmp_path, content).videos['train/Src/one']
    assert shown(video) == {'5': ('car', [0, 1])}
    # of the written file, whose classes are counted anew since one has the id 0
    assert video.extra == dict(neg_category_ids=[3], not_exhaustive_category_ids=[])


@pytest.mark.parametrize(
    ('change', 'rule'),
    [
        (dict(tracks=[]), 'track 5, frame 0: it is not in the list of tracks'),
        (dict(tracks=[dict(id=5, category_id=7, video_id=1)]), "has the class 'car', and 'Fuß"),
        (
            dict(tracks=[dict(id=i, category_id=3, video_id=1) for i in (5, 6)]),
            'track 6: has no mask in any frame',
        ),
        (dict(tracks=[dict(id=5, category_id=3, video_id=9)]), 'tracks[0]: there is no video 9'),
        (dict(tracks=[dict(id=5, category_id=9, video_id=1)]), 'there is no category 9'),
        (dict(tracks=[dict(id=5, category_id=3, video_id=1)] * 2), 'tracks[1]: it is there twice'),
        (dict(tracks=[dict(id=5, video_id=1)]), 'tracks[0]: missing category_id'),
    ],
)
def test_tables_of_tracks_that_do_not_fit(tmp_path, change, rule):
    assert rule in fault(tmp_path, tao(**change))


def changed(name, position, /, **values):
    content = coco_vid()
    content[name][position] |= values
    return content


FAULTS = {
    'annotations[1]: there is no image 9': changed('annotations', 1, image_id=9),
    'annotations[1]: there is no category 9': changed('annotations', 1, category_id=9),
    "video one, track 5, frame 1: has the class 'Fußgänger', and 'car' before": changed(
        'annotations', 1, category_id=7
    ),
    'video one, track 5, frame 1: the size [4, 4] is not the video size [8, 12]': changed(
        'annotations', 1, segmentation=code(A[:4, :4])
    ),
    'video one, track 5, frame 1: the runs must be': changed(
        'annotations', 1, segmentation=dict(size=[8, 12], counts=[3, 4])
    ),
    'video one, track 5, frame 1: the run-length code is cut off': changed(
        'annotations', 1, segmentation=dict(size=[8, 12], counts='P')
    ),
    'video one, track 5, frame 1: a polygon of 1 point': changed(
        'annotations', 1, segmentation=[[1, 1]]
    ),
    'frame 1: a polygon of 7 numbers': changed('annotations', 1, segmentation=[[1] * 7]),
    'frame 1: a shape reaches far outside': changed(
        'annotations', 1, segmentation=[[0, 0, 9999, 0, 9999, 9999]]
    ),
    "annotations[1].segmentation: 'mask' is not": changed('annotations', 1, segmentation='mask'),
    "annotations[1].image_id: 'x' is not": changed('annotations', 1, image_id='x'),
    'images[1]: the id 1 is there twice': changed('images', 1, id=1),
    'image v1/001.jpg: there is no video 9': changed('images', 1, video_id=9),
    'v1/000.jpg and v1/001.jpg are the same frame': changed('images', 1, frame_id=0),
    'image v1/001.jpg has no frame number': changed('images', 1, frame_id=None),
    'image v1/001.jpg has 9 x 12, the first of the video 8 x 12': changed('images', 1, height=9),
    'videos[1]: the id 1 is there twice': changed('videos', 1, id=1),
    "categories[1]: the id 7 or the name 'car' is there twice": changed(
        'categories', 1, name='car'
    ),
    'images[1].height: 0 is not a number of pixels': changed('images', 1, height=0),
}


@pytest.mark.parametrize('rule', FAULTS)
def test_what_is_broken_is_named_and_can_be_left_out(tmp_path, rule):
    message = fault(tmp_path, FAULTS[rule])
    assert message.startswith(str(tmp_path / 'labels.json'))
    assert rule in message
    assert message.endswith('(--skip-bad leaves out what is broken and goes on)')
    found = read_labels('coco', tmp_path, skip_bad=True)
    assert any(rule in line for line in found.left_out)
    frames = [0, 1] if rule.startswith(('videos', 'categories')) else [0]
    assert shown(found.videos['one'])['5'] == ('car', frames)


def test_sound_polygons_of_an_object_stay(tmp_path):
    content = coco_vid(
        annotations=[annotation(1, 1, 5, [[1, 1, 2, 2], [5, 2, 12, 2, 12, 7, 5, 7]])]
    )
    (labelled,) = read(tmp_path, content, skip_bad=True).videos['one'].objects
    np.testing.assert_array_equal(masks(labelled)[0], B)


def test_a_video_without_frames(tmp_path):
    content = coco_vid(videos=[dict(id=i, name=f'v{i}') for i in (1, 2, 3)])
    assert 'video v3: a video without frames' in fault(tmp_path, content)
    assert set(read_labels('coco', tmp_path, skip_bad=True).videos) == {'v1', 'v2'}


def test_size_from_the_video_or_the_pictures(tmp_path):
    content = without(coco_vid(), 'height', 'width')
    assert 'neither height and width nor pictures' in fault(tmp_path, content)
    for number in (1, 2):
        (tmp_path / f'v{number}').mkdir()
        for frame in range(2):
            picture = np.zeros((8, 12, 3), np.uint8)
            cv2.imwrite(str(tmp_path / f'v{number}' / f'{frame:03d}.jpg'), picture)
    assert len(read_labels('coco', tmp_path).videos) == 2
    for video in content['videos']:
        video |= dict(height=8, width=12)
    (tmp_path / 'elsewhere').mkdir()
    assert len(read(tmp_path / 'elsewhere', content).videos) == 2
