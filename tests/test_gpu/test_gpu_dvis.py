"""Small models of MinVIS and DVIS on a GPU against the same on a CPU; half precision."""

import numpy as np
import pytest
import torch
from dvis_models import KINDS, assert_equal_instances, batch, build, video, windows
from pycocotools import mask as mask_utils

pytestmark = pytest.mark.gpu


def predict(model, num_frames=5):
    (result,) = model.predict(windows(video(num_frames), 2))
    return result.pred


def losses_of(model, device):
    inputs, samples = batch()
    for sample in samples:
        sample.gt_instances = [frame.to(device) for frame in sample.gt_instances]
    torch.manual_seed(0)
    return model.loss(inputs.to(device), samples)


def tubes_of(pred):
    keys = zip(pred.track_ids.tolist(), pred.labels.tolist(), strict=True)
    return dict(zip(keys, pred.masks, strict=True))


@pytest.mark.parametrize('kind', KINDS)
def test_prediction(device, kind):
    expected, actual = predict(build(kind)), predict(build(kind).to(device))
    np.testing.assert_allclose(actual.scores, expected.scores, atol=1e-4)
    expected, actual = tubes_of(expected), tubes_of(actual)
    assert set(actual) == set(expected)
    for key, tube in actual.items():
        for a, b in zip(tube, expected[key], strict=True):
            assert (mask_utils.decode(a) != mask_utils.decode(b)).mean() < 0.01


@pytest.mark.parametrize('kind', KINDS)
def test_frames_on_disk_give_the_same_result(device, kind):
    key = 'feature_memory_mb' if kind == 'DVISOffline' else 'mask_memory_mb'
    in_memory = predict(build(kind).to(device), num_frames=7)
    on_disk = predict(build(kind, **{key: 0.03}).to(device), num_frames=7)
    assert_equal_instances(on_disk, in_memory)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_prediction_in_half_precision(device, kind, dtype):
    model = build(kind).to(device)
    full = predict(model)
    with torch.autocast(torch.device(device).type, dtype):
        half = predict(model)
    np.testing.assert_allclose(half.scores, full.scores, atol=0.05)
    assert all(len(tube) == 5 for tube in half.masks)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_training_step_in_half_precision(device, kind, dtype):
    if dtype == torch.float16 and not device.startswith('cuda'):
        pytest.skip('training in fp16 is for GPUs')
    place = torch.device(device).type
    model = build(kind).to(device).train()
    trained = [p for p in model.parameters() if p.requires_grad]
    before = [p.detach().clone() for p in trained]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    scaler = torch.amp.GradScaler(place, init_scale=64.0, enabled=dtype == torch.float16)
    with torch.autocast(place, dtype):
        loss, _ = model.parse_losses(losses_of(model, device))
    full, _ = model.parse_losses(losses_of(model, device))
    assert float(loss.detach()) == pytest.approx(float(full.detach()), rel=0.1)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    assert all(p.grad.isfinite().all() for p in trained)
    scaler.step(optimizer)
    changed = sum(not p.detach().equal(b) for p, b in zip(trained, before, strict=True))
    assert changed > 0.9 * len(trained)
