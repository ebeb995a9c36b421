"""RoIAlign against a loop over samples, finite differences and compiled mmcv."""

import importlib
import math

import pytest
import torch

from mmvseg import compat
from mmvseg.ops import RoIAlign, roi_align
from mmvseg.ops import roi_align as roi_align_function
from mmvseg.ops.roi_align import CHUNK_ELEMENTS


def sample(plane, y, x):
    """Bilinear value of one (H, W) map; zero beyond one cell outside."""
    H, W = plane.shape
    if y < -1 or y > H or x < -1 or x > W:
        return 0.0
    y, x = min(max(y, 0.0), H - 1.0), min(max(x, 0.0), W - 1.0)
    y0, x0 = int(y), int(x)
    y1, x1 = min(y0 + 1, H - 1), min(x0 + 1, W - 1)
    fy, fx = y - y0, x - x0
    top = plane[y0, x0].item() * (1 - fx) + plane[y0, x1].item() * fx
    bottom = plane[y1, x0].item() * (1 - fx) + plane[y1, x1].item() * fx
    return top * (1 - fy) + bottom * fy


def reference(features, rois, output_size, scale, ratio, aligned):
    """The definition, sample by sample, in float64."""
    height, width = output_size
    out = torch.zeros(len(rois), features.shape[1], height, width, dtype=torch.float64)
    for n, (frame, *box) in enumerate(rois.tolist()):
        x1, y1, x2, y2 = (v * scale - (0.5 if aligned else 0.0) for v in box)
        h, w = y2 - y1, x2 - x1
        if not aligned:
            h, w = max(h, 1.0), max(w, 1.0)
        rows = ratio or math.ceil(h / height)
        columns = ratio or math.ceil(w / width)
        for c in range(features.shape[1]):
            plane = features[int(frame), c].double()
            for i in range(height):
                for j in range(width):
                    values = [
                        sample(
                            plane,
                            y1 + (i + (a + 0.5) / rows) * h / height,
                            x1 + (j + (b + 0.5) / columns) * w / width,
                        )
                        for a in range(rows)
                        for b in range(columns)
                    ]
                    out[n, c, i, j] = sum(values) / max(len(values), 1)
    return out


# In pixels of a map of 9 x 12 cells of 4 pixels.
ROIS = torch.tensor(
    [
        [0, 4.3, 2.2, 30.1, 28.7],  # inside
        [1, 0.0, 0.0, 48.0, 36.0],  # the whole map
        [1, -20.3, -9.1, 12.2, 60.4],  # over three borders
        [0, 200.0, 200.0, 240.0, 230.0],  # outside
        [0, 17.0, 11.0, 17.0, 11.0],  # empty
        [1, -3.9, -3.9, 2.0, 3.0],  # less than a cell outside
        [0, 3.0, 1.0, 46.0, 5.0],  # long and low
        [1, 10.2, 10.2, 10.9, 11.3],  # smaller than a cell
    ]
)


@pytest.fixture
def features():
    return torch.randn(2, 3, 9, 12, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('ratio', [0, 1, 2, 3])
@pytest.mark.parametrize('output_size', [(7, 7), (2, 3)])
def test_equals_loop(features, output_size, ratio, aligned):
    got = roi_align(features.double(), ROIS.double(), output_size, 0.25, ratio, 'avg', aligned)
    expected = reference(features, ROIS.double(), output_size, 0.25, ratio, aligned)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)


def test_float32_close_to_loop(features):
    got = roi_align(features, ROIS, (7, 7), 0.25, 2)
    torch.testing.assert_close(
        got.double(), reference(features, ROIS, (7, 7), 0.25, 2, True), rtol=1e-5, atol=2e-5
    )


@pytest.mark.parametrize('size', [(1, 12), (9, 1), (1, 1), (2, 2)])
@pytest.mark.parametrize('ratio', [0, 2])
def test_maps_of_one_row_or_column(features, size, ratio):
    small = features[:, :, : size[0], : size[1]].double()
    got = roi_align(small, ROIS.double(), (2, 2), 0.25, ratio)
    expected = reference(small, ROIS.double(), (2, 2), 0.25, ratio, True)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize('ratio', [0, 2])
@pytest.mark.parametrize('limit', [1, 700])
def test_chunks_change_nothing(features, ratio, limit, monkeypatch):
    order = torch.tensor([4, 2, 7, 0, 1, 5, 3, 6])  # frames mixed

    def run():
        leaf = features.clone().requires_grad_()
        out = roi_align(leaf, ROIS[order], (7, 7), 0.25, ratio)
        out.square().sum().backward()
        return out, leaf.grad

    whole = run()
    monkeypatch.setitem(CHUNK_ELEMENTS, 'cpu', limit)
    for got, expected in zip(run(), whole, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('rows_first', [True, False])
@pytest.mark.parametrize('ratio', [0, 2])
@pytest.mark.parametrize('limit', [500, 10**6])
def test_both_orders_of_the_sums(features, rows_first, ratio, limit, monkeypatch):
    module = importlib.import_module('mmvseg.ops.roi_align')
    monkeypatch.setattr(module, '_rows_first', lambda *sizes: rows_first)
    monkeypatch.setitem(CHUNK_ELEMENTS, 'cpu', limit)
    leaf = features.double().requires_grad_()
    out = roi_align(leaf, ROIS.double(), (7, 5), 0.25, ratio)
    expected = reference(features, ROIS.double(), (7, 5), 0.25, ratio, True)
    torch.testing.assert_close(out, expected, rtol=1e-10, atol=1e-10)
    # Linear in the features, so the gradient of <out, v> is known from <out(u), v> for any u.
    v, u = torch.randn_like(out), torch.randn_like(leaf)
    (grad,) = torch.autograd.grad((out * v).sum(), leaf)
    torch.testing.assert_close(
        (grad * u).sum(), (roi_align(u, ROIS.double(), (7, 5), 0.25, ratio) * v).sum()
    )


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('ratio', [0, 2])
@pytest.mark.parametrize('aligned', [True, False])
def test_gradient(features, memory_format, ratio, aligned):
    leaf = features[:, :2].double().contiguous(memory_format=memory_format).requires_grad_()
    rois = ROIS[[0, 2, 5, 6]].double()
    assert torch.autograd.gradcheck(
        lambda x: roi_align(x, rois, (2, 3), 0.25, ratio, 'avg', aligned), leaf
    )


def test_no_gradient_for_boxes(features):
    rois = ROIS.clone().requires_grad_()
    roi_align(features.requires_grad_(), rois, 2, 0.25).sum().backward()
    assert rois.grad is None
    assert features.grad is not None


def test_no_boxes(features):
    features.requires_grad_()
    out = RoIAlign(7, 0.25, 0)(features, ROIS[:0])
    assert out.shape == (0, 3, 7, 7)
    out.sum().backward()
    assert not features.grad.any()


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('ratio', [0, 2])
def test_half_precision_keeps_box_coordinates(dtype, ratio):
    """Boxes at 1001.3 pixels are exact to 0.5 pixels at best in float16; ours stay float32."""
    ramp = torch.linspace(0, 1, 512).view(1, 1, 1, -1).expand(1, 2, 8, -1).contiguous()
    box = torch.tensor([[0, 1001.3, 2.0, 1303.1, 20.0]])
    half = ramp.to(dtype).requires_grad_()
    out = roi_align(half, box, 7, 0.25, ratio)
    assert out.dtype == dtype
    exact = roi_align(half.detach().double(), box.double(), 7, 0.25, ratio)
    torch.testing.assert_close(out.double(), exact, rtol=torch.finfo(dtype).eps, atol=0)
    out.sum().backward()
    assert half.grad.dtype == dtype
    assert half.grad.any()


def test_under_autocast(features):
    with torch.autocast('cpu', dtype=torch.bfloat16):
        torch.testing.assert_close(
            roi_align(features, ROIS, 7, 0.25), roi_align_function(features, ROIS, 7, 0.25)
        )


def test_nan_box_gives_nan(features):
    box = torch.tensor([[0.0, float('nan'), 0.0, 8.0, 8.0]])
    for ratio in (0, 2):
        assert roi_align(features, box, 2, 0.25, ratio).isnan().all()


def test_adaptive_samples_of_a_huge_box_need_little_memory():
    """A list of all samples of the first box would have 49 * 28572 ** 2 entries."""
    box = torch.tensor([[0.0, -4e5, -4e5, 4e5, 4e5], [0.0, 0.0, 0.0, float('inf'), 8.0]])
    out = roi_align(torch.ones(1, 1, 99, 119, dtype=torch.float64), box.double(), 7, 0.25, 0)
    # Samples one cell apart, from one cell before the map to one behind it.
    assert out[0, 0, 3, 3].item() == pytest.approx(100 * 120 / 28572**2, rel=0.03)
    assert not out[0, 0, 0, 0]
    assert not out[1].nan_to_num().any()


def test_wrong_use_is_refused(features):
    with pytest.raises(ValueError, match='avg'):
        RoIAlign(7, pool_mode='max')(features, ROIS)
    with pytest.raises(ValueError, match=r'\(N, 5\)'):
        roi_align(features, ROIS[:, 1:], 7)
    with pytest.raises(ValueError, match='batch index'):
        roi_align(features, torch.tensor([[2.0, 0, 0, 8, 8]]), 7)


def test_module_prints_its_arguments():
    assert 'sampling_ratio=2' in repr(RoIAlign(7, 0.25, 2))


@pytest.mark.skipif(not compat.has_compiled_ops(), reason='mmcv has no compiled ops')
@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('ratio', [0, 2])
@pytest.mark.parametrize('output_size', [7, (14, 10)])
def test_equals_compiled_mmcv(features, output_size, ratio, aligned):
    from mmcv.ops import RoIAlign as CompiledRoIAlign

    assert CompiledRoIAlign is not RoIAlign
    results = []
    for cls in (RoIAlign, CompiledRoIAlign):
        leaf = features.double().requires_grad_()
        out = cls(output_size, 0.25, ratio, 'avg', aligned)(leaf, ROIS.double())
        (out * torch.arange(out.numel()).view(out.shape)).sum().backward()
        results.append((out, leaf.grad))
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize('ratio', [0, 2])
def test_gpu_equals_cpu(features, dtype, ratio):
    results = []
    for device in ('cpu', 'cuda'):
        leaf = features.to(device, dtype).requires_grad_()
        out = roi_align(leaf, ROIS.to(device), 7, 0.25, ratio)
        out.float().square().sum().backward()
        results.append((out.float().cpu(), leaf.grad.float().cpu()))
    tolerance = 10 * torch.finfo(dtype).eps
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)
