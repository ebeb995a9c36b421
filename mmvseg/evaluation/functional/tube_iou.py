"""Tubes of run-length coded masks, their areas and their overlaps, without decoding a mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pycocotools.mask as coco_mask

from mmvseg.formats.rle import rle_areas


@dataclass
class Tube:
    """The masks of one object over a video.

    Attributes:
        rles: compressed COCO run-length code of each frame, None where the object is absent.
        areas: pixels of each mask, 0 where absent, (T,) int64.
        sizes: height * 2**32 + width of each mask, 0 where absent, (T,) int64.
    """

    rles: list[dict | None]
    areas: np.ndarray
    sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.rles)


def make_tube(rles: list[dict | None], areas: np.ndarray | None = None) -> Tube:
    """The tube of an object's masks.

    Args:
        rles: compressed run-length code of each frame, None where the object is absent.
        areas: pixels of each mask where they are known, 0 where absent, (T,).

    Raises:
        mmvseg.formats.rle.MalformedRLE: for a broken code, where the areas are not known.
    """
    present = np.array([rle is not None for rle in rles], bool)
    if areas is None:
        areas = np.zeros(len(rles), np.int64)
        areas[present] = rle_areas([rle for rle in rles if rle is not None])
    sizes = np.zeros(len(rles), np.int64)
    sizes[present] = [(rle['size'][0] << 32) + rle['size'][1] for rle in rles if rle is not None]
    return Tube(rles, areas, sizes)


def tube_iou(detections: Sequence[Tube], annotations: Sequence[Tube]) -> np.ndarray:
    """Intersection over union of every detection with every annotation, (D, G) in [0, 1].

    Both are sums over the frames, up to the end of the shorter tube; a frame where only one of
    the two is present adds its area to the union, a frame where the masks differ in size adds
    nothing. Without any union the value is 0.

    Example:
        >>> whole = dict(size=[2, 2], counts=b'04')  # all four pixels
        >>> one, two = make_tube([whole, None]), make_tube([whole, whole])
        >>> tube_iou([one], [one, two])
        array([[1. , 0.5]])
    """
    shape = (len(detections), len(annotations))
    if 0 in shape:
        return np.zeros(shape)
    reach = np.minimum.outer([len(d) for d in detections], [len(g) for g in annotations])
    frames = reach.max()
    area_d, size_d = _stack(detections, frames)  # (D, T)
    area_g, size_g = _stack(annotations, frames)  # (G, T)
    ratio = np.zeros((frames, *shape))
    for t in range(frames):
        rows, columns = np.flatnonzero(size_d[:, t]), np.flatnonzero(size_g[:, t])
        if len(rows) and len(columns):
            ratio[t, rows[:, None], columns] = coco_mask.iou(
                [detections[i].rles[t] for i in rows],
                [annotations[j].rles[t] for j in columns],
                [0] * len(columns),
            )
    area = (area_d[:, None] + area_g).transpose(2, 0, 1)  # (T, D, G)
    both = ((size_d[:, None] > 0) & (size_g > 0)).transpose(2, 0, 1)
    comparable = (size_d[:, None] == size_g).transpose(2, 0, 1)
    ratio[~comparable] = 0
    area[both & ~comparable] = 0
    area[np.arange(frames)[:, None, None] >= reach] = 0
    # ratio = i / (a - i) gives i = a ratio / (1 + ratio); rounding restores the integer exactly.
    intersection = np.rint(area * ratio / (1 + ratio)).sum(axis=0)
    union = area.sum(axis=0) - intersection
    return np.divide(intersection, union, out=np.zeros(shape), where=union > 0)


def _stack(tubes: Sequence[Tube], frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Areas and sizes of the first frames of n tubes, (n, frames) each."""
    stacked = np.zeros((2, len(tubes), frames), np.int64)
    for row, tube in enumerate(tubes):
        stacked[0, row, : len(tube)] = tube.areas[:frames]
        stacked[1, row, : len(tube)] = tube.sizes[:frames]
    return stacked[0], stacked[1]
