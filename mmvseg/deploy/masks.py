"""From mask logits at a quarter of the padded frame to pixels of the original frame.

The order of steps is that of :mod:`mmvseg.models.postprocess`: bilinear to the padded size, crop to
the resized frame, and bilinear to the original size. All resizings are a matrix an axis.
"""

from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from .frames import FrameGeometry

#: Cells around one with a positive logit that have a part in pixels that can be positive.
REACH = 2
#: Rows of the original frame that :func:`probability_bands` makes at a time.
_BAND_ROWS = 64


def decode(mask_embeds: np.ndarray, mask_features: np.ndarray) -> np.ndarray:
    """Mask logits (n, h, w) of a frame's queries (n, C) and features (C, h, w)."""
    C, height, width = mask_features.shape
    return (mask_embeds @ mask_features.reshape(C, -1)).reshape(-1, height, width)


def encode(logits: np.ndarray, geometry: FrameGeometry) -> list[dict]:
    """COCO run-length codes of masks (n, h, w) at the original size; foreground is above 0."""
    return [_encode(plane, geometry) for plane in logits]


def probability_bands(
    logits: np.ndarray, geometry: FrameGeometry
) -> Iterator[tuple[slice, np.ndarray]]:
    """Mask probabilities of one frame at the original size, from top to bottom.

    The sigmoid comes before the last resizing, as published.

    Args:
        logits: (n, h, w).
        geometry: sizes of the frame.

    Yields:
        The rows, and their probabilities, (n, rows, W).
    """
    height, width = geometry.resized
    probs = np.empty((len(logits), height, width), np.float32)
    for plane, cells in zip(probs, logits, strict=True):
        plane[:] = _sigmoid(_bilinear(cells, geometry.padded)[:height, :width])
    rows = resizing(height, geometry.original[0])
    for start in range(0, len(rows), _BAND_ROWS):
        band = slice(start, min(start + _BAND_ROWS, len(rows)))
        used = np.flatnonzero(rows[band].any(0))
        near = slice(used[0], used[-1] + 1)
        size = (band.stop - band.start, geometry.original[1])
        part = rows[band, near] @ probs[:, near]  # (n, rows, w)
        yield band, np.stack([_bilinear(plane, size) for plane in part])


@lru_cache(maxsize=16)
def resizing(cells: int, pixels: int) -> np.ndarray:
    """Bilinear weights (pixels, cells) of an axis, half a cell from its ends (no align_corners)."""
    step = np.float32(cells / pixels)
    place = np.maximum(step * (np.arange(pixels, dtype=np.float32) + 0.5) - 0.5, 0)
    low = np.minimum(place.astype(np.int64), cells - 1)
    high = np.minimum(low + 1, cells - 1)
    share = (place - low).astype(np.float32)
    weights = np.zeros((pixels, cells), np.float32)
    np.add.at(weights, (np.arange(pixels), low), 1 - share)
    np.add.at(weights, (np.arange(pixels), high), share)
    return weights


@lru_cache(maxsize=16)
def _weights(cells: int, padded: int, resized: int, original: int) -> np.ndarray:
    """All steps of an axis, (original, cells)."""
    return resizing(resized, original) @ resizing(cells, padded)[:resized]


def _encode(plane: np.ndarray, geometry: FrameGeometry) -> dict:
    """One mask; only the part of the frame where it can be is computed."""
    mask = np.zeros(geometry.original, np.uint8, order='F')
    positive = plane > 0
    spans = []
    for axis in (0, 1):
        sizes = geometry.padded[axis], geometry.resized[axis], geometry.original[axis]
        weights = _weights(plane.shape[axis], *sizes)
        spans.append(_touched(positive.any(1 - axis), weights))
    if all(spans):
        (down, rows, row_cells), (across, columns, column_cells) = spans
        mask[rows, columns] = down @ plane[row_cells, column_cells] @ across.T > 0
    return mask_utils.encode(mask)


def _touched(occupied: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, slice, slice] | None:
    """Weights, pixels and cells of an axis that occupied cells can make positive; None: none."""
    cells = np.flatnonzero(occupied)
    if not len(cells):
        return None
    pixels = np.flatnonzero(weights[:, cells[0] : cells[-1] + 1].any(1))
    if not len(pixels):  # in the padding only
        return None
    near = slice(max(0, cells[0] - REACH), cells[-1] + 1 + REACH)
    touched = slice(pixels[0], pixels[-1] + 1)
    return weights[touched, near], touched, near


def _bilinear(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if plane.shape == tuple(size):
        return plane
    return cv2.resize(plane, size[::-1], interpolation=cv2.INTER_LINEAR)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
