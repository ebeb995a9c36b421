"""Weighted sums of table rows: what bilinear sampling with any kernel comes down to.

``torch.nn.functional.embedding_bag`` does the sum; on a CPU it is vectorised and uses all
threads. Its own backward pass is slow there, so the transposed sum is again a bag.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse import csr_matrix
from torch import Tensor
from torch.autograd.function import once_differentiable


def weighted_bag(rows: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Sum ``weight[b, k] * rows[index[b, k]]`` over k, with gradients for rows and weight.

    Args:
        rows: table of values, (R, C).
        index: row numbers in [0, R), int32 or int64, (B, K).
        weight: one factor a row, (B, K); cast to the type of ``rows``.

    Returns:
        Sums, (B, C), of the type of ``rows``.

    Example:
        >>> rows = torch.tensor([[1.0], [10.0]])
        >>> weighted_bag(rows, torch.tensor([[0, 1]]), torch.tensor([[0.5, 0.25]]))
        tensor([[3.]])
    """
    return _WeightedBag.apply(rows, index, weight.to(rows.dtype))


def bag_forward(rows: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """The sum of :func:`weighted_bag` without gradients; all of one type."""
    if index.numel() == 0:
        return rows.new_zeros(len(index), rows.shape[1])
    return F.embedding_bag(index, rows, mode='sum', per_sample_weights=weight)


def bag_backward(grad: Tensor, index: Tensor, weight: Tensor, num_rows: int) -> Tensor:
    """Gradient of :func:`weighted_bag` for its rows.

    Args:
        grad: gradient of the sums, (B, C).
        index: row numbers of the forward pass, (B, K).
        weight: factors of the forward pass, (B, K), of the type of ``grad``.
        num_rows: R.

    Returns:
        Gradient of the rows, (R, C). Entries are summed in a fixed order, so that the result
        is the same in every run.
    """
    if index.numel() == 0:
        return grad.new_zeros(num_rows, grad.shape[1])
    bags, weight, offsets = _transpose(index, weight, num_rows)
    return F.embedding_bag(bags, grad.contiguous(), offsets, mode='sum', per_sample_weights=weight)


def _transpose(index: Tensor, weight: Tensor, num_rows: int) -> tuple[Tensor, Tensor, Tensor]:
    """From bags of rows to rows of bags: bag numbers, their weights, offset of each row."""
    taps = index.shape[1]
    if index.is_cuda or weight.dtype in (torch.float16, torch.bfloat16):
        keys, order = torch.sort(index.flatten(), stable=True)
        rows = torch.arange(num_rows, device=index.device, dtype=keys.dtype)
        return order // taps, weight.flatten()[order], torch.searchsorted(keys, rows)
    # SciPy's counting sort: one pass over the entries, three times as fast as torch.sort.
    starts = np.arange(0, index.numel() + 1, taps, dtype=index.numpy().dtype)
    entries = (weight.detach().flatten().numpy(), index.flatten().numpy(), starts)
    columns = csr_matrix(entries, shape=(len(index), num_rows)).tocsc()
    parts = (columns.indices, columns.data, columns.indptr[:-1])
    return tuple(torch.from_numpy(part) for part in parts)


class _WeightedBag(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, index: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(rows, index, weight)
        return bag_forward(rows, index, weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, None, Tensor | None]:
        rows, index, weight = ctx.saved_tensors
        grad = grad.contiguous()
        grad_rows = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_rows = bag_backward(grad, index, weight, len(rows))
        if ctx.needs_input_grad[2]:
            grad_weight = _weight_gradient(grad, rows, index)
        return grad_rows, None, grad_weight


def _weight_gradient(grad: Tensor, rows: Tensor, index: Tensor) -> Tensor:
    """Dot product of each bag's gradient with each of its rows, (B, K)."""
    num_bags, taps = index.shape
    if index.numel() == 0:
        return grad.new_zeros(num_bags, taps)
    bags = torch.arange(num_bags, device=index.device, dtype=index.dtype)
    return torch.ops.aten._embedding_bag_per_sample_weights_backward(
        grad, rows, index.flatten(), bags * taps, bags.repeat_interleave(taps), 0, -1
    ).view(num_bags, taps)
