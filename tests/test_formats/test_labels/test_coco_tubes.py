"""The form of YouTube-VIS as LV-VIS and SA-Co have it."""

import copy

import cv2
import numpy as np
import pytest
from label_reading import block, code, masks, read_labels, runs, shown, write_json

from mmvseg.errors import UserError

A, B = block(0, 0, 4, 4), block(2, 5, 7, 12)
NONE = code(A & ~A)


def tube(id_, segmentations, video_id=0, category_id=1, **more):
    known = dict(id=id_, video_id=video_id, category_id=category_id, iscrowd=0)
    return known | dict(segmentations=segmentations) | more


def tubes(**lists):
    content = dict(
        videos=[
            dict(id=0, width=12, height=8, length=2, file_names=['a/0.jpg', 'a/1.jpg']),
            dict(id=1, width=12, height=8, length=2, file_names=['b/0.jpg', 'b/1.jpg']),
        ],
        categories=[dict(id=1, name='car', partition=2), dict(id=2, name='the red car')],
        annotations=[tube(0, [code(A), None]), tube(1, [code(A), code(B)], video_id=1)],
    )
    return copy.deepcopy(content | lists)


def read(tmp_path, content, **options):
    write_json(tmp_path / 'labels.json', content)
    return read_labels('coco', tmp_path, **options)


def fault(tmp_path, content):
    with pytest.raises(UserError) as error:
        read(tmp_path, content)
    return str(error.value)


def test_ids_begin_at_0_and_classes_keep_their_partition(tmp_path):
    found = read(tmp_path, tubes())
    assert shown(found.videos['a']) == {'0': ('car', [0])}
    assert shown(found.videos['b']) == {'1': ('car', [0, 1])}
    assert found.extra == {'car': dict(partition=2), 'the red car': {}}
    assert not found.notes


@pytest.mark.parametrize('nothing', [None, NONE, runs(A & ~A), [], dict(size=[8, 12], counts='')])
def test_absent_frames(tmp_path, nothing):
    entry = tube(0, [code(A), nothing], bboxes=[[0, 0, 4, 4], [0, 0, 0, 0]], areas=[16, 0])
    found = read(tmp_path, tubes(annotations=[entry]))
    assert shown(found.videos['a']) == {'0': ('car', [0])}
    np.testing.assert_array_equal(masks(found.videos['a'].objects[0])[0], A)


@pytest.mark.parametrize(
    ('more', 'file_names', 'name'),
    [
        (dict(video_name='x'), ['a/0.jpg', 'a/1.jpg'], 'x'),
        (dict(name='x'), ['a/0.jpg', 'a/1.jpg'], 'x'),
        ({}, ['val\\JPEGImages\\a\\0.jpg', 'val\\JPEGImages\\a\\1.jpg'], 'a'),
        ({}, ['c/b/0.jpg', 'c/b/1.jpg'], 'c/b'),  # the other one is called b, too
        ({}, ['0.jpg', '1.jpg'], '0'),
    ],
)
def test_names_of_videos(tmp_path, more, file_names, name):
    content = tubes()
    content['videos'][0] |= dict(file_names=file_names) | more
    video = read(tmp_path, content).videos[name]
    assert [frame.name for frame in video.frames] == ['0.jpg', '1.jpg']


def test_windows_separators_lead_to_pictures(tmp_path):
    content = tubes()
    content['videos'][0]['file_names'] = ['val\\JPEGImages\\a\\0.jpg', 'val\\JPEGImages\\a\\1.jpg']
    (tmp_path / 'frames/a').mkdir(parents=True)
    for index in range(2):
        cv2.imwrite(str(tmp_path / f'frames/a/{index}.jpg'), np.zeros((8, 12, 3), np.uint8))
    video = read(tmp_path, content).videos['a']
    assert [frame.picture.name for frame in video.frames] == ['frames/a/0.jpg', 'frames/a/1.jpg']


def test_an_object_of_two_phrases_is_two_objects(tmp_path):
    content = tubes(annotations=[tube(i, [code(A), code(B)], category_id=i) for i in (1, 2)])
    found = shown(read(tmp_path, content).videos['a'])
    assert found == {'1': ('car', [0, 1]), '2': ('the red car', [0, 1])}


def test_phrases_that_fit_nothing_are_kept(tmp_path):
    pairs = [
        dict(id=0, video_id=0, category_id=1, noun_phrase='car', num_masklets=1),
        dict(id=1, video_id=0, category_id=2, noun_phrase='the red car', num_masklets=0),
    ]
    found = read(tmp_path, tubes(video_np_pairs=pairs))
    assert found.videos['a'].extra == dict(neg_category_ids=[2])
    assert found.videos['b'].extra == {}


def test_crowds_on_request(tmp_path):
    content = tubes(annotations=[tube(1, [code(A), None], iscrowd=1), tube(2, [None, code(A)])])
    found = read(tmp_path, content)
    assert [labelled.is_crowd for labelled in found.videos['a'].objects] == [False, False]
    assert '1 annotation with iscrowd 1' in found.notes[0]
    found = read_labels('coco', tmp_path, keep_crowd=True)
    assert [labelled.is_crowd for labelled in found.videos['a'].objects] == [True, False]


def annotations(*more):
    return tubes(annotations=[tube(0, [code(A), None]), *more])


FAULTS = {
    'video a, track 5: segmentations has 1 entry, the video has 2 frames': annotations(
        tube(5, [code(A)])
    ),
    'video a, track 5: there is no category 9': annotations(
        tube(5, [code(A), None], category_id=9)
    ),
    'video a, track 0: two annotations of the video have this id': annotations(
        tube(0, [code(A), None])
    ),
    'video a, track 5: has no mask in any frame': annotations(tube(5, [None, NONE])),
    'annotations[1]: there is no video 9': annotations(tube(5, [code(A), None], video_id=9)),
    'video a, track 5, frame 1: the size [8, 8] is not': annotations(
        tube(5, [code(A), code(A[:, :8])])
    ),
    'video a, track 5, frame 1: the run-length code covers': annotations(
        tube(5, [code(A), dict(size=[8, 12], counts='1')])
    ),
    "frame 1, annotations[1].segmentations: 'x' is not": annotations(tube(5, [code(A), 'x'])),
    'annotations[1]: missing video_id': annotations(dict(id=5, segmentations=[None, None])),
    'videos[2]: the id 0 is there twice': tubes(videos=[*tubes()['videos'], tubes()['videos'][0]]),
    'videos[2]: missing height': tubes(
        videos=[*tubes()['videos'], dict(id=3, width=12, file_names=['c/0.jpg'])]
    ),
    'video 3: a video without frames': tubes(
        videos=[*tubes()['videos'], dict(id=3, width=12, height=8, file_names=[])]
    ),
    'video_np_pairs[0]: there is no video 7': tubes(
        video_np_pairs=[dict(video_id=7, category_id=1, num_masklets=0)]
    ),
    'neg_category_ids: there is no category 7': tubes(
        video_np_pairs=[dict(video_id=0, category_id=7, num_masklets=0)]
    ),
}


@pytest.mark.parametrize('rule', FAULTS)
def test_what_is_broken_is_named_and_can_be_left_out(tmp_path, rule):
    message = fault(tmp_path, FAULTS[rule])
    assert message.startswith(str(tmp_path / 'labels.json'))
    assert rule in message
    found = read_labels('coco', tmp_path, skip_bad=True)
    assert any(rule in line for line in found.left_out)
    assert shown(found.videos['a'])['0'] == ('car', [0])


def test_frames_against_the_order_of_their_names_are_said(tmp_path):
    content = tubes()
    content['videos'][0]['file_names'].reverse()
    found = read(tmp_path, content)
    assert [frame.name for frame in found.videos['a'].frames] == ['1.jpg', '0.jpg']
    assert 'video a: its frames are in another order' in found.notes[0]
