"""Panoptic and semantic results of MinVIS and DVIS."""

import numpy as np
import pytest
import torch
from dense_heads import build_varied, panoptic, rows_of, semantic
from dvis_models import KINDS, build, sample, video, windows
from test_dvis import matching_order

from mmvseg.errors import UserError
from mmvseg.models.postprocess.query_masks import FrameGeometry
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.models.segmentors.inference_settings import (
    OfflineTestConfig,
    OnlineTestConfig,
    read_settings,
)
from mmvseg.registry import MODELS
from mmvseg.structures import VideoPanoptic, VideoSemantic

GEOMETRY = FrameGeometry((50, 80), (40, 64), (64, 64))
TASKS = ['vps', 'vss']


def predict(model, frames=None, size=3):
    (result,) = model.predict(windows(video() if frames is None else frames, size))
    return result.pred


def assert_equal(first, second):
    assert type(first) is type(second)
    if isinstance(first, VideoPanoptic):
        assert rows_of(first.segments) == rows_of(second.segments)
        scores = [[s.score for s in pred.segments] for pred in (first, second)]
        assert np.allclose(*scores, atol=1e-6)
    assert len(first.maps) == len(second.maps)
    for a, b in zip(first.maps, second.maps, strict=True):
        assert (a != b).sum() <= 1  # frames in other batches round differently


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('task', TASKS)
def test_result_equals_that_of_the_raw_outputs(kind, task):
    model, frames = build_varied(kind, task), video(4)
    pred = predict(model, frames, 2)
    with torch.no_grad():
        raw = model.raw_outputs(model.data_preprocessor.normalise(frames, (64, 64))[None])
    class_logits, masks = raw.class_logits[0], raw.mask_logits()[0]  # (T, Q, K+1), (Q, T, h, w)
    if kind == 'MinVIS':
        order = torch.stack(matching_order(raw.query_embeds[0]))
        each = torch.arange(4)[:, None]
        class_logits = class_logits[each, order]
        masks = masks.transpose(0, 1)[each, order].transpose(0, 1)
    probs = class_logits.mean(0).softmax(-1)
    if raw.online_class_logits is not None:
        online = raw.online_class_logits[0].mean(0).softmax(-1)
        probs[:, :-1] = torch.maximum(probs[:, :-1], online[:, :-1])
    actual = torch.from_numpy(np.stack(list(pred.maps)).astype(np.int64))
    if task == 'vps':
        maps, segments = panoptic(probs, masks, GEOMETRY, 3, 0.25, 0.3)
        assert rows_of(pred.segments) == segments
        assert segments
        assert (actual != maps).float().mean() < 1e-3
    else:
        sums = semantic(probs[:, :-1], masks, GEOMETRY)
        assert (sums.amax(0) - sums.gather(0, actual[None])[0]).max() < 1e-4
        assert len(actual.unique()) > 1


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('task', TASKS)
def test_window_size_does_not_change_the_result(kind, task):
    model = build_varied(kind, task, frame_chunk=1)
    expected = predict(model, video(4), size=4)
    assert len(expected.maps) == 4
    for size in (1, 3):
        assert_equal(predict(model, video(4), size), expected)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('task', TASKS)
@pytest.mark.parametrize('half', [False, True])
def test_frames_on_disk_give_the_same_result(kind, task, half):
    key = 'feature_memory_mb' if kind == 'DVISOffline' else 'mask_memory_mb'
    in_memory, on_disk = build_varied(kind, task), build_varied(kind, task, **{key: 0.03})
    with torch.autocast('cpu', torch.bfloat16, enabled=half):
        assert_equal(predict(on_disk, video(4)), predict(in_memory, video(4)))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('task', TASKS)
def test_videos_do_not_mix_and_may_have_one_frame(kind, task):
    model = build_varied(kind, task)
    both = [*windows(video(1), 3, 1), *windows(video(3, seed=9), 2, 2)]
    first, second = model.predict(both)
    assert_equal(first.pred, predict(model, video(1)))
    assert_equal(second.pred, predict(model, video(3, seed=9)))
    assert [item.shape for item in first.pred.maps] == [(50, 80)]


@pytest.mark.parametrize('kind', KINDS)
def test_nothing_certain_enough_is_all_void(kind):
    pred = predict(build(kind, task='vps', num_things=3, object_mask_threshold=1.0), video(2))
    assert pred.segments == []
    assert len(pred.maps) == 2
    assert not np.stack(list(pred.maps)).any()


@pytest.mark.parametrize('kind', ['MinVIS', 'DVISOnline'])
def test_live_classes(kind):
    model, frames = build_varied(kind, 'vss'), video(6)
    reports = list(model.live(windows(frames, 1)))
    assert [index for index, _ in reports] == list(range(6))
    assert all(isinstance(report, VideoSemantic) for _, report in reports)
    # After the last frame the running mean is the mean over the video.
    whole = predict(model, frames, 6)
    assert (reports[-1][1].maps[0] != whole.maps[-1]).sum() <= 1


@pytest.mark.parametrize('kind', ['MinVIS', 'DVISOnline'])
def test_live_segments(kind):
    model = build_varied(kind, 'vps')
    live = model.live(windows(video(6), 1))
    reports = [next(live) for _ in range(3)]
    assert [index for index, _ in reports] == [0, 1, 2]
    reports += list(live)
    seen = {}
    for _, report in reports:
        (item,) = report.maps
        assert item.shape == (50, 80)
        assert set(np.unique(item)) <= {0, *(segment.id for segment in report.segments)}
        for segment in report.segments:
            stable = segment.query + 1 if segment.is_thing else 12 + 1 + segment.label
            assert segment.id == stable
            seen[segment.id] = seen.get(segment.id, 0) + 1
    assert max(seen.values()) > 1
    assert any(report.maps[0].any() for _, report in reports)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('task', TASKS)
def test_broken_weights_are_named(kind, task):
    model = build(kind, task=task, num_things=3)
    module = dict(MinVIS='panoptic_head', DVISOnline='tracker', DVISOffline='refiner')[kind]
    layer = 'cls_embed' if kind == 'MinVIS' else 'class_embed'
    getattr(getattr(model, module), layer).bias.data[0] = float('nan')
    with pytest.raises(UserError, match=r"'video 1'.* not finite"):
        predict(model, video(2))


@pytest.mark.parametrize('kind', KINDS)
def test_task_of_a_model(kind):
    assert build(kind).task == 'vis'
    assert build(kind, task='vss').task == 'vss'
    assert build(kind, task='vps', num_things=0).task == 'vps'
    assert VideoSegmentor.task == 'vis'


@pytest.mark.parametrize('kind', [OnlineTestConfig, OfflineTestConfig])
def test_wrong_tasks_are_refused(kind):
    with pytest.raises(UserError, match=r"task='pan' is unknown; use 'vis', 'vps', 'vss'"):
        read_settings(kind, dict(task='pan'))
    for things in (None, -1, '3', True):
        with pytest.raises(UserError, match="task='vps' needs num_things, not"):
            read_settings(kind, dict(task='vps', num_things=things))


def test_tevit_gives_instances_only():
    model = dict(type='TeViT', backbone={}, neck={}, rpn_head={}, roi_head={})
    with pytest.raises(UserError, match=r'TeViT gives instances only .*DVISOffline can do vps'):
        MODELS.build(dict(model, test_cfg=dict(task='vps', num_things=3)))


@pytest.mark.parametrize('task', ['vis', *TASKS])
def test_online_estimates_the_memory_of_a_long_video(task, monkeypatch):
    messages = []
    monkeypatch.setattr(
        'mmvseg.models.segmentors.memory_notice.print_log', lambda text, **_: messages.append(text)
    )
    model = build('DVISOnline', task=task, num_things=3)
    model.begin(sample(10))
    assert messages == []
    model.begin(sample(200_000))
    if task == 'vis':  # keeps edges of masks only
        assert messages == []
    else:  # 12 queries x 16 x 16 cells x 4 bytes a frame
        (message,) = messages
        assert "'video 1': 200000 frames keep 2.3 GiB of mask logits" in message
        assert '0.2 GiB of them in memory' in message
        assert 'mask_memory_mb' in message
