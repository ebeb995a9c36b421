"""Sigmoid focal loss (Lin et al., ICCV 2017, eq. 5) with the arguments of mmcv's operator."""

import torch
import torch.nn.functional as F
from torch import Tensor


def sigmoid_focal_loss(
    input: Tensor,
    target: Tensor,
    gamma: float = 2.0,
    alpha: float = 0.25,
    weight: Tensor | None = None,
    reduction: str = 'mean',
) -> Tensor:
    """Focal loss of one-vs-all logits; computed in float32 at least.

    Args:
        input: logits, (N, K).
        target: class of each row, in [0, K]; K is background, int64, (N,).
        gamma: focusing exponent.
        alpha: weight of the positive entries.
        weight: factor a class, (K,).
        reduction: ``'none'``, ``'mean'`` (over N, not N * K, as in mmcv) or ``'sum'``.

    Returns:
        (N, K) for ``'none'``, else a scalar.
    """
    logits = input.to(torch.promote_types(input.dtype, torch.float32))
    num_classes = logits.shape[1]
    positive = F.one_hot(target, num_classes + 1)[:, :num_classes].to(logits.dtype)
    cross_entropy = F.binary_cross_entropy_with_logits(logits, positive, reduction='none')
    # 1 - p of the true side of each entry.
    miss = (positive - logits.sigmoid()).abs()
    balance = alpha * positive + (1 - alpha) * (1 - positive)
    loss = balance * miss**gamma * cross_entropy
    if weight is not None:
        # mmcv's kernel takes the weight of the row's class for all its entries.
        loss = loss * F.pad(weight, (0, 1), value=1.0)[target][:, None]
    if reduction == 'none':
        return loss
    total = loss.sum()
    return total / max(len(input), 1) if reduction == 'mean' else total
