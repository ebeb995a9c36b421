"""From mask logits at a quarter of the padded frame to probabilities of the original frame.

The published order of steps: bilinear to the padded size, crop to the resized frame, sigmoid,
bilinear to the original size. All queries at full size would take gigabytes, so a frame comes in
bands of rows.
"""

from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from mmvseg.ops import upload

from .query_masks import FrameGeometry

#: Bytes of a band: a CPU is fastest when it fits into a cache, a GPU when it fills the device.
BAND_BYTES = {'cpu': 2**23, 'cuda': 2**28}


def probability_bands(
    logits: Tensor, geometry: FrameGeometry, num_values: int = 0
) -> Iterator[Tensor]:
    """Mask probabilities of one frame at the original size, from top to bottom.

    Args:
        logits: before the sigmoid, (n, h, w).
        geometry: sizes of the frame.
        num_values: numbers a pixel that the caller makes of a band, if more than n.

    Yields:
        (n, rows, W), float32; together the H rows of the frame.
    """
    height = geometry.original[0]
    step = _rows_at_a_time(geometry, max(len(logits), num_values, 1), logits.device)
    for start in range(0, height, step):
        yield _band(logits, geometry, start, min(start + step, height))


def _rows_at_a_time(geometry: FrameGeometry, num_values: int, device: torch.device) -> int:
    (height, width), (resized_height, _) = geometry.original, geometry.resized
    # Where the frame shrinks, the rows before that step are the larger tensor.
    values = max(width, geometry.padded[1] * max(1, resized_height / height)) * num_values
    return max(1, int(BAND_BYTES['cuda' if device.type == 'cuda' else 'cpu'] / (4 * values)))


def _band(logits: Tensor, geometry: FrameGeometry, start: int, stop: int) -> Tensor:
    """Rows ``start`` to ``stop`` of the original frame, (n, rows, W)."""
    (height, width), (resized_height, resized_width) = geometry.original, geometry.resized
    device = logits.device
    first, last, to_original = _row_weights(resized_height, height, start, stop, device)
    top, bottom, to_padded = _row_weights(logits.shape[1], geometry.padded[0], first, last, device)
    with torch.autocast(logits.device.type, enabled=False):
        part = _resize(logits[:, top:bottom].float(), to_padded, geometry.padded[1])
        return _resize(part[..., :resized_width].sigmoid(), to_original, width)


def _resize(values: Tensor, rows: Tensor | None, width: int) -> Tensor:
    """Resize (n, h, w) to a width, and by the weights ``rows`` (rows, h); None keeps the rows."""
    if values.shape[2] != width:
        size = values.shape[1], width
        values = F.interpolate(values[None], size, mode='bilinear', align_corners=False)[0]
    return values if rows is None else rows @ values


@lru_cache(maxsize=1024)  # the bands of a video are those of its first frame
def _row_weights(
    cells: int, target: int, start: int, stop: int, device: torch.device
) -> tuple[int, int, Tensor | None]:
    """Which cells make the pixels ``start`` to ``stop`` of an axis that is resized to ``target``.

    Returns:
        First and last (exclusive) cell, and how much each counts at each of the pixels, (pixels,
        cells) on the device; None where an axis keeps its size.
    """
    if cells == target:
        return start, stop, None
    weights = _axis_weights(cells, target)[start:stop]
    used = torch.nonzero(weights.any(0)).flatten()
    first, last = int(used[0]), int(used[-1]) + 1
    return first, last, upload(weights[:, first:last], device)


@lru_cache(maxsize=8)
def _axis_weights(cells: int, target: int) -> Tensor:
    """How much each cell counts at each pixel, as ``F.interpolate`` has it, (target, cells)."""
    identity = torch.eye(cells)[None]
    return F.interpolate(identity, size=target, mode='linear', align_corners=False)[0].T
