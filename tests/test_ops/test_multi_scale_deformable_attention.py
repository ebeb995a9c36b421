"""Deformable attention against a loop, finite differences, ``grid_sample`` and compiled mmcv."""

import importlib
import math

import pytest
import torch

from mmvseg import compat
from mmvseg.ops import multi_scale_deformable_attention
from mmvseg.ops.multi_scale_deformable_attention import CHUNK_SAMPLES

SHAPES = [(5, 7), (3, 4), (1, 2)]
B, Q, HEADS, POINTS, C = 2, 6, 2, 3, 4


@pytest.fixture
def arguments():
    """Locations from half a map outside to half a map beyond."""
    generator = torch.Generator().manual_seed(0)
    shapes = torch.tensor(SHAPES)
    value = torch.randn(B, int(shapes.prod(1).sum()), HEADS, C, generator=generator)
    locations = torch.rand(B, Q, HEADS, len(SHAPES), POINTS, 2, generator=generator) * 2 - 0.5
    attention = torch.rand(B, Q, HEADS, len(SHAPES), POINTS, generator=generator)
    return value.double(), shapes, locations.double(), attention.double()


def reference(value, shapes, locations, attention):
    """The definition, point by point and corner by corner."""
    out = torch.zeros(B, Q, HEADS, C, dtype=torch.float64)
    starts = [0, 35, 47]
    for b in range(B):
        for q in range(Q):
            for h in range(HEADS):
                for level, (H, W) in enumerate(SHAPES):
                    for p in range(POINTS):
                        x = locations[b, q, h, level, p, 0].item() * W - 0.5
                        y = locations[b, q, h, level, p, 1].item() * H - 0.5
                        for i in (math.floor(y), math.floor(y) + 1):
                            for j in (math.floor(x), math.floor(x) + 1):
                                if 0 <= i < H and 0 <= j < W:
                                    share = (1 - abs(y - i)) * (1 - abs(x - j))
                                    row = value[b, starts[level] + i * W + j, h]
                                    out[b, q, h] += attention[b, q, h, level, p] * share * row
    return out.flatten(2)


def test_equals_loop(arguments):
    torch.testing.assert_close(multi_scale_deformable_attention(*arguments), reference(*arguments))


def test_gradients(arguments):
    value, shapes, locations, attention = arguments
    leaves = [
        tensor[:1].clone().requires_grad_()
        for tensor in (value, locations[:, :2], attention[:, :2])
    ]
    assert torch.autograd.gradcheck(
        lambda v, x, a: multi_scale_deformable_attention(v, shapes, x, a), leaves
    )


def gradients(function, value, shapes, locations, attention):
    leaves = [tensor.clone().requires_grad_() for tensor in (value, locations, attention)]
    out = function(leaves[0], shapes, leaves[1], leaves[2])
    (out * torch.arange(out.numel(), device=out.device).view(out.shape)).sum().backward()
    return [out, *(leaf.grad for leaf in leaves)]


def grid_sample_attention(value, shapes, locations, attention):
    """The same through bilinear sampling of torch, level by level."""
    parts = value.split(shapes.prod(1).tolist(), 1)
    out = 0
    for level, (H, W) in enumerate(shapes.tolist()):
        maps = parts[level].permute(0, 2, 3, 1).reshape(B * HEADS, C, H, W)
        grid = (2 * locations[:, :, :, level] - 1).transpose(1, 2).flatten(0, 1)
        sampled = torch.nn.functional.grid_sample(maps, grid, align_corners=False)
        weight = attention[:, :, :, level].transpose(1, 2).flatten(0, 1)
        out = out + (sampled * weight[:, None]).sum(-1)
    return out.view(B, HEADS * C, Q).transpose(1, 2)


def test_equals_grid_sample(arguments):
    ours = gradients(multi_scale_deformable_attention, *arguments)
    theirs = gradients(grid_sample_attention, *arguments)
    for got, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(got, expected)


@pytest.mark.parametrize('limit', [1, 200])
def test_chunks_change_nothing(arguments, limit, monkeypatch):
    whole = gradients(multi_scale_deformable_attention, *arguments)
    monkeypatch.setitem(CHUNK_SAMPLES, 'cpu', limit)
    for got, expected in zip(
        gradients(multi_scale_deformable_attention, *arguments), whole, strict=True
    ):
        torch.testing.assert_close(got, expected)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_values_keep_locations(arguments, dtype):
    value, shapes, locations, attention = arguments
    half = value.to(dtype).requires_grad_()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = multi_scale_deformable_attention(half, shapes, locations.float(), attention.float())
    assert out.dtype == dtype
    exact = multi_scale_deformable_attention(half.double(), shapes, locations, attention)
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(out.double(), exact, rtol=2 * eps, atol=2 * eps)
    out.float().sum().backward()
    assert half.grad.dtype == dtype


def test_no_queries(arguments):
    value, shapes, locations, attention = arguments
    out = multi_scale_deformable_attention(value, shapes, locations[:, :0], attention[:, :0])
    assert out.shape == (B, 0, HEADS * C)


def test_far_and_nan_locations(arguments):
    value, shapes, locations, attention = arguments
    far = torch.full_like(locations, 1e30)
    assert not multi_scale_deformable_attention(value, shapes, far, attention).any()
    nan = torch.full_like(locations, float('nan'))
    assert multi_scale_deformable_attention(value, shapes, nan, attention).isnan().all()


def test_module_of_mmcv_uses_it(arguments, monkeypatch):
    from mmcv.ops import MultiScaleDeformableAttention

    module = importlib.import_module('mmcv.ops.multi_scale_deform_attn')
    assert module.multi_scale_deformable_attn_pytorch is multi_scale_deformable_attention
    torch.manual_seed(0)
    layer = MultiScaleDeformableAttention(8, 2, 3, POINTS, batch_first=True, dropout=0.0)
    value, shapes, *_ = arguments
    query = torch.randn(B, Q, 8)
    points = torch.rand(B, Q, 3, 2)
    starts = torch.tensor([0, 35, 47])

    def run():
        return layer(
            query,
            value=value.float().flatten(2),
            reference_points=points,
            spatial_shapes=shapes,
            level_start_index=starts,
        )

    ours = run()
    monkeypatch.setattr(module, 'multi_scale_deformable_attn_pytorch', grid_sample_attention)
    torch.testing.assert_close(ours, run())


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
def test_gpu_equals_cpu(arguments):
    cpu = gradients(multi_scale_deformable_attention, *arguments)
    gpu = gradients(multi_scale_deformable_attention, *(argument.cuda() for argument in arguments))
    for got, expected in zip(gpu, cpu, strict=True):
        torch.testing.assert_close(got.cpu(), expected)


@pytest.mark.skipif(
    not (torch.cuda.is_available() and compat.has_compiled_ops()),
    reason='no GPU or no compiled mmcv',
)
def test_equals_compiled_mmcv(arguments):
    from mmcv.ops.multi_scale_deform_attn import MultiScaleDeformableAttnFunction

    arguments = [argument.cuda() for argument in arguments]
    starts = torch.tensor([0, 35, 47], device='cuda')

    def compiled(value, shapes, locations, attention):
        return MultiScaleDeformableAttnFunction.apply(
            value, shapes, starts, locations, attention, 64
        )

    ours = gradients(multi_scale_deformable_attention, *arguments)
    for got, expected in zip(ours, gradients(compiled, *arguments), strict=True):
        torch.testing.assert_close(got, expected)
