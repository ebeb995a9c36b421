"""RoIAlign with average pooling (Mask R-CNN, section 3), equal to mmcv's compiled operator.

The samples of a box form a grid, so the weights of a bin are a product of one factor a row
and one a column, and a bin is a weighted sum of pixels: see :mod:`.weighted_bag`.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.modules.utils import _pair

from .weighted_bag import bag_backward, bag_forward

# Bound on what a step holds at a time, in elements: of the features brought into pixel-major
# order, and of the list of samples. A CPU wants them in its cache, a GPU large launches.
CHUNK_ELEMENTS = {'cpu': 2**22, 'cuda': 2**27}


@torch.compiler.disable  # its chunks depend on the boxes
def roi_align(
    input: Tensor,
    rois: Tensor,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 0,
    pool_mode: str = 'avg',
    aligned: bool = True,
) -> Tensor:
    """Average bilinear samples of a feature map in the bins of each box.

    A sample more than one cell outside the map counts as zero, a nearer one is moved to the
    border. Coordinates are computed in float32 at least, whatever the type of the features.

    Args:
        input: feature maps, (B, C, H, W). Channels-last memory saves a copy.
        rois: ``(batch index, x1, y1, x2, y2)`` a row, in pixels of the image, (N, 5). No
            gradient flows to them.
        output_size: bins ``(height, width)`` of the result.
        spatial_scale: feature cells a pixel.
        sampling_ratio: samples a bin and axis; 0: as many as the bin has cells.
        pool_mode: ``'avg'``.
        aligned: pixel centres at half-integers; else the older convention without the shift,
            in which a box is at least one cell wide and high.

    Returns:
        Features, (N, C, height, width), in channels-last memory.

    Example:
        >>> box = torch.tensor([[0.0, 0.0, 0.0, 4.0, 4.0]])
        >>> roi_align(torch.ones(1, 1, 4, 4), box, output_size=1)
        tensor([[[[1.]]]])
    """
    if pool_mode != 'avg':
        raise ValueError(f"RoIAlign without compiled mmcv pools by 'avg', not {pool_mode!r}")
    if rois.dim() != 2 or rois.shape[1] != 5:
        raise ValueError(f'rois must be (N, 5): batch index and xyxy; got {tuple(rois.shape)}')
    if (
        not rois.is_cuda
        and len(rois)
        and not 0 <= rois[:, 0].min() <= rois[:, 0].max() < len(input)
    ):
        raise ValueError(f'rois have a batch index outside [0, {len(input)})')
    grid = (_pair(output_size), float(spatial_scale), int(sampling_ratio), bool(aligned))
    return _RoIAlign.apply(input, rois.detach(), grid)


class RoIAlign(nn.Module):
    """Module form of :func:`roi_align`; same arguments."""

    def __init__(
        self,
        output_size: int | tuple[int, int],
        spatial_scale: float = 1.0,
        sampling_ratio: int = 0,
        pool_mode: str = 'avg',
        aligned: bool = True,
    ) -> None:
        super().__init__()
        self.output_size = _pair(output_size)
        self.spatial_scale = float(spatial_scale)
        self.sampling_ratio = int(sampling_ratio)
        self.pool_mode = pool_mode
        self.aligned = aligned

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:
        """Pool ``input`` (B, C, H, W) in ``rois`` (N, 5): (N, C, height, width)."""
        return roi_align(
            input,
            rois,
            self.output_size,
            self.spatial_scale,
            self.sampling_ratio,
            self.pool_mode,
            self.aligned,
        )

    def extra_repr(self) -> str:
        """Arguments, as printed with the module."""
        return (
            f'output_size={self.output_size}, spatial_scale={self.spatial_scale}, '
            f'sampling_ratio={self.sampling_ratio}, pool_mode={self.pool_mode}, '
            f'aligned={self.aligned}'
        )


_Grid = tuple[tuple[int, int], float, int, bool]
# One weighted bag: row numbers, their weights, number of rows in its table.
_Pass = tuple[Tensor, Tensor, int]


class _RoIAlign(torch.autograd.Function):
    """Linear in the features, so only the boxes are kept for the backward pass."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, rois: Tensor, grid: _Grid) -> Tensor:
        C = input.shape[1]
        ctx.shape, ctx.grid = input.shape, grid
        ctx.save_for_backward(rois)
        (height, width), *_ = grid
        dtype = _compute_dtype(input)
        pooled = input.new_empty(len(rois), height * width, C)  # (N, bins, C)
        for frames, chosen in _chunks(rois, input.shape, grid):
            maps = input[frames].to(dtype).contiguous(memory_format=torch.channels_last)
            maps = maps.permute(0, 2, 3, 1)  # (frames, H, W, C)
            for part in chosen:
                rows = maps
                for index, weight, num_rows in _passes(rois[part], frames, ctx, dtype):
                    rows = bag_forward(rows.reshape(num_rows, -1), index, weight)
                pooled[part] = rows.view(-1, height * width, C).to(input.dtype)
        return pooled.view(-1, height, width, C).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (rois,) = ctx.saved_tensors
        B, C, H, W = ctx.shape
        dtype = _compute_dtype(grad)
        grad = grad.permute(0, 2, 3, 1)  # (N, height, width, C)
        result = grad.new_zeros(B, H, W, C)
        for frames, chosen in _chunks(rois, ctx.shape, ctx.grid):
            for part in chosen:
                rows = grad[part].to(dtype)
                for index, weight, num_rows in reversed(_passes(rois[part], frames, ctx, dtype)):
                    rows = bag_backward(rows.reshape(len(index), -1), index, weight, num_rows)
                result[frames] += rows.view(-1, H, W, C).to(grad.dtype)
        return result.permute(0, 3, 1, 2), None, None


def _compute_dtype(tensor: Tensor) -> torch.dtype:
    """Half precision is summed in float32 where the device has no kernel that does so."""
    half = tensor.dtype in (torch.float16, torch.bfloat16)
    return torch.float32 if half and not tensor.is_cuda else tensor.dtype


def _chunks(
    rois: Tensor, shape: torch.Size, grid: _Grid
) -> Iterator[tuple[slice, list[slice | Tensor]]]:
    """Split the work by frames, then by boxes: frames, and lists of boxes in them."""
    B, C, H, W = shape
    if not len(rois):
        return
    limit = CHUNK_ELEMENTS['cuda' if rois.is_cuda else 'cpu']
    num_frames = max(1, limit // max(1, C * H * W))
    num_rois = max(1, limit // _elements_per_roi(rois, shape, grid))
    if num_frames >= B and num_rois >= len(rois):
        yield slice(0, B), [slice(None)]
        return
    frame = rois[:, 0].long()
    for start in range(0, B, num_frames):
        stop = min(start + num_frames, B)
        chosen = ((frame >= start) & (frame < stop)).nonzero().squeeze(1)
        if len(chosen):
            yield slice(start, stop), list(chosen.split(num_rois))


def _elements_per_roi(rois: Tensor, shape: torch.Size, grid: _Grid) -> int:
    """What :func:`_passes` and its result hold for a box, in elements."""
    (height, width), _, ratio, _ = grid
    C, H, W = shape[1:]
    y_taps = x_taps = 2 * ratio
    if ratio <= 0:
        y_taps, x_taps = (
            min(int(_adaptive_ratio(span, bins).max()) + 2, length)
            for (_, span), bins, length in zip(
                _spans(rois, grid), (height, width), (H, W), strict=True
            )
        )
    if _rows_first(y_taps, x_taps, shape, width):
        return max(1, height * W * C)
    return max(1, height * width * y_taps * x_taps)


def _rows_first(y_taps: int, x_taps: int, shape: torch.Size, width: int) -> bool:
    """Whether to sum whole rows of the map first, and then along them: less work on small maps.

    Costs as measured, in elements of a sum: each sample costs some 30 besides its own, each
    element of the sums between the two passes some 8.
    """
    _, C, _, W = shape
    once = y_taps * width * x_taps * (C + 30)
    rows_first = (y_taps + 8) * W * C + width * x_taps * (C + 30)
    return rows_first < once


def _spans(rois: Tensor, grid: _Grid) -> list[tuple[Tensor, Tensor]]:
    """Start and length of the boxes in feature cells, for y and for x, each (N,)."""
    _, scale, _, aligned = grid
    boxes = rois[:, 1:].to(torch.promote_types(rois.dtype, torch.float32)) * scale
    x1, y1, x2, y2 = (boxes - 0.5 if aligned else boxes).unbind(1)
    least = None if aligned else 1.0
    return [
        (low, high - low if least is None else (high - low).clamp(min=least))
        for low, high in ((y1, y2), (x1, x2))
    ]


def _passes(rois: Tensor, frames: slice, ctx: Any, dtype: torch.dtype) -> list[_Pass]:
    """Weighted bags that lead from the pixels of some frames, row by row, to the bins."""
    (height, width), _, ratio, _ = ctx.grid
    H, W = ctx.shape[2:]
    (y, y_span), (x, x_span) = _spans(rois, ctx.grid)
    row, row_weight = _axis_taps(y, y_span, height, ratio, H)  # (N, height, taps of y)
    column, column_weight = _axis_taps(x, x_span, width, ratio, W)  # (N, width, taps of x)
    row = row + ((rois[:, 0].int() - frames.start) * H)[:, None, None]
    row_weight, column_weight = row_weight.to(dtype), column_weight.to(dtype)
    N, y_taps, x_taps = len(rois), row.shape[2], column.shape[2]
    num_rows = (frames.stop - frames.start) * H
    if _rows_first(y_taps, x_taps, ctx.shape, width):
        line = torch.arange(N * height, device=rois.device, dtype=row.dtype).view(N, height, 1, 1)
        index = line * W + column[:, None]  # (N, height, width, taps of x)
        weight = column_weight[:, None].expand(index.shape)
        return [
            (row.flatten(0, 1), row_weight.flatten(0, 1), num_rows),
            (index.flatten(0, 2), weight.flatten(0, 2), N * height * W),
        ]
    # Spread both axes over all their pairs first: the sums below then run along memory.
    row, row_weight = (t.repeat_interleave(x_taps, 2) for t in (row * W, row_weight))
    column, column_weight = (t.repeat(1, 1, y_taps) for t in (column, column_weight))
    index = row[:, :, None] + column[:, None]  # (N, height, width, taps)
    weight = row_weight[:, :, None] * column_weight[:, None]
    return [(index.flatten(0, 2), weight.flatten(0, 2), num_rows * W)]


def _axis_taps(
    start: Tensor, span: Tensor, bins: int, ratio: int, length: int
) -> tuple[Tensor, Tensor]:
    """Cells that the samples of one axis touch, and their weights, both (N, bins, taps)."""
    count = torch.full_like(span, ratio) if ratio > 0 else _adaptive_ratio(span, bins)
    most = ratio if ratio > 0 else max(1, int(count.max()))
    step = torch.arange(most, device=start.device)
    bin_size = (span / bins)[:, None, None]
    count = count[:, None, None]
    position = (
        start[:, None, None]
        + torch.arange(bins, device=start.device)[:, None] * bin_size
        + (step + 0.5) * bin_size / count.clamp(min=1)
    )  # (N, bins, most)
    used = (step < count) & ~((position < -1) | (position > length))
    position = position.clamp(0, length - 1)
    # NaN boxes give NaN features, not an index out of range.
    low = position.nan_to_num().int().clamp(max=max(length - 2, 0))
    high = (low + 1).clamp(max=length - 1)
    share = used / count.clamp(min=1)
    high_weight = (position - low) * share
    cells = torch.cat([low, high], 2)
    weights = torch.cat([share - high_weight, high_weight], 2)
    return (cells, weights) if ratio > 0 else _merge_cells(cells, weights, most + 2, length)


def _merge_cells(cells: Tensor, weights: Tensor, most: int, length: int) -> tuple[Tensor, Tensor]:
    """Name each cell once: adaptive samples lie at most one cell apart, so share their cells.

    Args:
        cells: cells of the samples in order; those with weight 0 may be anywhere, (N, bins, S).
        weights: their weights, (N, bins, S).
        most: bound on the neighbouring cells that the samples of a bin touch.
        length: cells of the axis.
    """
    most = min(most, length)
    first = cells[:, :, :1].clamp(max=length - most)
    place = (cells - first).clamp(0, most - 1).long()
    merged = weights.new_zeros(*cells.shape[:2], most).scatter_add_(2, place, weights)
    return first + torch.arange(most, device=cells.device, dtype=cells.dtype), merged


def _adaptive_ratio(span: Tensor, bins: int) -> Tensor:
    """Samples a bin when the ratio is 0: the cells of a bin, rounded up; (N,)."""
    return (span / bins).ceil().nan_to_num(posinf=0)
