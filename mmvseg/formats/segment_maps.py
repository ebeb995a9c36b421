"""Area and box of every segment of a map of ids, in one pass over the pixels."""

from typing import NamedTuple

import numpy as np


class Region(NamedTuple):
    """Where a segment is in a map.

    Attributes:
        area: number of its pixels.
        box: ``[x, y, width, height]`` in pixels; a single pixel has width and height 1.
    """

    area: int
    box: list[int]


def find_regions(ids: np.ndarray) -> dict[int, Region]:
    """The regions of all values of a map, 0 among them, in ascending order of the values.

    Args:
        ids: (H, W), any integer type.

    Example:
        >>> find_regions(np.array([[0, 7, 7], [0, 0, 7]]))[7]
        Region(area=3, box=[1, 0, 2, 2])
    """
    width = ids.shape[1]
    # Runs of equal values within a row: some thousands, where sorting all pixels would be slow.
    begins = np.ones(ids.shape, bool)
    np.not_equal(ids[:, 1:], ids[:, :-1], out=begins[:, 1:])
    starts = np.flatnonzero(begins)
    if not len(starts):
        return {}
    lengths = np.diff(starts, append=ids.size)
    rows, left = np.divmod(starts, width)
    values, which = np.unique(ids.ravel()[starts], return_inverse=True)
    order = np.argsort(which, kind='stable')
    first = np.searchsorted(which[order], np.arange(len(values)))
    areas = np.add.reduceat(lengths[order], first)
    x = np.minimum.reduceat(left[order], first)
    y = np.minimum.reduceat(rows[order], first)
    right = np.maximum.reduceat((left + lengths)[order], first)
    bottom = np.maximum.reduceat(rows[order], first) + 1
    boxes = np.stack([x, y, right - x, bottom - y], 1).tolist()
    return {
        value: Region(area, box)
        for value, area, box in zip(values.tolist(), areas.tolist(), boxes, strict=True)
    }
