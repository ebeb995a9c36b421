"""Region similarity J and contour accuracy F of masks in a frame, as DAVIS defines them."""

import math
from dataclasses import dataclass

import numpy as np

#: How far two contours may lie apart, as a part of the diagonal of the frame.
TOLERANCE = 0.008


@dataclass
class FrameMasks:
    """Masks of one frame and what F needs of them.

    Attributes:
        masks: N of them, (N, H, W) bool.
        contours: positions of their contours in the flat frame, N of (n,).
        near: the flat positions that lie within the tolerance of each contour, (N, H * W) bool.
    """

    masks: np.ndarray
    contours: list[np.ndarray]
    near: np.ndarray

    @classmethod
    def of(cls, masks: np.ndarray) -> 'FrameMasks':
        """Find the contours of masks, (N, H, W) bool."""
        height, width = masks.shape[1:]
        radius = math.ceil(TOLERANCE * math.hypot(height, width))
        contours = []
        near = np.zeros((len(masks), height + 2 * radius, width + 2 * radius), bool)
        for mask, around in zip(masks, near, strict=True):
            rows, columns = _window(mask)
            contour = contour_map(mask[rows, columns])
            y, x = np.nonzero(contour)
            contours.append((y + rows.start) * width + x + columns.start)
            if len(y):
                tall, wide = (n + 2 * radius for n in contour.shape)
                place = around[rows.start : rows.start + tall, columns.start : columns.start + wide]
                place[...] = dilated(contour, radius)
        inside = near[:, radius : radius + height, radius : radius + width]
        return cls(masks, contours, inside.reshape(len(masks), height * width))


def _window(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that hold a mask, with one more on each side where there is one."""
    windows = []
    for axis in (1, 0):
        there = np.flatnonzero(mask.any(axis=axis))
        bounds = (there[0], there[-1]) if len(there) else (0, 0)
        windows.append(slice(max(0, int(bounds[0]) - 1), int(bounds[1]) + 2))
    return windows[0], windows[1]


def region_similarity(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """J: intersection over union of every pair, 1 where both are empty.

    Args:
        found: masks, (P, H, W) bool.
        truth: masks, (G, H, W) bool.

    Returns:
        (P, G) in [0, 1].

    Example:
        >>> truth = np.array([[[1, 1], [0, 0]]], bool)
        >>> found = np.array([[[1, 1], [1, 0]], [[0, 0], [0, 1]]], bool)
        >>> region_similarity(found, truth).round(2).tolist()
        [[0.67], [0.0]]
    """
    flat = found.reshape(len(found), math.prod(found.shape[1:]))
    common = np.zeros((len(found), len(truth)))
    for j, mask in enumerate(truth):
        common[:, j] = flat[:, np.flatnonzero(mask)].sum(axis=1)
    areas = [masks.sum(axis=(1, 2), dtype=np.int64) for masks in (found, truth)]
    union = np.add.outer(*areas) - common
    return np.divide(common, union, out=np.ones_like(common), where=union > 0)


def contour_accuracy(found: FrameMasks, truth: FrameMasks) -> np.ndarray:
    """F: harmonic mean of precision and recall of the contours of every pair.

    Precision is the share of the found contour that lies within the tolerance of the true one,
    recall the reverse. Two masks without a contour agree, one alone does not.

    Returns:
        (P, G) in [0, 1].
    """
    values = np.zeros((len(found.masks), len(truth.masks)))
    for i, contour in enumerate(found.contours):
        for j, expected in enumerate(truth.contours):
            if len(contour) and len(expected):
                precision = truth.near[j, contour].mean()
                recall = found.near[i, expected].mean()
                if precision + recall:
                    values[i, j] = 2 * precision * recall / (precision + recall)
            else:
                values[i, j] = len(contour) == len(expected)
    return values


def contour_map(mask: np.ndarray) -> np.ndarray:
    """The pixels that differ from the next one to the right, below or to the lower right.

    In the last row only the one to the right counts, in the last column the one below.

    Args:
        mask: (H, W) bool.

    Returns:
        (H, W) bool.
    """
    right = mask[:, :-1] != mask[:, 1:]
    below = mask[:-1] != mask[1:]
    contour = np.zeros_like(mask)
    contour[:-1, :-1] = right[:-1] | below[:, :-1] | (mask[:-1, :-1] != mask[1:, 1:])
    contour[-1, :-1] = right[-1]
    contour[:-1, -1] = below[:, -1]
    return contour


def dilated(mask: np.ndarray, radius: int) -> np.ndarray:
    """The pixels that are no further than ``radius`` from one of a mask.

    The disk is laid out in rows: the further a row is from the centre, the shorter it is.

    Args:
        mask: (H, W) bool.
        radius: in pixels.

    Returns:
        The mask and ``radius`` pixels around it, (H + 2 radius, W + 2 radius) bool.
    """
    height, width = mask.shape
    row = np.zeros((height, width + 2 * radius), bool)
    disk = np.zeros((height + 2 * radius, width + 2 * radius), bool)
    reach = -1
    for distance in range(radius, -1, -1):
        half = math.isqrt(radius**2 - distance**2)
        for offset in range(reach + 1, half + 1):
            row[:, radius - offset : radius - offset + width] |= mask
            row[:, radius + offset : radius + offset + width] |= mask
        reach = half
        disk[radius - distance : radius - distance + height] |= row
        disk[radius + distance : radius + distance + height] |= row
    return disk
