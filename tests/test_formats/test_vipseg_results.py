"""Reading panoptic files and comparing their frames: what breaks the format is named."""

import cv2
import numpy as np
import pytest
from panoptic_files import (
    CATEGORIES,
    edit_json,
    listed,
    segment,
    write_ids,
    write_predictions,
    write_truth,
)
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.panoptic_overlap import count_pairs, video_overlaps
from mmvseg.formats.dataset_checker import check_dataset
from mmvseg.formats.problems import Level
from mmvseg.formats.vipseg import read_vipseg
from mmvseg.formats.vipseg_results import find_ground_truth, load_results

IDS = np.array([[1, 1, 2], [0, 2, 2]])
SEGMENTS = listed(IDS, {1: 0, 2: 7})


@pytest.fixture
def folder(tmp_path):
    """Ground truth and equal predictions of two videos of two frames."""
    videos = dict(a=[(IDS, SEGMENTS)] * 2, b=[(IDS, SEGMENTS)] * 2)
    write_truth(tmp_path / 'gt', videos)
    write_predictions(tmp_path / 'pred', videos)
    return tmp_path


def compare(folder):
    path = find_ground_truth(folder / 'gt')
    truth = read_vipseg(path, path.parent / 'panomasksRGB')
    results = load_results(folder / 'pred', truth)
    return {
        name: [*video_overlaps(video, results[name])] for name, video in truth.annotated.items()
    }


def frame_of(content, video=1, frame=1):
    return content['annotations'][video]['annotations'][frame]


def test_equal_frames(folder):
    frame = compare(folder)['b'][1]
    assert frame.counts.tolist() == [[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 3, 0], [0, 0, 0, 0]]
    assert frame.areas.tolist() == [0, 2, 3, 0]
    assert [(row, s.category_id) for row, s in frame.truth.items()] == [(1, 0), (2, 7)]


def test_pairs_are_counted_by_pixel():
    rng = np.random.default_rng(0)
    truth, pred = rng.choice([0, 3, 9, 2**24 - 1], (2, 20, 30))
    counts = count_pairs(truth, pred, np.array([3, 2**24 - 1]), np.array([5, 9]))
    for row, true in ((0, 0), (1, 3), (2, 2**24 - 1), (3, 9)):  # 9 is not given
        assert counts[row, 2] == ((truth == true) & (pred == 9)).sum()
        others = (pred == 3) | (pred == 2**24 - 1)
        assert counts[row].tolist()[::3] == [
            ((truth == true) & (pred == 0)).sum(),
            ((truth == true) & others).sum(),
        ]
        assert counts[row, 1] == 0


def test_predictions_of_other_videos_are_left_out(folder):
    edit_json(
        folder / 'pred/pred.json',
        lambda c: c['annotations'].append(dict(video_id='other', annotations=[])),
    )
    assert compare(folder).keys() == {'a', 'b'}


def test_an_id_listed_twice_counts_once(folder):
    def repeat(content):
        frame_of(content)['segments_info'].append(segment(1, 0, area=10))

    edit_json(folder / 'gt/panoptic_gt_val.json', repeat)
    edit_json(folder / 'pred/pred.json', repeat)
    assert compare(folder)['b'][1].areas.tolist() == [0, 12, 3, 0]


@pytest.mark.parametrize(
    ('edit', 'message'),
    [
        (lambda c: c['annotations'].pop(0), '1 of 2 videos of .*are missing, the first is a'),
        (
            lambda c: c['annotations'].append(c['annotations'][0]),
            'video a, annotations: the video is listed twice',
        ),
        (
            lambda c: c['annotations'][1]['annotations'].pop(),
            'video b, annotations: 1 entry, but the video has 2 frames',
        ),
        (
            lambda c: c['annotations'][1]['annotations'].reverse(),
            "video b, frame 0, file_name: '0001.jpg', but the image in this place is '0000",
        ),
        (
            lambda c: frame_of(c)['segments_info'].pop(),
            r'pan_pred/b/0001\.png: has id 2, which segments_info of this frame does not list',
        ),
        (
            lambda c: frame_of(c)['segments_info'].append(segment(9, 0)),
            r'pan_pred/b/0001\.png: segments_info of this frame lists id 9, which no pixel has',
        ),
        (
            lambda c: frame_of(c)['segments_info'][0].update(category_id=99),
            'video b, frame 1, segment 1, category_id: unknown category 99$',
        ),
        (
            lambda c: frame_of(c)['segments_info'][0].update(id=0),
            r'frame 1, segment 0, segments_info.0..id: 0 is not an integer from 1 to 16777215',
        ),
        (
            lambda c: frame_of(c)['segments_info'][0].update(id=2**24),
            '16777216 is not an integer from',
        ),
        (
            lambda c: frame_of(c)['segments_info'][0].pop('id'),
            r'frame 1, segments_info.0.: missing id',
        ),
        (
            lambda c: frame_of(c)['segments_info'].append(segment(1, 7)),
            'segment 1, id: listed twice in the frame, with different classes',
        ),
        (
            lambda c: frame_of(c).pop('segments_info'),
            r'frame 1, annotations.1.: missing segments_info',
        ),
        (
            lambda c: frame_of(c).pop('file_name'),
            r'video b, frame 1, annotations.1.: missing file_name',
        ),
        (lambda c: c.pop('annotations'), 'not a list of predictions'),
        (lambda c: c['annotations'][0].pop('video_id'), r'annotations.0.: missing video_id'),
    ],
)
def test_broken_predictions_are_named(folder, edit, message):
    edit_json(folder / 'pred/pred.json', edit)
    with pytest.raises(UserError, match=message):
        compare(folder)


@pytest.mark.parametrize(
    ('edit', 'message'),
    [
        (lambda c: c.pop('categories'), r'gt_val\.json: not a VIPSeg file'),
        (lambda c: c['categories'].append(CATEGORIES[0]), 'duplicate id 7'),
        (lambda c: c['categories'][0].pop('isthing'), r'categories.0.: isthing is missing'),
        (
            lambda c: c['annotations'].append(c['annotations'][0]),
            'video a, annotations.2.: the video is annotated twice',
        ),
        (
            lambda c: frame_of(c)['segments_info'][0].update(area=None),
            r'video b, frame 1, segment 1, segments_info.0..area: None is not a number',
        ),
        (
            lambda c: frame_of(c)['segments_info'][0].update(iscrowd=2),
            'iscrowd: 2 is not 0 or 1',
        ),
        (lambda c: frame_of(c)['segments_info'][0].pop('iscrowd'), 'missing iscrowd'),
        (
            lambda c: frame_of(c)['segments_info'][0].update(category_id=1),
            'category_id: unknown category 1 ',
        ),
    ],
)
def test_broken_ground_truth_is_named(folder, edit, message):
    edit_json(folder / 'gt/panoptic_gt_val.json', edit)
    with pytest.raises(UserError, match=message):
        compare(folder)


@pytest.mark.parametrize('place', ['gt/panomasksRGB', 'pred/pan_pred'])
def test_broken_maps_are_named(folder, place):
    path = folder / place / 'b' / '0001.png'
    complete = path.read_bytes()
    for break_it, message in (
        (path.unlink, 'cannot be read'),
        (lambda: path.write_bytes(b''), 'not a readable image'),
        (lambda: path.write_bytes(complete[:-20]), 'not a readable image'),
        (lambda: cv2.imwrite(str(path), IDS.astype(np.uint8)), 'three 8-bit channels'),
        (lambda: Image.fromarray(IDS.astype(np.uint8), 'P').save(path), 'three 8-bit channels'),
        (lambda: cv2.imwrite(str(path), np.zeros((2, 3, 3), np.uint16)), 'three 8-bit channels'),
        (lambda: cv2.imwrite(str(path), np.zeros((2, 3, 4), np.uint8)), 'three 8-bit channels'),
    ):
        break_it()
        with pytest.raises(UserError, match=rf'{place}/b/0001\.png: .*{message}'):
            compare(folder)


def test_sizes_must_agree(folder):
    write_ids(folder / 'pred/pan_pred/b/0001.png', IDS.T)
    message = r'pan_pred/b/0001\.png: is 2x3 pixels, the ground truth .*b/0001\.png is 3x2'
    with pytest.raises(UserError, match=message):
        compare(folder)


def test_the_json_of_a_folder(tmp_path):
    with pytest.raises(UserError, match='has none; give the path of the json itself'):
        find_ground_truth(tmp_path)
    for name in ('panoptic_gt_train.json', 'panoptic_gt_test.json'):
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r'has panoptic_gt_test\.json, panoptic_gt_train\.json'):
        find_ground_truth(tmp_path)
    assert find_ground_truth(tmp_path / name) == tmp_path / name
    (tmp_path / 'panoptic_gt_val.json').touch()
    assert find_ground_truth(tmp_path).name == 'panoptic_gt_val.json'


@pytest.mark.parametrize('annotations', [None, []])
def test_ground_truth_without_annotations(tmp_path, annotations):
    path = write_truth(tmp_path, {})
    edit_json(path, lambda content: content.update(annotations=annotations))
    assert read_vipseg(path, tmp_path).annotated == {}


def test_annotations_must_be_in_the_order_of_the_images(folder):
    path = folder / 'gt/panoptic_gt_val.json'
    edit_json(path, lambda content: content['annotations'][1]['annotations'].reverse())
    with pytest.raises(
        UserError, match=r'video b, frame 0, file_name: .*in the order of the images'
    ):
        compare(folder)


def test_videos_without_annotations_are_left_out(folder):
    path = folder / 'gt/panoptic_gt_val.json'
    edit_json(path, lambda content: content['annotations'].pop(0))
    truth = read_vipseg(path, folder / 'gt/panomasksRGB')
    assert ([*truth.videos], [*truth.annotated]) == (['a', 'b'], ['b'])
    assert compare(folder).keys() == {'b'}
    (flaw,) = check_dataset(path, None)
    assert flaw.level is Level.FLAW
    assert 'video a, annotations: has none' in str(flaw)
    assert [video.annotated for video in read_vipseg(path).videos.values()] == [False, True]
