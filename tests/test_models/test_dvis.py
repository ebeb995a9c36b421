import copy

import numpy as np
import pytest
import torch
from dvis_models import KINDS, assert_equal_instances, batch, build, sample, video, windows
from pycocotools import mask as mask_utils
from query_cases import fix_points

from mmvseg.errors import NonFiniteError, UserError
from mmvseg.models.losses import ClipObjects


@pytest.mark.parametrize('kind', KINDS)
def test_window_size_does_not_change_the_result(kind):
    model = build(kind, frame_chunk=1)
    frames = video()
    (expected,) = model.predict(windows(frames, len(frames)))
    for size in (1, 3, 10):
        (actual,) = model.predict(windows(frames, size))
        assert_equal_instances(actual.pred, expected.pred)
    assert any(mask_utils.area(rle) for tube in expected.pred.masks for rle in tube)
    assert len(expected.pred.masks[0]) == len(frames)


@pytest.mark.parametrize('kind', KINDS)
def test_result_equals_that_of_the_raw_outputs(kind):
    """The slow way: all masks of the whole video at full size."""
    model, frames = build(kind), video(4)
    (result,) = model.predict(windows(frames, 2))
    inputs = model.data_preprocessor.normalise(frames, (64, 64))
    with torch.no_grad():
        raw = model.raw_outputs(inputs[None])
    class_logits, mask_logits = raw.class_logits[0], raw.mask_logits()[0]  # (T, Q, K+1), (Q, T, ..)
    if kind == 'MinVIS':
        order = matching_order(raw.query_embeds[0])
        class_logits = torch.stack([c[o] for c, o in zip(class_logits, order, strict=True)])
        mask_logits = torch.stack(
            [m[o] for m, o in zip(mask_logits.transpose(0, 1), order, strict=True)], dim=1
        )
    scores = class_logits.mean(0).softmax(-1)[:, :-1]
    if raw.online_class_logits is not None:
        online = raw.online_class_logits[0].mean(0).softmax(-1)[:, :-1]
        scores = torch.maximum(scores, online)
    best, index = scores.flatten().topk(5)
    assert np.allclose(result.pred.scores, best, atol=1e-5)
    bilinear = dict(mode='bilinear', align_corners=False)
    for rank, query in enumerate((index // 6).tolist()):
        full = torch.nn.functional.interpolate(mask_logits[query][None], (64, 64), **bilinear)
        full = torch.nn.functional.interpolate(full[..., :40, :64], (50, 80), **bilinear)[0]
        masks = mask_utils.decode(result.pred.masks[rank]).transpose(2, 0, 1)
        differs = torch.from_numpy(masks.astype(bool)) != (full > 0)
        assert full[differs].abs().max() < 1e-4 if differs.any() else True


def matching_order(embeds):
    from scipy.optimize import linear_sum_assignment

    order, reference = [torch.arange(embeds.shape[1])], embeds[0]
    for current in embeds[1:]:
        similarity = torch.nn.functional.cosine_similarity(reference[:, None], current[None], dim=2)
        order.append(torch.from_numpy(linear_sum_assignment(1 - similarity.numpy())[1]))
        reference = current[order[-1]]
    return order


@pytest.mark.parametrize('kind', KINDS)
def test_frames_on_disk_give_the_same_result(kind):
    key = 'feature_memory_mb' if kind == 'DVISOffline' else 'mask_memory_mb'
    (in_memory,) = build(kind).predict(windows(video(), 3))
    (on_disk,) = build(kind, **{key: 0.03}).predict(windows(video(), 3))
    assert_equal_instances(on_disk.pred, in_memory.pred)


def test_half_precision_features_change_only_edges():
    (exact,) = build('DVISOffline').predict(windows(video(), 3))
    (half,) = build('DVISOffline', half_precision_features=True).predict(windows(video(), 3))
    assert np.array_equal(half.pred.scores, exact.pred.scores)
    for tube, other in zip(half.pred.masks, exact.pred.masks, strict=True):
        differ = mask_utils.decode(tube) != mask_utils.decode(other)
        assert differ.mean() < 0.01


@pytest.mark.parametrize('kind', KINDS)
def test_a_video_of_one_frame(kind):
    (result,) = build(kind).predict(windows(video(1), 5))
    assert len(result.pred) == 5
    assert all(len(tube) == 1 for tube in result.pred.masks)


@pytest.mark.parametrize('kind', KINDS)
def test_two_videos_do_not_mix(kind):
    model = build(kind)
    both = [*windows(video(4), 3, 1), *windows(video(5, seed=9), 3, 2)]
    first, second = model.predict(both)
    assert_equal_instances(second.pred, model.predict(windows(video(5, seed=9), 3, 2))[0].pred)
    assert_equal_instances(first.pred, model.predict(windows(video(4), 3, 1))[0].pred)


@pytest.mark.parametrize('kind', ['MinVIS', 'DVISOnline'])
def test_live_reports_every_frame_at_once(kind):
    model, frames = build(kind), video(6)
    live = model.live(windows(frames, 1))
    reports = [next(live) for _ in range(3)]
    assert [index for index, _ in reports] == [0, 1, 2]
    reports += list(live)
    (whole,) = model.predict(windows(frames, 6))
    last = reports[-1][1]
    # After the last frame the running mean is the mean over the video.
    assert np.allclose(last.scores, whole.pred.scores, atol=1e-6)
    assert [tube[0] for tube in last.masks] == [tube[-1] for tube in whole.pred.masks]


def test_offline_refuses_to_run_live():
    with pytest.raises(UserError, match='DVISOffline'):
        next(build('DVISOffline').live(windows(video(2), 1)))


@pytest.mark.parametrize('module', ['tracker', 'refiner'])
def test_broken_weights_of_later_modules_are_named(module):
    model = build('DVISOnline' if module == 'tracker' else 'DVISOffline')
    getattr(model, module).class_embed.bias.data[0] = float('nan')
    with pytest.raises(UserError, match=f"'video 1'.* of the {module} are not finite"):
        model.predict(windows(video(3), 2))


@pytest.mark.parametrize('kind', ['DVISOnline', 'DVISOffline'])
def test_training_on_a_broken_segmenter_can_be_skipped(kind):
    model = build(kind).train()
    model.panoptic_head.query_feat.weight.data[0] = float('nan')
    with pytest.raises(NonFiniteError, match="'video 0'"):
        model.loss(*batch())


@pytest.mark.parametrize('kind', KINDS)
def test_broken_weights_name_video_and_frame(kind):
    model = build(kind)
    model.panoptic_head.cls_embed.bias.data[0] = float('nan')
    with pytest.raises(UserError, match=r"'video 1', frame 0: the class_logits .* not finite"):
        model.predict(windows(video(3), 2))


def test_offline_estimates_the_memory_of_a_long_video(monkeypatch):
    messages = []
    monkeypatch.setattr(
        'mmvseg.models.segmentors.memory_notice.print_log', lambda text, **_: messages.append(text)
    )
    model = build('DVISOffline')
    model.begin(sample(10))
    assert messages == []
    model.begin(sample(100_000))
    # 64 channels x 16 x 16 cells x 4 bytes a frame
    assert '6.1 GiB of mask features, 4.0 GiB of them in memory' in messages[0]


@pytest.mark.parametrize('kind', KINDS)
def test_unknown_test_settings_are_refused(kind):
    with pytest.raises(UserError, match=r"model\.test_cfg has no 'max_num'"):
        build(kind, max_num=3)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('guided', [True, False])
def test_gradients_reach_what_is_trained_and_nothing_else(kind, guided):
    model = build(kind).train()
    model.guided_matching = guided
    inputs, samples = batch()
    losses = model.loss(inputs, samples)
    sum(losses.values()).backward()
    trained = dict(
        MinVIS=('backbone', 'panoptic_head'), DVISOnline='tracker', DVISOffline='refiner'
    )
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == name.startswith(trained[kind]), name
        assert (parameter.grad is not None) == parameter.requires_grad, name


@pytest.mark.parametrize('kind', ['DVISOnline', 'DVISOffline'])
def test_frozen_modules_always_infer(kind):
    model = build(kind).train()
    assert model.training
    assert not model.backbone.training
    assert not any(module.training for module in model.panoptic_head.modules())
    assert model.tracker.training == (kind == 'DVISOnline')


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('guided', [True, False])
def test_two_clips_give_the_mean_gradient_of_each_alone(kind, guided, monkeypatch):
    model = build(kind).double().train()
    model.guided_matching = guided
    inputs, samples = batch(num_clips=2)
    inputs = inputs.double()
    fix_points(monkeypatch)

    def gradients(clips):
        model.zero_grad()
        chosen = [copy.deepcopy(samples[clip]) for clip in clips]
        sum(model.loss(inputs[clips], chosen).values()).backward()
        return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}

    together, first, second = gradients([0, 1]), gradients([0]), gradients([1])
    assert together
    for name, gradient in together.items():
        mean = (first[name] + second[name]) / 2
        assert torch.allclose(gradient, mean, atol=1e-9, rtol=1e-6), name
    name = next(iter(together))
    assert not torch.allclose(first[name], second[name], atol=1e-9, rtol=1e-6)


@pytest.mark.parametrize('kind', KINDS)
def test_bfloat16_predicts_and_trains(kind):
    model = build(kind)
    (full,) = model.predict(windows(video(2), 2))
    with torch.autocast('cpu', torch.bfloat16):
        (half,) = model.predict(windows(video(2), 2))
        losses = model.train().loss(*batch(num_clips=1, num_frames=2))
    np.testing.assert_allclose(half.pred.scores, full.pred.scores, atol=0.05)
    assert all(len(tube) == 2 for tube in half.pred.masks)
    sum(losses.values()).backward()
    trained = [p for p in model.parameters() if p.requires_grad]
    assert all(p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in trained)


@pytest.mark.parametrize('kind', KINDS)
def test_a_clip_without_objects_trains(kind):
    model = build(kind).train()
    inputs, samples = batch(num_objects=0)
    losses = model.loss(inputs, samples)
    sum(losses.values()).backward()
    assert losses['loss_ce'] > 0
    assert losses['loss_mask'] == 0


@pytest.mark.parametrize('kind', KINDS)
def test_more_objects_than_queries_train(kind):
    inputs, samples = batch(num_objects=15)
    losses = build(kind).train().loss(inputs, samples)
    assert all(loss.isfinite() for loss in losses.values())


def test_labels_of_objects_that_left():
    _, (data_sample,) = batch(num_clips=1, num_frames=3)
    frames = data_sample.gt_instances
    frames[2] = frames[2][torch.tensor([1])]
    clip = ClipObjects.gather(data_sample)
    assert clip.labels.tolist() == [0, 1]
    assert clip.ids.tolist() == [5, 8]
    assert clip.visible.tolist() == [[True, True, False], [True, True, True]]
    assert not clip.masks[0, 2].any()
    assert ClipObjects.gather(data_sample, absent_label=6).labels.tolist() == [6, 1]
    data_sample.set_metainfo(dict(last_frame_ids=[5, 8]))  # a crop has cut it off
    assert ClipObjects.gather(data_sample, absent_label=6).labels.tolist() == [0, 1]
    assert clip.whole().masks.shape == (2, 3 * 64, 64)
    assert [len(target.labels) for target in clip.by_frame()] == [2, 2, 2]
