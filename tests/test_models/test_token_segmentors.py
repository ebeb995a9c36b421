"""What EoMT, VidEoMT and PMT have in common."""

import copy

import numpy as np
import pytest
import torch
from dvis_models import assert_equal_instances, batch, video, windows
from mmengine.model import MMDistributedDataParallel
from pycocotools import mask as mask_utils
from query_cases import fix_points
from token_models import FAMILIES, KINDS, QUERIES, WIDTH, build, gradients, kept_shapes
from two_processes import in_two_processes

from mmvseg.engine.distributed import init_distributed
from mmvseg.errors import NonFiniteError, UserError
from mmvseg.models.trackers.query_matching import chain_queries

#: Kinds of models, and VidEoMT and PMT as segmenters of single frames.
STAGES = [*[(kind, {}) for kind in KINDS], *[(kind, dict(frames_alone=True)) for kind in KINDS[1:]]]
every_stage = pytest.mark.parametrize(('kind', 'options'), STAGES)


def still(model):
    """Training mode in which images do not depend on each other nor on chance."""
    model.train()
    for name, module in model.named_modules():
        if name.endswith('rotary') or isinstance(module, torch.nn.BatchNorm1d):
            module.eval()
    return model


@every_stage
@pytest.mark.parametrize('family', FAMILIES)
def test_window_size_does_not_change_the_result(kind, options, family):
    settings = dict(max_per_video=20, frame_chunk=1)
    model = build(kind, family, seed=1, test_cfg=settings, **options)
    frames = video()
    (expected,) = model.predict(windows(frames, len(frames)))
    for size in (1, 3):
        (actual,) = model.predict(windows(frames, size))
        assert_equal_instances(actual.pred, expected.pred)
    assert any(mask_utils.area(rle) for tube in expected.pred.masks for rle in tube)
    assert len(expected.pred.masks[0]) == len(frames)


@every_stage
def test_encoding_many_frames_at_a_time_gives_the_same_queries(kind, options):
    model, frames = build(kind, **options), video()
    found = []
    for chunk in (1, 4):
        object.__setattr__(model.test_cfg, 'frame_chunk', chunk)
        (window,) = windows(frames, len(frames))
        with torch.no_grad():
            found.append(list(model.track(model.begin(window.sample), window)))
    one, many = (torch.cat([part.class_logits for part in parts]) for parts in found)
    torch.testing.assert_close(one, many, atol=1e-4, rtol=1e-4)


@every_stage
def test_result_equals_that_of_the_raw_outputs(kind, options):
    """The slow way: class scores of the whole video from the queries of a clip."""
    model, frames = build(kind, **options), video(4)
    (result,) = model.predict(windows(frames, 2))
    with torch.no_grad():
        raw = model.raw_outputs(model.data_preprocessor.normalise(frames, (64, 64))[None])
    logits, masks = raw.class_logits[0], raw.mask_logits()[0].transpose(0, 1)  # (T, Q, ...)
    if kind == 'EoMT' or options:
        order, _ = chain_queries(raw.query_embeds[0], None)
        rows = torch.arange(4)[:, None]
        logits, masks = logits[rows, order], masks[rows, order]
    best, index = logits.mean(0).softmax(-1)[:, :-1].flatten().topk(5)
    np.testing.assert_allclose(result.pred.scores, best, atol=1e-5)
    for rank, query in enumerate((index // 6).tolist()):
        tube = mask_utils.decode(result.pred.masks[rank]).transpose(2, 0, 1)  # (T, 50, 80)
        full = torch.nn.functional.interpolate(masks[:, query, None], (64, 64), mode='bilinear')
        full = torch.nn.functional.interpolate(full[..., :40, :64], (50, 80), mode='bilinear')
        differs = torch.from_numpy(tube.astype(bool)) != (full[:, 0] > 0)
        assert full[:, 0][differs].abs().max() < 1e-3 if differs.any() else True


@pytest.mark.parametrize('kind', KINDS)
def test_live_reports_every_frame_at_once(kind):
    model, frames = build(kind), video(5)
    live = model.live(windows(frames, 1))
    reports = [next(live) for _ in range(2)]
    assert [index for index, _ in reports] == [0, 1]
    last = [*reports, *live][-1][1]
    (whole,) = model.predict(windows(frames, 5))
    np.testing.assert_allclose(last.scores, whole.pred.scores, atol=1e-5)


@every_stage
def test_two_videos_do_not_mix(kind, options):
    model = build(kind, **options)
    both = [*windows(video(4), 3, 1), *windows(video(5, seed=9), 3, 2)]
    first, second = model.predict(both)
    assert_equal_instances(second.pred, model.predict(windows(video(5, seed=9), 3, 2))[0].pred)
    assert_equal_instances(first.pred, model.predict(windows(video(4), 3, 1))[0].pred)


@every_stage
def test_broken_weights_name_video_and_frame(kind, options):
    model = build(kind, **options)
    model.panoptic_head.cls_embed.bias.data[0] = float('nan')
    with pytest.raises(UserError, match=r"'video 1', frame 0: the class_logits .* not finite"):
        model.predict(windows(video(3), 2))
    with pytest.raises(NonFiniteError, match="'video 0'"):
        model.train().loss(*batch())


@pytest.mark.parametrize('family', FAMILIES)
@every_stage
@pytest.mark.parametrize('num_objects', [2, 0])
@pytest.mark.parametrize('num_frames', [1, 3])
def test_gradients_reach_all_that_is_trained(family, kind, options, num_objects, num_frames):
    """Else DDP would wait for them."""
    model = build(kind, family, **options).train()
    found, losses = gradients(model, *batch(num_frames=num_frames, num_objects=num_objects))
    frozen = ('backbone', 'query_updater') if options else ('backbone',)
    for name, parameter in model.named_parameters():
        fixed = name.startswith(frozen) if kind == 'PMT' else options and 'query_updater' in name
        assert parameter.requires_grad == (not fixed), name
        assert (name in found) == parameter.requires_grad, name
    carried_on = kind != 'EoMT' and not options and num_frames > 1
    assert ('query_updater.weight' in found and found['query_updater.weight'].any()) == carried_on
    assert losses['loss_ce'] > 0
    assert (losses['loss_mask'] > 0) == (num_objects > 0)


@every_stage
def test_two_clips_give_the_mean_gradient_of_each_alone(kind, options, monkeypatch):
    fix_points(monkeypatch)
    model = still(build(kind, 'DINOv3', **options).double())
    if kind == 'EoMT':
        model.mask_probabilities.fill_(1)
    inputs, samples = batch(num_clips=2)
    together, losses = gradients(model, inputs.double(), samples)
    alone = [
        gradients(model, inputs[clip : clip + 1].double(), samples[clip : clip + 1])
        for clip in (0, 1)
    ]
    for name, gradient in together.items():
        mean = (alone[0][0][name] + alone[1][0][name]) / 2
        torch.testing.assert_close(gradient, mean, atol=1e-9, rtol=1e-6)
    for name, loss in losses.items():
        first, second = alone[0][1][name], alone[1][1][name]
        assert loss == pytest.approx((first + second) / 2)
        assert first != pytest.approx(second)


@pytest.mark.parametrize('kind', KINDS)
def test_features_on_demand_give_the_same_gradients_and_are_not_kept(kind, monkeypatch):
    fix_points(monkeypatch)
    results = []
    for checkpointed in (False, True):
        model = still(build(kind, checkpoint_predictions=checkpointed))
        with kept_shapes() as shapes:
            results.append(gradients(model, *batch()))
        assert ((WIDTH, 16, 16) in {shape[-3:] for shape in shapes}) != checkpointed
        assert shapes
    (expected, losses), (actual, other_losses) = results
    assert other_losses == pytest.approx(losses)
    for name, gradient in expected.items():
        torch.testing.assert_close(actual[name], gradient, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('kind', KINDS)
def test_recomputed_blocks_give_the_same_gradients_and_keep_less(kind, monkeypatch):
    fix_points(monkeypatch)
    results = []
    for with_cp in (False, True):
        model = still(build(kind, 'DINOv3', backbone=dict(with_cp=with_cp)))
        with kept_shapes() as shapes:
            results.append(gradients(model, *batch()))
        heads = (QUERIES + 5 + 16, WIDTH // 2)  # of all tokens, in the attention
        assert (heads in {shape[-2:] for shape in shapes}) != with_cp
    (expected, losses), (actual, other_losses) = results
    assert other_losses == pytest.approx(losses)
    for name, gradient in expected.items():
        torch.testing.assert_close(actual[name], gradient, atol=1e-5, rtol=1e-4)


@every_stage
@pytest.mark.parametrize('checkpointed', [False, True])
def test_bfloat16_predicts_and_trains(kind, options, checkpointed):
    backbone = dict(with_cp=checkpointed)
    model = build(kind, 'DINOv3', backbone=backbone, checkpoint_predictions=checkpointed, **options)
    with torch.autocast('cpu', torch.bfloat16):
        (half,) = model.predict(windows(video(2), 2))
        found, losses = gradients(model.train(), *batch(num_clips=1, num_frames=2))
    assert all(np.isfinite(half.pred.scores))
    assert all(len(tube) == 2 for tube in half.pred.masks)
    assert all(np.isfinite(loss) for loss in losses.values())
    assert all(g.dtype == torch.float32 and g.isfinite().all() for g in found.values())


@pytest.mark.parametrize('kind', KINDS)
def test_scores_of_bfloat16_are_near_those_of_float32(kind):
    model = build(kind)
    (window,) = windows(video(2), 2)
    (full,) = model.predict([window])
    with torch.autocast('cpu', torch.bfloat16):
        (half,) = model.predict([window])
    np.testing.assert_allclose(half.pred.scores, full.pred.scores, atol=0.05)


@every_stage
def test_more_objects_than_queries_train(kind, options):
    _, losses = gradients(build(kind, **options).train(), *batch(num_objects=QUERIES + 2))
    assert all(np.isfinite(loss) for loss in losses.values())


def train_in_process(rank, model, inputs, samples):
    init_distributed('pytorch')
    wrapped = MMDistributedDataParallel(model, broadcast_buffers=False)
    for _ in range(2):  # it is the next step that a missing gradient stops
        model.zero_grad()
        losses = wrapped(inputs[rank::2], copy.deepcopy(samples[rank::2]), mode='loss')
        sum(losses.values()).backward()
    found = {n: p.grad.numpy() for n, p in model.named_parameters() if p.grad is not None}
    return found, {name: loss.item() for name, loss in losses.items()}


@pytest.mark.parametrize(
    ('kind', 'options', 'num_frames', 'empty'),
    [
        ('VidEoMT', {}, 2, False),
        ('VidEoMT', {}, 2, True),
        ('VidEoMT', {}, 1, False),
        ('VidEoMT', dict(frames_alone=True), 1, True),
        ('EoMT', {}, 1, False),
        ('PMT', {}, 2, True),
    ],
)
def test_two_processes_have_the_gradients_of_one(kind, options, num_frames, empty, monkeypatch):
    fix_points(monkeypatch)
    backbone = dict(with_cp=True)
    model = still(build(kind, backbone=backbone, checkpoint_predictions=True, **options))
    inputs, samples = batch(num_frames=num_frames)
    if empty:
        samples[1].gt_instances = [frame[:0] for frame in samples[1].gt_instances]
    first, second = in_two_processes(train_in_process, model, inputs, samples)
    expected, _ = gradients(model, inputs, samples)
    assert first[0].keys() == expected.keys()
    for name, gradient in expected.items():
        assert (first[0][name] == second[0][name]).all(), name
        if not empty:  # the cross entropy is a mean that depends on the objects of a process
            scale = max(gradient.abs().max().item(), 1e-3)
            assert abs(first[0][name] - gradient.numpy()).max() <= 1e-4 * scale, name
