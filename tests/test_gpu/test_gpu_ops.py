"""The operators on a GPU against the same on a CPU, values and gradients."""

import pytest
import torch

from mmvseg.ops import multi_scale_deformable_attention, roi_align, sigmoid_focal_loss
from mmvseg.ops import roi_align as roi_align_function
from mmvseg.ops.multi_scale_deformable_attention import CHUNK_SAMPLES
from mmvseg.ops.roi_align import CHUNK_ELEMENTS

pytestmark = pytest.mark.gpu


def compare(function, arguments, device, tolerance=1e-4):
    """Run on both devices; every floating point argument gets a gradient."""
    results = []
    for place in ('cpu', device):
        leaves = [
            a.detach().to(place).requires_grad_(a.is_floating_point())
            if isinstance(a, torch.Tensor)
            else a
            for a in arguments
        ]
        out = function(*leaves)
        weight = torch.linspace(-1, 1, out.numel(), device=place).view_as(out)
        (out * weight).sum().backward()
        grads = [a.grad.cpu() for a in leaves if isinstance(a, torch.Tensor) and a.grad is not None]
        results.append([out.detach().cpu(), *grads])
    assert len(results[0]) > 1
    for expected, actual in zip(*results, strict=True):
        torch.testing.assert_close(actual, expected, atol=tolerance, rtol=tolerance)


def features_and_rois(num_rois=200):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(3, 16, 24, 32, generator=generator)
    frame = torch.randint(0, 3, (num_rois, 1), generator=generator).float()
    corner = torch.rand(num_rois, 2, generator=generator) * 120 - 20  # some leave the image
    size = torch.rand(num_rois, 2, generator=generator) * 90
    return features, torch.cat([frame, corner, corner + size], 1)


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('ratio', [0, 2])
def test_roi_align(device, ratio, aligned):
    features, rois = features_and_rois()
    compare(
        lambda x: roi_align(x, rois.to(x.device), 7, 0.25, ratio, 'avg', aligned),
        [features],
        device,
    )


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_roi_align_in_half_precision(device, dtype):
    features, rois = features_and_rois()
    expected = roi_align(features, rois, 7, 0.25, 2)
    actual = roi_align(features.to(device, dtype), rois.to(device), 7, 0.25, 2)
    assert actual.dtype == dtype
    torch.testing.assert_close(actual.float().cpu(), expected, atol=0.03, rtol=0.03)


def test_roi_align_without_boxes(device):
    features, rois = features_and_rois()
    assert roi_align(features.to(device), rois[:0].to(device), 7).shape == (0, 16, 7, 7)


def test_roi_align_in_chunks(device, monkeypatch):
    features, rois = features_and_rois()
    whole = roi_align(features.to(device), rois.to(device), 7, 0.25, 2)
    monkeypatch.setitem(CHUNK_ELEMENTS, torch.device(device).type, 4096)
    chunked = roi_align_function(features.to(device), rois.to(device), 7, 0.25, 2)
    torch.testing.assert_close(chunked, whole)


def attention_arguments():
    generator = torch.Generator().manual_seed(0)
    shapes = torch.tensor([(12, 16), (6, 8), (3, 4)])
    value = torch.randn(2, 252, 4, 8, generator=generator)
    locations = torch.rand(2, 100, 4, 3, 4, 2, generator=generator) * 1.4 - 0.2
    weights = torch.rand(2, 100, 4, 3, 4, generator=generator)
    return value, shapes, locations, weights


def test_deformable_attention(device):
    compare(multi_scale_deformable_attention, attention_arguments(), device, tolerance=1e-3)


def test_deformable_attention_in_chunks(device, monkeypatch):
    arguments = [a.to(device) for a in attention_arguments()]
    whole = multi_scale_deformable_attention(*arguments)
    monkeypatch.setitem(CHUNK_SAMPLES, torch.device(device).type, 2048)
    torch.testing.assert_close(multi_scale_deformable_attention(*arguments), whole)


def test_sigmoid_focal_loss(device):
    logits = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(50) % 7  # 6 is the background
    compare(sigmoid_focal_loss, [logits, labels], device)
