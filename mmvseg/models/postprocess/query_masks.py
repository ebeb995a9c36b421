"""From mask logits at a quarter of the padded frame to run-length codes of the original frame.

The published order of steps: bilinear to the padded size, crop to the resized frame, bilinear to
the original size, and only then the threshold. Both resizings are linear, so here they are one
matrix an axis, and only the part of a frame where a mask can be is computed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor

from mmvseg.ops import upload
from mmvseg.structures import VideoDataSample

from .vis import encode_columns, masks_at_a_time

#: Cells around one with a positive logit that have a part in pixels that can be positive: two
#: bilinear steps read at most three cells an axis.
REACH = 2


@dataclass(frozen=True)
class FrameGeometry:
    """The sizes that a frame goes through, (height, width) each.

    Attributes:
        original: of the video.
        resized: after the resizing transform.
        padded: as the network takes it.
    """

    original: tuple[int, int]
    resized: tuple[int, int]
    padded: tuple[int, int]

    @classmethod
    def of(cls, sample: VideoDataSample, padded: tuple[int, int]) -> 'FrameGeometry':
        """The sizes of a window's frames."""
        return cls(tuple(sample.ori_shape), tuple(sample.img_shape), tuple(padded))

    def weights(self, axis: int, cells: int, device: torch.device) -> Tensor:
        """How much each of the ``cells`` of a mask counts at each original pixel, (pixels, cells).

        Args:
            axis: 0 for height, 1 for width.
            cells: size of the mask on that axis.
            device: where it is wanted.
        """
        sizes = self.padded[axis], self.resized[axis], self.original[axis]
        return _axis_weights(cells, *sizes, device)


def encode_video(frames: Iterable[Tensor], geometry: FrameGeometry) -> list[list[dict]]:
    """:func:`encode_query_masks` of frames that are made one by one, (n, h, w) each."""
    frames, coded = iter(frames), []
    for logits in frames:
        n = len(logits)
        together = masks_at_a_time(geometry.original, logits) // max(n, 1)
        group = [logits, *islice(frames, max(0, together - 1))]
        masks = encode_query_masks(torch.cat(group) if len(group) > 1 else logits, geometry)
        coded += [masks[n * place : n * (place + 1)] for place in range(len(group))]
    return coded


def encode_query_masks(logits: Tensor, geometry: FrameGeometry) -> list[dict]:
    """Run-length code one frame's masks at the original size.

    Args:
        logits: before the sigmoid, (n, h, w).
        geometry: sizes of the frame.

    Returns:
        n COCO run-length codes; a pixel with a logit above 0 is foreground.
    """
    logits = logits.float()
    step = masks_at_a_time(geometry.original, logits)
    return [rle for some in logits.split(step) if len(some) for rle in _encode(some, geometry)]


def _encode(logits: Tensor, geometry: FrameGeometry) -> list[dict]:
    height, width = geometry.original
    positive = (logits > 0).any(0)  # (h, w)
    sides = positive.any(1), positive.any(0)
    occupied = torch.cat(sides).cpu().split([len(side) for side in sides])  # one transfer
    touched = [_touched(side, geometry, axis) for axis, side in enumerate(occupied)]
    if None in touched:
        return encode_columns(logits.new_zeros(len(logits), 0, height, dtype=torch.bool), 0, width)
    (rows, row_cells), (columns, column_cells) = touched
    down, across = (
        geometry.weights(axis, len(side), logits.device)[pixels, cells]
        for axis, (side, (pixels, cells)) in enumerate(zip(sides, touched, strict=True))
    )
    top, left = rows.start, columns.start
    part = logits[:, row_cells, column_cells].transpose(1, 2)  # (n, w', h')
    with torch.autocast(logits.device.type, enabled=False):
        values = across @ part @ down.T  # (n, W', H')
    inside = F.pad(values > 0, (top, height - top - len(down)))  # (n, W', H)
    return encode_columns(inside, left, width)


def _touched(occupied: Tensor, geometry: FrameGeometry, axis: int) -> tuple[slice, slice] | None:
    """Pixels of an axis that occupied cells can make positive, and the cells that count there.

    Args:
        occupied: whether a cell is positive in any mask, bool, (cells,), on the CPU.
        geometry: sizes of the frame.
        axis: 0 for height, 1 for width.

    Returns:
        None if nothing is occupied.
    """
    weights = geometry.weights(axis, len(occupied), occupied.device)
    cells = torch.nonzero(occupied).flatten()
    if not len(cells):
        return None
    first, last = int(cells[0]), int(cells[-1]) + 1
    near = slice(max(0, first - REACH), last + REACH)
    pixels = torch.nonzero(weights[:, first:last].any(1)).flatten()
    if not len(pixels):  # in the padding only
        return None
    return slice(int(pixels[0]), int(pixels[-1]) + 1), near


@lru_cache(maxsize=16)
def _axis_weights(
    cells: int, padded: int, resized: int, original: int, device: torch.device
) -> Tensor:
    if device.type != 'cpu':  # the same numbers everywhere
        weights = _axis_weights(cells, padded, resized, original, torch.device('cpu'))
        return upload(weights, device)
    identity = torch.eye(cells)[None]  # (1, cells, cells)
    upsampled = F.interpolate(identity, size=padded, mode='linear', align_corners=False)
    cropped = upsampled[..., :resized]
    return F.interpolate(cropped, size=original, mode='linear', align_corners=False)[0].T
