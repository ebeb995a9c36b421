import json

import helpers
import numpy as np
import pytest
import torch.distributed as dist
from mmengine.evaluator import Evaluator
from two_processes import in_two_processes
from youtube_vis_content import evaluate, ground_truth

from mmvseg.errors import UserError
from mmvseg.evaluation import LVVISMetric, OVISMetric, YouTubeVIS2022Metric, YouTubeVISMetric
from mmvseg.evaluation.functional.ground_truth import to_ground_truth
from mmvseg.evaluation.functional.youtube_vis_ap import restrict_categories
from mmvseg.evaluation.metrics import video_metric
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.registry import METRICS
from mmvseg.structures import VideoDataSample, VideoInstances

CASES = helpers.reference_dir() / 'eval' / 'ytvis_ap'


def load(name, file):
    return json.loads((CASES / name / file).read_text())


def make_samples(name):
    """A sample for each video of the case, with its results; videos by descending id."""
    category_ids = [c['id'] for c in load(name, 'gt.json')['categories']]
    results = [r for r in load(name, 'results.json') if r['category_id'] in category_ids]
    samples = []
    for video_id in sorted({v['id'] for v in load(name, 'gt.json')['videos']}, reverse=True):
        entries = [r for r in results if r['video_id'] == video_id]
        masks = [
            [m and dict(size=m['size'], counts=m['counts'].encode()) for m in e['segmentations']]
            for e in entries
        ]
        scores = np.array([e['score'] for e in entries])
        labels = np.array([category_ids.index(e['category_id']) for e in entries], int)
        sample = VideoDataSample(metainfo=dict(video_id=video_id))
        sample.pred = VideoInstances(scores, labels, masks, np.arange(len(entries)))
        samples.append(sample)
    return samples, category_ids


def make_metric(name, cls=YouTubeVISMetric, category_ids=None):
    metric = cls(ann_file=CASES / name / 'gt.json')
    metric.dataset_meta = make_meta(name, category_ids)
    return metric


def make_meta(name, category_ids=None):
    """Classes of a case, by default all; an unknown id is called unknown."""
    names = {c['id']: c['name'] for c in load(name, 'gt.json')['categories']}
    ids = list(names) if category_ids is None else category_ids
    return dict(category_ids=ids, classes=[names.get(i, 'unknown') for i in ids])


def assert_recorded(metrics, prefix, stats):
    assert list(metrics) == [f'{prefix}/{key}' for key in stats]
    np.testing.assert_allclose([*metrics.values()], [*stats.values()], rtol=0, atol=1e-9)


@pytest.mark.parametrize('name', ['normal', 'edge'])
def test_equals_the_official_numbers_through_an_evaluator(name):
    samples, category_ids = make_samples(name)
    evaluator = Evaluator(make_metric(name))
    evaluator.dataset_meta = make_meta(name, category_ids)
    for sample in samples:
        evaluator.process(data_samples=[sample], data_batch=None)
    metrics = evaluator.evaluate(len(samples))
    assert_recorded(metrics, 'youtube_vis', load(name, 'expected.json')['stats'])
    assert [*metrics] == [f'youtube_vis/{key}' for key in YouTubeVISMetric.number_names()]
    assert evaluator.metrics[0].results == []


def test_occlusion_groups():
    samples, category_ids = make_samples('ovis_occlusion')
    metric = make_metric('ovis_occlusion', OVISMetric, category_ids)
    metric.process(None, [sample.to_dict() for sample in samples])
    metrics = metric.evaluate(len(samples))
    assert_recorded(metrics, 'ovis', load('ovis_occlusion', 'expected.json')['ovis']['stats'])


def test_short_and_long_videos(tmp_path):
    content, samples = load('normal', 'gt.json'), make_samples('normal')
    ids = [video['id'] for video in content['videos']]
    parts = dict(short=ids[::2], long=ids[1::2])
    for split, kept in parts.items():
        part = dict(content, videos=[v for v in content['videos'] if v['id'] in kept])
        part['annotations'] = [a for a in content['annotations'] if a['video_id'] in kept]
        (tmp_path / f'{split}.json').write_text(json.dumps(part))
    files = {split: str(tmp_path / f'{split}.json') for split in parts}
    numbers = evaluate_samples(YouTubeVIS2022Metric(**files), *samples)
    expected = {
        split: evaluate_samples(
            YouTubeVISMetric(files[split]),
            [sample for sample in samples[0] if sample.video_id in kept],
            samples[1],
        )
        for split, kept in parts.items()
    }
    for split, values in expected.items():
        for name, value in values.items():
            own = name.replace('youtube_vis/', f'youtube_vis_2022/{split}_')
            assert numbers.pop(own) == pytest.approx(value, abs=1e-9)
    mean = sum(values['youtube_vis/AP'] for values in expected.values()) / 2
    assert numbers == {'youtube_vis_2022/AP': pytest.approx(mean, abs=1e-9)}
    with pytest.raises(UserError, match='give short, long or both'):
        YouTubeVIS2022Metric()


def test_base_and_novel_classes(tmp_path):
    content, samples = load('normal', 'gt.json'), make_samples('normal')
    for position, category in enumerate(content['categories']):
        category['partition'] = position % 4
    (tmp_path / 'val.json').write_text(json.dumps(content))
    numbers = evaluate_samples(LVVISMetric(tmp_path / 'val.json'), *samples)
    assert [*numbers] == [f'lvvis/{name}' for name in LVVISMetric.number_names()]
    assert numbers['lvvis/base_AP'] != numbers['lvvis/novel_AP']


def evaluate_samples(metric, samples, category_ids):
    metric.dataset_meta = make_meta('normal', category_ids)
    metric.process(None, [sample.to_dict() for sample in samples])
    return metric.evaluate(len(samples))


def test_the_table_and_the_notes_are_logged(log):
    samples, category_ids = make_samples('quirk_gt_id_zero')
    metric = make_metric('quirk_gt_id_zero', category_ids=category_ids)
    metric.process(None, [sample.to_dict() for sample in samples])
    metric.evaluate(len(samples))
    assert 'an annotation has id 0' in log[0]
    assert '| class_1 |' in log[-1]


def test_can_be_named_in_a_config():
    config = dict(type='YouTubeVISMetric', ann_file=str(CASES / 'normal/gt.json'), prefix='val')
    assert METRICS.build(config).prefix == 'val'


def evaluate_share(rank, shares):
    dist.init_process_group('gloo')
    samples, category_ids = make_samples('normal')
    metric = make_metric('normal', category_ids=category_ids)
    metric.process(None, [samples[i].to_dict() for i in shares[rank]])
    try:
        return metric.evaluate(len(samples))
    except UserError as error:
        return str(error)


@pytest.mark.parametrize('shares', [([9], range(12)), (range(3, 12), [2, 0, 1]), ([], range(12))])
def test_two_processes_give_the_numbers_of_one(shares):
    first, second = in_two_processes(evaluate_share, shares)
    assert first == second
    assert_recorded(first, 'youtube_vis', load('normal', 'expected.json')['stats'])


def test_an_error_reaches_all_processes(monkeypatch):
    def fail(*args):
        raise UserError('broken results')

    monkeypatch.setattr(YouTubeVISMetric, 'compute_metrics', fail)
    assert in_two_processes(evaluate_share, ([0], [1])) == ['broken results'] * 2


@pytest.fixture
def log(monkeypatch):
    """What is logged."""
    lines = []
    monkeypatch.setattr(video_metric, 'print_log', lambda text, **_: lines.append(text))
    return lines


def test_nothing_predicted_gives_no_numbers(log):
    samples, category_ids = make_samples('normal')
    metric = make_metric('normal', category_ids=category_ids)
    for sample in samples:
        sample.pred = sample.pred.above(2.0)
    metric.process(None, [sample.to_dict() for sample in samples])
    assert metric.evaluate(len(samples)) == {}
    assert log == ['nothing was predicted in 12 videos: no AP']


def test_a_file_without_annotations_is_said_at_the_start(tmp_path, log):
    path = tmp_path / 'valid.json'
    path.write_text(json.dumps(load('normal', 'gt.json') | dict(annotations=None)))
    metric = YouTubeVISMetric(path)
    assert not metric.has_truth
    assert log == [f'{path} has no annotations: there will be no AP']
    samples, category_ids = make_samples('normal')
    metric.dataset_meta = make_meta('normal', category_ids)
    metric.process(None, [samples[0].to_dict()])
    assert metric.results == []
    assert metric.evaluate(1) == {}


def test_categories_of_another_data_set_are_refused():
    _, category_ids = make_samples('normal')
    with pytest.raises(UserError, match=r'gt\.json: category ids \[91.* of the data set are not'):
        make_metric('normal', category_ids=[i + 90 for i in category_ids])
    metric = make_metric('normal')
    meta = make_meta('normal')
    names = meta['classes']
    meta['classes'] = [names[1], names[0], *names[2:]]
    with pytest.raises(UserError, match=f'category 1 is {names[0]} in .* and {names[1]} in the'):
        metric.dataset_meta = meta


def test_classes_that_the_ground_truth_lacks_are_left_out():
    samples, category_ids = make_samples('normal')
    metric = make_metric('normal', category_ids=category_ids)
    meta = metric.dataset_meta
    metric.dataset_meta = dict(
        category_ids=[None, *meta['category_ids']], classes=['unicorn', *meta['classes']]
    )
    for sample in samples:
        sample.pred.labels += 1
        sample.pred.labels = np.append(sample.pred.labels, 0)
        sample.pred.scores = np.append(sample.pred.scores, 1.0)
        sample.pred.masks = [*sample.pred.masks, [None]]
    metric.process(None, [sample.to_dict() for sample in samples])
    expected = load('normal', 'expected.json')['stats']
    assert_recorded(metric.evaluate(len(samples)), 'youtube_vis', expected)


def test_a_broken_annotation_file_is_refused_at_the_start(tmp_path):
    with pytest.raises(UserError, match=r'absent\.json: cannot be read'):
        YouTubeVISMetric(tmp_path / 'absent.json')
    with pytest.raises(UserError, match="'occlusion' must hold"):
        OVISMetric(CASES / 'normal' / 'gt.json')


def test_only_the_categories_of_the_data_set_count(log):
    samples, category_ids = make_samples('normal')
    used = category_ids[1:]
    results = [r for r in load('normal', 'results.json') if r['category_id'] in used]
    content = load('normal', 'gt.json')
    content['categories'] = content['categories'][1:]
    expected = evaluate(ground_truth(content), results).stats()

    for sample in samples:
        sample.pred = sample.pred.select(np.flatnonzero(sample.pred.labels > 0))
        sample.pred.labels -= 1
    metric = make_metric('normal', category_ids=used)
    metric.process(None, [sample.to_dict() for sample in samples])
    assert_recorded(metric.evaluate(len(samples)), 'youtube_vis', expected)
    assert expected['AP'] != load('normal', 'expected.json')['stats']['AP']
    notes = [line for line in log if 'left out of the numbers' in line]
    assert len(notes) == 1
    assert f'gt.json: 1 of {len(category_ids)} categories' in notes[0]
    assert notes[0].endswith(load('normal', 'gt.json')['categories'][0]['name'])


def test_all_categories_leave_the_ground_truth_as_it_is():
    truth = to_ground_truth(read_youtube_vis(CASES / 'normal' / 'gt.json'))
    assert restrict_categories(truth, reversed(truth.categories)) is truth
