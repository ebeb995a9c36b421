"""A small TeViT on a GPU against the same on a CPU; half precision; memory of long videos."""

import copy
from functools import cache

import numpy as np
import pytest
import torch
from helpers import REPOSITORY
from mmengine.structures import InstanceData
from pycocotools import mask as mask_utils

from mmvseg.engine.config import load_config
from mmvseg.models.segmentors.tevit import TeViTTestConfig
from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample, VideoWindow

pytestmark = pytest.mark.gpu

HEIGHT, WIDTH = 96, 128


@cache
def cpu_model():
    torch.manual_seed(0)
    cfg = load_config(REPOSITORY / 'configs/shapes/tevit_msgshift_shapes.py')
    model = MODELS.build(cfg.model)
    model.init_weights()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if '.fc_reg.' in name:
                parameter.mul_(0.05)  # boxes of an untrained model leave the image otherwise
    return model


def model_on(device):
    return copy.deepcopy(cpu_model()).to(device)


def window(num_frames):
    generator = torch.Generator().manual_seed(num_frames)
    shape = (num_frames, 3, HEIGHT, WIDTH)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    metainfo = dict(
        video_name='noise',
        frame_ids=list(range(num_frames)),
        img_shape=(HEIGHT, WIDTH),
        ori_shape=(2 * HEIGHT, 2 * WIDTH),
        scale_factor=(0.5, 0.5),
        is_first=True,
        is_last=True,
    )
    return VideoWindow(frames, VideoDataSample(metainfo=metainfo))


def batch(num_clips=2, num_frames=3):
    clips = [window(num_frames + clip).frames[:num_frames] for clip in range(num_clips)]
    samples = []
    for clip in range(num_clips):
        sample = VideoDataSample(metainfo=dict(img_shape=(HEIGHT, WIDTH)))
        masks = torch.zeros(2, HEIGHT, WIDTH, dtype=torch.uint8)
        masks[0, 10:50, 20 : 60 + clip] = 1
        masks[1, 30:80, 70:110] = 1
        boxes = torch.tensor([[20, 10, 60 + clip, 50], [70, 30, 110, 80]], dtype=torch.float32)
        frame = dict(bboxes=boxes, masks=masks, labels=torch.tensor([0, 3]))
        sample.gt_instances = [
            InstanceData(**frame, instance_ids=torch.tensor([1, 2])) for _ in range(num_frames)
        ]
        samples.append(sample)
    return dict(inputs=clips, data_samples=samples)


def tubes_of(pred):
    keys = zip(pred.track_ids.tolist(), pred.labels.tolist(), strict=True)
    return dict(zip(keys, pred.masks, strict=True))


def losses_of(model):
    data = model.data_preprocessor(copy.deepcopy(batch()), training=True)
    return model(**data, mode='loss')


def test_raw_outputs(device):
    inputs = torch.randn(2, 3, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = cpu_model().eval().raw_outputs(inputs)
        actual = model_on(device).eval().raw_outputs(inputs.to(device))
    for a, b in zip(actual, expected, strict=True):
        torch.testing.assert_close(a.cpu(), b, atol=2e-3, rtol=1e-3)


def test_prediction(device):
    (expected,) = cpu_model().eval().predict([window(5)])
    (actual,) = model_on(device).eval().predict([window(5)])
    np.testing.assert_allclose(actual.pred.scores, expected.pred.scores, atol=1e-4)
    # Scores of an untrained model lie close together: the last of the best may differ.
    expected, actual = tubes_of(expected.pred), tubes_of(actual.pred)
    shared = set(actual) & set(expected)
    assert len(shared) >= len(expected) - 2
    for key in shared:
        for a, b in zip(actual[key], expected[key], strict=True):
            assert (mask_utils.decode(a) != mask_utils.decode(b)).mean() < 0.01


def test_losses_and_gradients(device):
    reference, model = copy.deepcopy(cpu_model()).eval(), model_on(device).eval()
    expected, actual = losses_of(reference), losses_of(model)
    assert set(actual) == set(expected)
    for name in expected:
        torch.testing.assert_close(actual[name].cpu(), expected[name], atol=2e-3, rtol=2e-3)
    reference.parse_losses(expected)[0].backward()
    model.parse_losses(actual)[0].backward()
    expected_gradients = {n: p.grad for n, p in reference.named_parameters()}
    for name, parameter in model.named_parameters():
        assert (parameter.grad is None) == (expected_gradients[name] is None), name
        if parameter.grad is not None:
            difference = (parameter.grad.cpu() - expected_gradients[name]).norm()
            assert difference <= 0.02 * expected_gradients[name].norm() + 1e-4, name


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_training_step_in_half_precision(device, dtype):
    if dtype == torch.float16 and not device.startswith('cuda'):
        pytest.skip('training in fp16 is for GPUs')
    kind = torch.device(device).type
    model = model_on(device).eval()  # no dropout: comparable to full precision
    full = float(model.parse_losses(losses_of(model))[0].detach())
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    scaler = torch.amp.GradScaler(kind, init_scale=64.0, enabled=dtype == torch.float16)
    with torch.autocast(kind, dtype):
        losses = losses_of(model)
    loss, _ = model.parse_losses(losses)
    assert float(loss.detach()) == pytest.approx(full, rel=0.05)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    scaler.step(optimizer)
    changed = sum(not p.detach().equal(before[name]) for name, p in model.named_parameters())
    assert changed > 0.9 * len(before)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_prediction_in_half_precision(device, dtype):
    model = model_on(device).eval()
    (full,) = model.predict([window(4)])
    with torch.autocast(torch.device(device).type, dtype):
        (half,) = model.predict([window(4)])
    np.testing.assert_allclose(half.pred.scores, full.pred.scores, atol=0.02)
    assert all(len(tube) == 4 for tube in half.pred.masks)


def test_memory_of_long_videos_is_bounded(device):
    if not device.startswith('cuda'):
        pytest.skip('reads the memory of a GPU')
    model = model_on(device).eval()
    model.test_cfg = TeViTTestConfig(clip_frames=8, clip_overlap=2)
    model.predict([window(8)])  # warms up
    peaks = []
    for num_frames in (16, 64):
        torch.cuda.reset_peak_memory_stats()
        model.predict([window(num_frames)])
        peaks.append(torch.cuda.max_memory_allocated())
    assert peaks[1] <= 1.05 * peaks[0]


def test_training_memory_shrinks_with_checkpointing(device):
    if not device.startswith('cuda'):
        pytest.skip('reads the memory of a GPU')
    peaks = []
    for with_cp in (False, True):
        model = model_on(device).train()
        model.backbone.with_cp = with_cp
        torch.cuda.reset_peak_memory_stats()
        model.parse_losses(losses_of(model))[0].backward()
        peaks.append(torch.cuda.max_memory_allocated())
    assert peaks[1] < peaks[0]
