"""Sampling core of multi-scale deformable attention (Deformable DETR, section 4.1, eq. 3).

A query's result is a weighted sum of value rows: four corners of each sampling point. See
:mod:`.weighted_bag`.
"""

import torch
from torch import Tensor

from .weighted_bag import weighted_bag

# Bound on the list of samples that a step holds, in elements (about 12 bytes each).
CHUNK_SAMPLES = {'cpu': 2**22, 'cuda': 2**26}


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
    B, num_rows, heads, C = value.shape
    Q, L, points = sampling_locations.shape[1], *sampling_locations.shape[3:5]
    rows = value.reshape(-1, C)
    half_on_cpu = not value.is_cuda and value.dtype in (torch.float16, torch.bfloat16)
    rows = rows.float() if half_on_cpu else rows
    first = torch.arange(B, device=value.device)[:, None] * num_rows * heads + torch.arange(
        heads, device=value.device
    )  # row of pixel 0 for each (video, head)
    limit = CHUNK_SAMPLES['cuda' if value.is_cuda else 'cpu']
    chunk = max(1, limit // max(1, B * heads * L * points * 4))
    parts = []
    for start in range(0, Q, chunk):
        queries = slice(start, start + chunk)
        index, weight = _corners(
            sampling_locations[:, queries], attention_weights[:, queries], value_spatial_shapes
        )
        index = (index * heads + first[:, None, :, None]).flatten(0, 2)
        parts.append(weighted_bag(rows, index, weight.flatten(0, 2)).view(B, -1, heads * C))
    output = torch.cat(parts, 1) if parts else value.new_zeros(B, 0, heads * C)
    return output.to(value.dtype)


def _corners(locations: Tensor, attention: Tensor, spatial_shapes: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel number in the concatenated maps and weight of each corner, (B, Q, heads, taps)."""
    spatial_shapes = spatial_shapes.to(locations.device)
    area = spatial_shapes.prod(1)
    level_start = (area.cumsum(0) - area)[:, None, None]  # (L, 1, 1)
    width_height = spatial_shapes.flip(1)[:, None]  # (L, 1, 2)
    position = locations * width_height - 0.5  # (B, Q, heads, L, points, 2)
    low = position.detach().floor()
    fraction = position - low
    weight_xy = torch.stack([1 - fraction, fraction], -2)  # (..., corner, 2)
    # Far or NaN locations would not fit an integer; their weight says what they count.
    cell = torch.stack([low, low + 1], -2)
    inside = ((cell >= 0) & (cell < width_height[:, :, None])) | cell.isnan()
    cell = torch.minimum(cell.nan_to_num().clamp(min=0), width_height[:, :, None] - 1).long()
    weight_x, weight_y = (weight_xy * inside).unbind(-1)  # (..., corner)
    x, y = cell.unbind(-1)
    weight = attention[..., None, None] * weight_y[..., :, None] * weight_x[..., None, :]
    width = spatial_shapes[:, 1, None, None]
    row_start = level_start + y * width
    index = row_start[..., :, None] + x[..., None, :]  # (B, Q, heads, L, points, 2, 2)
    return index.flatten(3), weight.flatten(3)
