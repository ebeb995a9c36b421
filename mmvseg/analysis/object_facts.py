"""What groups of objects and tracks go by, measured on their masks."""

from collections.abc import Sequence

import numpy as np
import pycocotools.mask as coco_mask

from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis_results import Result


def mask_boxes(entries: Sequence[Annotation | Result], areas: np.ndarray) -> np.ndarray:
    """Boxes of the masks of N objects or tracks.

    Args:
        entries: N of them.
        areas: pixels of their masks, 0 where there is none, (N, T).

    Returns:
        Left, top, right and bottom in pixels, 0 where there is no mask, (N, T, 4).
    """
    boxes = np.zeros((*areas.shape, 4))
    rows, frames = np.nonzero(areas)
    if len(rows):
        rles = [entries[n].rles[t] for n, t in zip(rows.tolist(), frames.tolist(), strict=True)]
        boxes[rows, frames] = coco_mask.toBbox(rles)
    boxes[..., 2:] += boxes[..., :2]
    return boxes


def mean_areas(areas: np.ndarray) -> np.ndarray:
    """Mean pixels of the masks that are there, 0 without one; areas (N, T) to (N,)."""
    return areas.sum(axis=1) / np.maximum(1, np.count_nonzero(areas, axis=1))


def mean_shifts(boxes: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """How far objects move from a frame to the next, in square roots of their area.

    Args:
        boxes: of their masks, see :func:`mask_boxes`, (N, T, 4).
        areas: pixels of their masks, (N, T).

    Returns:
        Mean shift of the centre of the box over the pairs of adjacent frames with a mask in both,
        NaN without such a pair, (N,).
    """
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2
    shifts = np.linalg.norm(np.diff(centres, axis=1), axis=2)  # (N, T - 1)
    both = (areas[:, 1:] > 0) & (areas[:, :-1] > 0)
    sides = np.sqrt((areas[:, 1:] + areas[:, :-1]) / 2)
    ratios = np.divide(shifts, sides, out=np.zeros_like(shifts), where=both)
    count = np.count_nonzero(both, axis=1)
    return np.divide(ratios.sum(axis=1), count, out=np.full(len(areas), np.nan), where=count > 0)


def covered_shares(boxes: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """How much of the box of each object boxes of the other objects cover.

    Args:
        boxes: of G objects, see :func:`mask_boxes`, (G, T, 4).
        areas: pixels of their masks, (G, T).

    Returns:
        Mean share over the frames with a mask of the object, in [0, 1]; NaN without one, (G,).
    """
    shares = np.full(len(boxes), np.nan)
    for g in np.flatnonzero(areas.any(axis=1)):
        seen = areas[g] > 0
        box = boxes[g, seen, None]  # (S, 1, 4)
        others = np.delete(boxes, g, axis=0)[:, seen].swapaxes(0, 1)  # (S, G - 1, 4)
        low, high = box[..., :2], box[..., 2:]
        clipped = np.concatenate(
            [others[..., :2].clip(low, high), others[..., 2:].clip(low, high)], 2
        )
        shares[g] = (_union(clipped) / (high - low).prod(axis=2)[:, 0]).mean()
    return shares


def _union(boxes: np.ndarray) -> np.ndarray:
    """Area that n boxes cover together, (S, n, 4) to (S,).

    The edges of all boxes cut the plane into cells; a cell is covered wholly or not at all.
    """
    columns, widths = _cells(boxes[..., 0], boxes[..., 2])
    rows, heights = _cells(boxes[..., 1], boxes[..., 3])
    covered = np.matmul(rows.swapaxes(1, 2), columns) > 0  # (S, rows, columns)
    return np.einsum('src,sr,sc->s', covered, heights, widths)


def _cells(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut an axis at the ends of n intervals.

    Returns:
        1 for each cell in an interval, else 0, (S, n, 2n - 1); and the lengths of the cells,
        (S, 2n - 1).
    """
    edges = np.sort(np.concatenate([starts, ends], axis=1), axis=1)
    inside = (starts[..., None] <= edges[:, None, :-1]) & (edges[:, None, 1:] <= ends[..., None])
    return inside.astype(np.float32), np.diff(edges, axis=1)
