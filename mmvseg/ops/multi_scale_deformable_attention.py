"""Sampling core of multi-scale deformable attention (Deformable DETR, section 4.1, eq. 3).

A query's result is a weighted sum of value rows: four corners of each sampling point. See
:mod:`.weighted_bag`.
"""

import torch
from torch import Tensor

from .weighted_bag import weighted_bag

# Bound on the list of samples that a step holds, in elements (about 12 bytes each).
CHUNK_SAMPLES = {'cpu': 2**20, 'cuda': 2**26}


def multi_scale_deformable_attention(
    value: Tensor,
    value_spatial_shapes: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
) -> Tensor:
    """Attend to a few points of several feature maps; corners outside a map count as zero.

    Args:
        value: rows of all maps, level after level, (B, sum of H * W, heads, C).
        value_spatial_shapes: ``(H, W)`` of each level, int64, (L, 2).
        sampling_locations: ``(x, y)`` in [0, 1] over each map's whole area, (B, Q, heads, L,
            points, 2). Kept in their own type, so float32 under autocast.
        attention_weights: (B, Q, heads, L, points).

    Returns:
        (B, Q, heads * C), of the type of ``value``.

    Example:
        >>> value = torch.arange(4.0).view(1, 4, 1, 1)  # one map of 2 x 2
        >>> centre = torch.full((1, 1, 1, 1, 1, 2), 0.5)
        >>> shapes = torch.tensor([[2, 2]])
        >>> multi_scale_deformable_attention(value, shapes, centre, torch.ones(1, 1, 1, 1, 1))
        tensor([[[1.5000]]])
    """
    B, _, heads, C = value.shape
    Q, L, points = sampling_locations.shape[1], *sampling_locations.shape[3:5]
    rows = value.reshape(-1, C)
    if not value.is_cuda and value.dtype in (torch.float16, torch.bfloat16):
        rows = rows.float()
    limit = CHUNK_SAMPLES['cuda' if value.is_cuda else 'cpu']
    chunk = max(1, limit // max(1, B * heads * L * points * 4))
    parts = []
    for start in range(0, Q, chunk):
        queries = slice(start, start + chunk)
        index, weight = _corners(
            sampling_locations[:, queries],
            attention_weights[:, queries],
            value_spatial_shapes.to(value.device),
            value.shape[1],
        )
        bags = weighted_bag(rows, index.flatten(0, 2), weight.flatten(0, 2))
        parts.append(bags.view(B, -1, heads * C))
    output = torch.cat(parts, 1) if parts else value.new_zeros(B, 0, heads * C)
    return output.to(value.dtype)


def _corners(
    locations: Tensor, attention: Tensor, spatial_shapes: Tensor, num_rows: int
) -> tuple[Tensor, Tensor]:
    """Rows of the flattened value and weights of all corners, both (B, Q, heads, taps).

    Every step works on one long plane an axis, (B, Q, heads, L * points): with short inner
    axes the many small loops would take longer than the sums over the rows.
    """
    B, _, heads, _, points, _ = locations.shape
    device, integer = locations.device, torch.int32
    area = spatial_shapes.prod(1)
    height, width, level_start = (
        size.repeat_interleave(points)
        for size in (spatial_shapes[:, 0], spatial_shapes[:, 1], area.cumsum(0) - area)
    )  # (L * points,)
    x, x_weight = _axis_corners(locations[..., 0].flatten(3), width)
    y, y_weight = _axis_corners(locations[..., 1].flatten(3), height)
    head = torch.arange(heads, device=device, dtype=integer)[:, None]
    video = torch.arange(B, device=device, dtype=integer)[:, None, None, None]
    # Rows of the table go by video, pixel, head.
    first = level_start.to(integer) * heads + head + video * (num_rows * heads)
    row_step = width.to(integer) * heads
    rows = [first + corner * row_step for corner in y]
    columns = [corner * heads for corner in x]
    y_weight = [weight * attention.flatten(3) for weight in y_weight]
    index = torch.cat([row + column for row in rows for column in columns], 3)
    weight = torch.cat([wy * wx for wy in y_weight for wx in x_weight], 3)
    return index, weight


def _axis_corners(location: Tensor, length: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Lower and upper cell of each point on one axis, moved into the map, and their weights."""
    length = length.to(location.dtype)
    position = location * length - 0.5
    # NaN stays in the weights, but not in the cells.
    low = position.detach().floor().nan_to_num()
    fraction = position - low
    cells, weights = [], []
    for cell, share in ((low, 1 - fraction), (low + 1, fraction)):
        inside = torch.minimum(cell.clamp(min=0), length - 1)
        cells.append(inside.int())
        weights.append(share.masked_fill(inside != cell, 0))
    return cells, weights
