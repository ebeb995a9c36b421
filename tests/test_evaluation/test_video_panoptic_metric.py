import numpy as np
import panoptic_files
import pytest
import torch.distributed as dist
from mmengine.evaluator import Evaluator
from two_processes import in_two_processes

from mmvseg.errors import UserError
from mmvseg.evaluation import VideoPanopticMetric
from mmvseg.evaluation.functional.stq import evaluate_stq
from mmvseg.evaluation.functional.vpq import WINDOWS, evaluate_vpq
from mmvseg.evaluation.metrics import video_metric
from mmvseg.formats.vipseg import read_vipseg
from mmvseg.formats.vipseg_results import load_results
from mmvseg.registry import METRICS
from mmvseg.structures import CodedMaps, Segment, VideoDataSample, VideoPanoptic

#: Dataset id of each class index: things first.
CATEGORY_IDS = [2, 7, 0, 5]
NAMES = ['dog', 'cat', 'sky', 'road']
VIDEOS = ('c', 'a', 'b', 'd')
FRAMES = 7


def make_maps(rng, values):
    return rng.choice(values, (FRAMES, 3, 4)).repeat(2, 1).repeat(2, 2)


@pytest.fixture
def data(tmp_path):
    """Ground truth and predictions of four videos, as files and as samples."""
    rng = np.random.default_rng(0)
    truth, pred, samples = {}, {}, []
    for video in VIDEOS:
        classes = dict(zip((1, 2, 3, 70000), rng.permutation(CATEGORY_IDS).tolist(), strict=True))
        ids = make_maps(rng, [0, *classes])
        truth[video] = [(m, panoptic_files.listed(m, classes)) for m in ids]
        noise = make_maps(rng, [0, *classes, 9])
        maps = np.where(rng.random(ids.shape) < 0.6, ids, noise)
        segments = [
            Segment(i, CATEGORY_IDS.index(c), c in (2, 7), 0.5, 0)
            for i, c in {**classes, 9: 7, 12: 2}.items()  # 12 occurs in no frame
        ]
        sample = VideoDataSample(metainfo=dict(video_id=video))
        sample.pred = VideoPanoptic(segments, CodedMaps(maps.astype(np.int32)))
        samples.append(sample)
        pred[video] = [(m, stand_in_writer(sample.pred, m)) for m in sample.pred.maps]
    panoptic_files.write_truth(tmp_path, truth)
    panoptic_files.write_predictions(tmp_path / 'pred', pred)
    return tmp_path, samples


def stand_in_writer(pred, segment_map):
    return [
        panoptic_files.segment(segment.id, CATEGORY_IDS[segment.label], area)
        for segment, area in pred.segments_in(segment_map)
    ]


def make_metric(folder, category_ids=CATEGORY_IDS):
    metric = VideoPanopticMetric(folder / 'panoptic_gt_val.json', folder / 'panomasksRGB')
    metric.dataset_meta = dict(category_ids=category_ids, classes=NAMES)
    return metric


def expected_numbers(folder):
    truth = read_vipseg(folder / 'panoptic_gt_val.json', folder / 'panomasksRGB')
    results = load_results(folder / 'pred', truth)
    quality = evaluate_vpq(truth, results)
    numbers = dict(
        VPQ=quality.mean(),
        VPQ_things=quality.mean(WINDOWS, 'Things'),
        VPQ_stuff=quality.mean(WINDOWS, 'Stuff'),
        **{f'VPQ_{k}': quality.quality(k) for k in WINDOWS},
        **evaluate_stq(truth, results).stats(),
    )
    assert 0.05 < min(numbers.values()) < max(numbers.values()) < 0.95
    return {f'vipseg/{key}': value for key, value in numbers.items()}


def test_equals_the_files_of_the_same_results(data):
    folder, samples = data
    evaluator = Evaluator(make_metric(folder))
    evaluator.dataset_meta = dict(category_ids=CATEGORY_IDS, classes=NAMES)
    for sample in reversed(samples):
        evaluator.process(data_samples=[sample], data_batch=None)
    numbers = evaluator.evaluate(len(samples))
    assert numbers == expected_numbers(folder)
    assert [*numbers] == [f'vipseg/{name}' for name in VideoPanopticMetric.number_names()]
    assert [*numbers][:3] == ['vipseg/VPQ', 'vipseg/VPQ_things', 'vipseg/VPQ_stuff']
    assert evaluator.metrics[0].results == []


def evaluate_share(rank, data, shares):
    folder, samples = data
    dist.init_process_group('gloo')
    metric = make_metric(folder)
    metric.process(None, [samples[i].to_dict() for i in shares[rank]])
    try:
        return metric.evaluate(len(samples))
    except UserError as error:
        return str(error)


@pytest.mark.parametrize('shares', [([3, 1], [0, 2, 1]), ([], [0, 1, 2, 3])])
def test_two_processes_give_the_numbers_of_one(data, shares):
    first, second = in_two_processes(evaluate_share, data, shares)
    assert first == second == expected_numbers(data[0])


def test_a_missing_video_is_named_on_all_processes(data):
    first, second = in_two_processes(evaluate_share, data, ([0], [3, 2]))
    assert first == second
    assert '1 of 4 videos were not predicted, the first is a;' in first


@pytest.fixture
def log(monkeypatch):
    """What is logged."""
    lines = []
    monkeypatch.setattr(video_metric, 'print_log', lambda text, **_: lines.append(text))
    return lines


def test_tables_and_undefined_numbers_are_logged(tmp_path, log):
    ids = np.ones((2, 2), int)
    panoptic_files.write_truth(tmp_path, dict(a=[(ids, panoptic_files.listed(ids, {1: 0}))]))
    metric = make_metric(tmp_path)
    pred = VideoPanoptic([Segment(1, CATEGORY_IDS.index(0), False, 1.0, 0)], [ids])
    metric.process(None, [dict(video_id='a', pred=pred)])
    numbers = metric.evaluate(1)
    assert numbers['vipseg/VPQ_1'] == numbers['vipseg/SQ'] == 1.0
    assert np.isnan([numbers['vipseg/VPQ'], numbers['vipseg/VPQ_2']]).all()
    assert any('VPQ of All with windows of 2 frames is undefined' in line for line in log)
    assert any('AQ is 0' in line for line in log)
    assert '| sky (0) | 100.0' in log[-1]
    assert '| STQ' in log[-1]


def test_without_annotations_there_are_no_numbers(tmp_path, log):
    path = panoptic_files.write_truth(tmp_path, {})
    metric = make_metric(tmp_path)
    assert log == [f'{path} has no annotations: there will be no VPQ and STQ']
    metric.process(None, [dict(video_id='a', pred=None)])
    assert metric.evaluate(1) == {}


def test_videos_without_annotations_do_not_count(data, log):
    folder, samples = data
    path = folder / 'panoptic_gt_val.json'
    panoptic_files.edit_json(path, lambda content: content['annotations'].pop(0))
    metric = make_metric(folder)
    assert log == [f'{path}: 1 of 4 videos have no annotations and do not count']
    metric.process(None, [sample.to_dict() for sample in samples])
    assert metric.evaluate(4) == expected_numbers(folder)


def test_what_does_not_fit_is_named(data):
    folder, samples = data
    maps = samples[0].pred.maps
    segments = samples[0].pred.segments
    for changes, message in (
        (dict(video_id='x'), r'gt_val\.json: has no annotated video x'),
        (dict(pred=VideoPanoptic(segments, [maps[0]])), 'has 7 frames, the prediction has 1'),
        (
            dict(pred=VideoPanoptic(segments[1:], maps)),
            r'the predictions: video c, frame 0\d+: has id 1, which segments_info',
        ),
        (dict(pred=VideoPanoptic(segments, [m[1:] for m in maps])), 'video c, frame 0000: is 8x5'),
    ):
        with pytest.raises(UserError, match=message):
            make_metric(folder).process(None, [samples[0].to_dict() | changes])
    with pytest.raises(UserError, match=r'category ids \[91\] of the data set are not'):
        make_metric(folder, [2, 7, 0, 91])
    with pytest.raises(UserError, match=r'category 7 is cat in .* and dog in the data set'):
        make_metric(folder, [7, 2, 0, 5])


def test_can_be_named_in_a_config(data):
    folder, _ = data
    config = dict(
        type='VideoPanopticMetric',
        ann_file=str(folder / 'panoptic_gt_val.json'),
        mask_root=str(folder / 'panomasksRGB'),
        prefix='own',
    )
    assert METRICS.build(config).prefix == 'own'
