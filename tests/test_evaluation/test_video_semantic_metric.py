import json

import cv2
import numpy as np
import pytest
from mmengine.evaluator import Evaluator

from mmvseg.errors import UserError
from mmvseg.evaluation import VideoSemanticMetric
from mmvseg.evaluation.metrics import video_metric
from mmvseg.evaluation.semantic_scores import evaluate_vss
from mmvseg.formats.categories import load_table
from mmvseg.formats.vspw import load_semantic_truth
from mmvseg.registry import METRICS
from mmvseg.structures import CodedMaps, VideoDataSample, VideoSemantic

_IDS = [1, 3, 0, 2, 123]
_NAMES = {category.id: category.name for category in load_table('vipseg')}
#: Dataset id of each class index, in an order that is not that of the ids.
META = dict(category_ids=_IDS, classes=[_NAMES[i] for i in _IDS])
FRAMES = 18


@pytest.fixture
def data(tmp_path):
    """Ground truth and predictions of three videos, as files and as samples."""
    rng = np.random.default_rng(0)
    samples = []
    for video in ('b', 'a', 'c'):
        changes = np.cumsum(rng.random((FRAMES, 4, 5)) < 0.03, axis=0)
        truth = np.array([0, 1, 2, 3, 255, 124], np.uint8)[changes % 6]
        labels = np.where(rng.random(truth.shape) < 0.02, 4, changes % 4).astype(np.uint8)
        for t in range(FRAMES):
            write(tmp_path / 'data' / video / 'mask' / f'{t:03d}.png', truth[t])
            ids = np.array(META['category_ids'], np.uint8)[labels[t]]
            write(tmp_path / 'pred' / video / f'{t:03d}.png', ids)
        sample = VideoDataSample(metainfo=dict(video_id=video))
        sample.pred = VideoSemantic(CodedMaps(labels))
        samples.append(sample)
    (tmp_path / 'val.txt').write_text('a\nb\nc\n')
    return tmp_path, samples


def write(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), values)


def make_metric(folder, meta=META):
    metric = VideoSemanticMetric(folder / 'val.txt', folder / 'data')
    metric.dataset_meta = meta
    return metric


def test_equals_the_files_of_the_same_results(data):
    folder, samples = data
    evaluator = Evaluator(make_metric(folder))
    evaluator.dataset_meta = META
    for sample in samples:
        evaluator.process(data_samples=[sample], data_batch=None)
    numbers = evaluator.evaluate(len(samples))
    truth = load_semantic_truth(folder / 'val.txt', folder / 'data')
    stats = evaluate_vss(truth, folder / 'pred').stats()
    assert 0.02 < min(stats.values()) < max(stats.values()) < 0.98
    assert numbers == {f'vspw/{key}': value for key, value in stats.items()}
    assert [*stats] == VideoSemanticMetric.number_names()


@pytest.fixture
def log(monkeypatch):
    """What is logged."""
    lines = []
    monkeypatch.setattr(video_metric, 'print_log', lambda text, **_: lines.append(text))
    return lines


def test_the_table_and_the_notes_are_logged(data, log):
    folder, samples = data
    (folder / 'val.txt').write_text('a\n')
    metric = make_metric(folder)
    write(folder / 'data/a/mask/000.png', np.full((4, 5), 200, np.uint8))
    metric.process(None, [samples[1].to_dict()])
    metric.evaluate(1)
    assert 'values that are no class, such as 200 in a' in log[0]
    assert '| wall (0)' in log[-1]
    assert '| VC16' in log[-1]


def test_a_missing_video_is_named(data):
    folder, samples = data
    metric = make_metric(folder)
    metric.process(None, [sample.to_dict() for sample in samples[1:]])
    with pytest.raises(UserError, match=r'val\.txt: 1 of 3 videos were not predicted.* b;'):
        metric.evaluate(3)


def test_without_masks_there_are_no_numbers(tmp_path, log):
    (tmp_path / 'val.txt').write_text('a\n')
    metric = make_metric(tmp_path)
    assert log == [f'{tmp_path}/data has no masks: there will be no mIoU and VC']
    metric.process(None, [dict(video_id='a', pred=None)])
    assert metric.evaluate(1) == {}


def test_what_does_not_fit_is_named(data):
    folder, samples = data
    maps = samples[0].pred.maps
    for changes, message in (
        (dict(video_id='x'), r'val\.txt: has no annotated video x'),
        (dict(pred=VideoSemantic([maps[0]])), 'b/mask: has 18 masks, the prediction has 1 frame'),
        (
            dict(pred=VideoSemantic([m[1:] for m in maps])),
            r'b/mask/000\.png: 5x4 pixels, the frames of the video have 5x3',
        ),
    ):
        with pytest.raises(UserError, match=message):
            make_metric(folder).process(None, [samples[0].to_dict() | changes])
    foreign = META | dict(category_ids=[1, 3, 0, 2, 124])
    with pytest.raises(UserError, match='category ids that are not below 124'):
        make_metric(folder, foreign)
    names = ['sky', 'cat', 'road', 'dog']
    categories = [dict(id=i, name=name) for i, name in enumerate(names)]
    (folder / 'categories.json').write_text(json.dumps(categories))
    own = dict(category_ids=[1, 3, 0, 2], classes=['cat', 'dog', 'sky', 'road'])
    make_metric(folder, own)
    with pytest.raises(UserError, match=r'category 3 is dog in .* and cat in the data set'):
        make_metric(folder, own | dict(category_ids=[3, 1, 0, 2]))


def test_can_be_named_in_a_config(data):
    folder, _ = data
    config = dict(
        type='VideoSemanticMetric',
        ann_file=str(folder / 'val.txt'),
        mask_root=str(folder / 'data'),
        prefix='own',
    )
    assert METRICS.build(config).prefix == 'own'


def test_masks_must_be_of_the_frames(data):
    folder, samples = data
    for t in range(FRAMES):
        write(folder / 'data/b/origin' / f'{t:03d}.jpg', np.zeros((4, 5), np.uint8))
    metric = make_metric(folder)
    metric.process(None, [samples[0].to_dict()])
    masks = folder / 'data/b/mask'
    (masks / '000.png').rename(masks / '999.png')
    with pytest.raises(UserError, match=r'b/mask/999\.png: video b, frame: no origin/999\.jpg'):
        make_metric(folder)
