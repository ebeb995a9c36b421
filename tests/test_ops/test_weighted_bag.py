"""Weighted sums of rows against plain indexing."""

import pytest
import torch

from mmvseg.ops import weighted_bag


@pytest.fixture
def tensors():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(7, 3, generator=generator, dtype=torch.float64)
    index = torch.randint(0, 6, (5, 4), generator=generator)  # row 6 is never used
    weight = torch.randn(5, 4, generator=generator, dtype=torch.float64)
    return rows, index, weight


@pytest.mark.parametrize('dtype', [torch.int32, torch.int64])
def test_sum_and_gradients(tensors, dtype):
    rows, index, weight = tensors
    rows.requires_grad_()
    weight.requires_grad_()
    torch.testing.assert_close(
        weighted_bag(rows, index.to(dtype), weight), (weight[..., None] * rows[index]).sum(1)
    )
    assert torch.autograd.gradcheck(
        lambda r, w: weighted_bag(r, index.to(dtype), w), (rows, weight)
    )


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_gradient(tensors, dtype):
    rows, index, weight = tensors
    grads = []
    for kind in (torch.float64, dtype):
        leaf = rows.to(dtype).to(kind).requires_grad_()
        weighted_bag(leaf, index, weight.to(dtype).to(kind)).sum().backward()
        grads.append(leaf.grad.double())
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(grads[1], grads[0], rtol=4 * eps, atol=4 * eps)


@pytest.mark.parametrize('shape', [(0, 4), (5, 0)])
def test_empty(tensors, shape):
    rows = tensors[0].requires_grad_()
    out = weighted_bag(rows, torch.zeros(shape, dtype=torch.int64), torch.zeros(shape))
    assert out.shape == (shape[0], 3)
    out.sum().backward()
    assert not rows.grad.any()
