"""VPQ of Cityscapes-VPS: over labelled frames, in windows of 1 to 4."""

import numpy as np
import pytest
from panoptic_files import edit_json
from panoptic_sets import write_cityscapes_predictions, write_cityscapes_vps

from mmvseg.errors import UserError
from mmvseg.evaluation import CityscapesVPSMetric
from mmvseg.evaluation.folder_scores import score_panoptic
from mmvseg.evaluation.functional.vpq import evaluate_vpq
from mmvseg.formats.cityscapes_vps import read_cityscapes_vps
from mmvseg.formats.cityscapes_vps_results import load_results
from mmvseg.structures import CodedMaps, Segment, VideoDataSample, VideoPanoptic

ROAD, CAR, OTHER = 1, 70000, 70001
FRAME, SWITCHED = np.array([[ROAD, CAR]]), np.array([[ROAD, OTHER]])
TRUTH = {'0001': [FRAME] * 6, '0005': [FRAME] * 6}
#: The car has another id from the fourth labelled frame on.
PRED = {'0001': [FRAME] * 3 + [SWITCHED] * 3, '0005': [FRAME] * 6}


@pytest.fixture
def truth(tmp_path):
    path = write_cityscapes_vps(tmp_path, TRUTH)
    return read_cityscapes_vps(path, tmp_path / 'val/panoptic_video')


@pytest.fixture
def pred(tmp_path):
    write_cityscapes_predictions(tmp_path / 'pred', PRED)
    return tmp_path / 'pred'


def expected_car(k):
    """By hand: quality of the car in windows of k labelled frames."""
    whole = 6 - k + 1  # windows of the second video, and how many are in the first
    hits, iou, wrong, missed = whole, float(whole), 0, 0
    for start in range(whole):
        before = max(0, min(3, start + k) - start)
        longer = max(before, k - before)
        if longer == k:
            hits, iou = hits + 1, iou + 1
        elif longer / k > 0.5:
            hits, iou, wrong = hits + 1, iou + longer / k, wrong + 1
        else:
            wrong, missed = wrong + 2, missed + 1
    return iou / (hits + wrong / 2 + missed / 2)


def test_windows_are_of_labelled_frames(truth, pred):
    result = evaluate_vpq(truth, load_results(pred, truth))
    assert [*result.sums] == [1, 2, 3, 4]
    position = [c.name for c in result.categories].index('car')
    for k in (1, 2, 3, 4):
        assert result.per_class(k)[position] == pytest.approx(expected_car(k))
    assert result.mean() == pytest.approx(np.mean([result.quality(k) for k in (1, 2, 3, 4)]))


def test_keys_tell_how_far_a_window_reaches(truth, pred):
    numbers = score_panoptic(truth, pred).numbers
    assert [*numbers] == ['VPQ']  # there is no STQ of this data set
    things = numbers['VPQ']['Things']
    assert [*things] == ['k0', 'k5', 'k10', 'k15', 'mean_k0_k5_k10_k15']
    assert things['k15'] == pytest.approx(100 * expected_car(4))
    assert things['mean_k0_k5_k10_k15'] == pytest.approx(25 * sum(map(expected_car, (1, 2, 3, 4))))
    assert 'k15 (4 frames)' in score_panoptic(truth, pred).tables


def test_the_order_of_the_results_does_not_matter(truth, pred):
    before = score_panoptic(truth, pred).numbers
    edit_json(pred / 'pred.json', lambda content: content['annotations'].reverse())
    assert score_panoptic(truth, pred).numbers == before


def test_missing_predictions_are_an_error(truth, pred):
    edit_json(pred / 'pred.json', lambda content: content['annotations'].pop())
    with pytest.raises(UserError, match='1 of 12 labelled pictures'):
        score_panoptic(truth, pred)


def test_areas_are_believed_as_officially(truth, tmp_path, pred):
    def double(content):
        for entry in content['annotations']:
            entry['segments_info'][0]['area'] = 2  # the road has a single pixel

    edit_json(tmp_path / 'panoptic_gt_val_city_vps.json', double)
    again = read_cityscapes_vps(truth.file, tmp_path / 'val/panoptic_video')
    stuff = evaluate_vpq(again, load_results(pred, again)).quality(1, 'Stuff')
    assert stuff == 0  # IoU 1 / 2 is no match


def metric_of(truth, tmp_path):
    metric = CityscapesVPSMetric(truth.file, tmp_path / 'val/panoptic_video')
    names = {c.id: c.name for c in truth.categories}
    ids = [11, 13, 0, 8]
    metric.dataset_meta = dict(category_ids=ids, classes=[names[i] for i in ids])
    return metric


def sample(video, frames):
    segments = [Segment(1, 2, False, 1, 0), Segment(2, 1, True, 1, 1), Segment(3, 1, True, 1, 2)]
    numbers = {ROAD: 1, CAR: 2, OTHER: 3}
    maps = [np.vectorize(numbers.get)(frame).astype(np.uint16) for frame in frames]
    found = VideoDataSample(metainfo=dict(video_id=video))
    found.pred = VideoPanoptic(segments, CodedMaps(maps))
    return found.to_dict()


def test_the_metric_equals_the_evaluation_of_files(truth, tmp_path, pred):
    metric = metric_of(truth, tmp_path)
    metric.process(None, [sample(name, frames) for name, frames in PRED.items()])
    numbers = metric.evaluate(2)
    assert [*numbers] == [
        f'cityscapes_vps/VPQ{part}'
        for part in ('', '_things', '_stuff', '_k0', '_k5', '_k10', '_k15')
    ]
    assert [f'cityscapes_vps/{name}' for name in metric.number_names()] == [*numbers]
    scores = score_panoptic(truth, pred).numbers['VPQ']
    for name, group in (('VPQ', 'All'), ('VPQ_things', 'Things')):
        value = scores[group]['mean_k0_k5_k10_k15'] / 100
        assert numbers[f'cityscapes_vps/{name}'] == pytest.approx(value)
    assert numbers['cityscapes_vps/VPQ_k10'] == pytest.approx(scores['All']['k10'] / 100)


def test_the_metric_takes_labelled_frames_alone(truth, tmp_path):
    with pytest.raises(UserError, match='0001: has 6 frames, the prediction has 30'):
        metric_of(truth, tmp_path).process(None, [sample('0001', [FRAME] * 30)])
