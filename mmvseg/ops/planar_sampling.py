"""Deformable attention's sampling on planes: one long row a sampling point, queries side by side.

The same sums as :mod:`.multi_scale_deformable_attention`, laid out for a CPU. Points are the outer
axis, so that every step runs along the queries in vector units; heads pass one by one, so that what
a step reads and writes stays in the cache; positions are in pixels, as the network gives them; and
maps get a border of zeros, so that no corner has to be looked at for being outside.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .weighted_bag import bag_forward

#: Rows or columns of zeros before a map and behind it: a point that far out has no share in it.
_BEFORE, _BEHIND = 1, 2


def sample_planes(
    value: Tensor, shapes: Sequence[tuple[int, int]], x: Tensor, y: Tensor, attention: Tensor
) -> Tensor:
    """Attend to a few points of the maps of one image; corners outside a map count as zero.

    Args:
        value: rows of all maps, level after level, (sum of H * W, heads, C), float32.
        shapes: (H, W) of each of the L levels.
        x: columns in pixels of each map, 0 at the centre of its first, (heads, L, points, Q).
        y: rows in pixels, of the same shape.
        attention: weight of each point, of the same shape.

    Returns:
        (Q, heads, C).
    """
    height, width = (
        torch.tensor(sides, dtype=value.dtype).view(-1, 1, 1) for sides in zip(*shapes, strict=True)
    )  # (L, 1, 1)
    step = width + (_BEFORE + _BEHIND)  # from a row of the bordered map to the next
    area = step * (height + (_BEFORE + _BEHIND))
    start = area.cumsum(0) - area + _BEFORE * (step + 1)  # the first pixel inside of the border
    output = torch.empty(x.shape[3], *value.shape[1:], dtype=value.dtype)
    for head, weights in enumerate(attention):
        column, column_shares = _axis_corners(x[head], width)
        line, line_shares = _axis_corners(y[head], height)
        first = torch.addcmul(column, line, step).add_(start).int()
        below = first + step.int()
        index = torch.stack([first, first + 1, below, below + 1])  # (4, L, points, Q)
        weight = torch.stack([share * weights for share in line_shares]).unsqueeze(1)
        weight = weight * torch.stack(column_shares)  # (2, 2, L, points, Q), rows then columns
        bags = bag_forward(
            _bordered(value[:, head], shapes),
            index.flatten(0, 2).t().contiguous(),
            weight.flatten(0, 3).t().contiguous(),
        )
        output[:, head] = bags
    return output


def _bordered(value: Tensor, shapes: Sequence[tuple[int, int]]) -> Tensor:
    """Rows (sum of H * W, C) of all maps with borders of zeros around each."""
    border = (0, 0, _BEFORE, _BEHIND, _BEFORE, _BEHIND)
    levels = value.split([height * width for height, width in shapes])
    maps = [
        F.pad(level.unflatten(0, shape), border).flatten(0, 1)
        for level, shape in zip(levels, shapes, strict=True)
    ]
    return torch.cat(maps)


def _axis_corners(position: Tensor, length: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Lower cell of each point on one axis, from -1 to the length; shares of it and of the next."""
    position = torch.minimum(position.clamp(min=-1), length)
    # NaN stays in the shares, but not in the cells.
    low = position.floor().nan_to_num_()
    upper = position.sub_(low)
    return low, (1 - upper, upper)
