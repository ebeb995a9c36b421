"""Masks as polygons: outlines that are exact, and simpler ones that keep a stated part of the mask.

What a polygon means differs between tools, see :mod:`mmvseg.formats.labels.outlines`: outlines are
traced, and what simpler ones cost is measured, in the convention of the tool that is written for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from mmvseg.formats.labels.outlines import corner_polygon, pixel_polygon

#: How far a simpler outline may stray, in pixels; tried in this order until too much is lost.
_TOLERANCES = (0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.7, 8, 11, 16)
#: Share of what may be lost that specks and small holes may take.
_SPECKS = 0.5


@dataclass(frozen=True)
class Outline:
    """A connected part of a mask.

    Attributes:
        outer: x and y of its corners, clockwise on the screen, (P, 2) int, P >= 3.
        holes: those of each hole, on the corner grid in any convention.
    """

    outer: np.ndarray
    holes: list[np.ndarray] = field(default_factory=list)


@dataclass(frozen=True)
class Convention:
    """What a tool takes a polygon for.

    Attributes:
        trace: the exact outlines of a mask, (H, W) bool, with a margin of a pixel.
        fill: the mask of a polygon's points, (P, 2), in a frame of a height and a width.
        count: the pixels that the outer points of a traced outline enclose.
    """

    trace: Callable[[np.ndarray], list[Outline]]
    fill: Callable[[np.ndarray, int, int], np.ndarray]
    count: Callable[[np.ndarray], float]


def outlines(mask: np.ndarray, convention: Convention, min_iou: float = 1) -> list[Outline]:
    """The outlines of a mask, one for each part; parts that touch at a corner are one.

    Args:
        mask: (H, W) bool.
        convention: of the tool.
        min_iou: how much the polygons have in common with the mask at least, as intersection over
            union, measured by filling them. Below 1, specks and small holes may vanish, too. With
            1 they are the mask.

    Returns:
        The larger parts first; none of an empty mask.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return []
    top, left = int(rows[0]), int(columns[0])
    inside = np.pad(mask[top : rows[-1] + 1, left : columns[-1] + 1], 1)
    found = convention.trace(inside)
    if min_iou < 1:
        found = _simpler(inside, found, convention, min_iou)
    found.sort(key=lambda part: -convention.count(part.outer))
    return [_moved(part, np.array([left - 1, top - 1])) for part in found]


def _moved(part: Outline, by: np.ndarray) -> Outline:
    return Outline(part.outer + by, [hole + by for hole in part.holes])


def _area(points: np.ndarray) -> float:
    x, y = points.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def _pixels(points: np.ndarray) -> float:
    """Points of the grid in a polygon of such points, those on its outline included, by Pick."""
    steps = points - np.roll(points, 1, 0)
    return _area(points) + np.gcd(*steps.T).sum() / 2 + 1


def filled(parts: Sequence[Outline], convention: Convention, height: int, width: int) -> np.ndarray:
    """The mask of outlines, (H, W) bool."""
    mask = np.zeros((height, width), bool)
    for part in parts:
        one = convention.fill(part.outer, height, width)
        for hole in part.holes:
            one &= ~corner_polygon(hole, height, width)
        mask |= one
    return mask


def _simpler(
    mask: np.ndarray, exact: list[Outline], convention: Convention, min_iou: float
) -> list[Outline]:
    """The simplest of the outlines that are tried and keep enough."""
    may_lose = (1 - min_iou) * np.count_nonzero(mask)
    best = kept = _without_specks(exact, convention, _SPECKS * may_lose)
    for tolerance in _TOLERANCES:
        tried = [
            Outline(_simplified([part.outer], tolerance)[0], _simplified(part.holes, tolerance))
            for part in kept
        ]
        if _iou(filled(tried, convention, *mask.shape), mask) < min_iou:
            break
        best = tried
    return best


def _simplified(rings: Sequence[np.ndarray], tolerance: float) -> list[np.ndarray]:
    """Outlines with fewer points; those that would have no area stay."""
    simple = [cv2.approxPolyDP(r[:, None].astype(np.int32), tolerance, True)[:, 0] for r in rings]
    return [new if len(new) >= 3 else old for new, old in zip(simple, rings, strict=True)]


def _without_specks(parts: list[Outline], convention: Convention, may_lose: float) -> list[Outline]:
    """Outlines without as many of their smallest parts and holes as may be lost, in pixels."""
    rings = [(convention.count(part.outer), n, 0) for n, part in enumerate(parts)]
    rings += [
        (_area(hole), n, m)
        for n, part in enumerate(parts)
        for m, hole in enumerate(part.holes, start=1)
    ]
    rings.sort()
    lost = np.cumsum([size for size, *_ in rings])
    dropped = {ring[1:] for ring in rings[: np.count_nonzero(lost[:-1] <= may_lose)]}
    return [
        Outline(
            part.outer,
            [hole for m, hole in enumerate(part.holes, start=1) if (n, m) not in dropped],
        )
        for n, part in enumerate(parts)
        if (n, 0) not in dropped
    ]


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)


def _trace_corners(mask: np.ndarray) -> list[Outline]:
    """Outlines along the edges of pixels.

    In a row of the corner grid, the corners of outlines are the ends of edges by turns; so they are
    in a column. Where two pixels touch at a corner, it belongs to two edges of each direction.
    """
    start, across, along = _corners(mask)
    horizontal = _partners(np.lexsort((across, start[:, 0], start[:, 1])))
    vertical = _partners(np.lexsort((along, start[:, 1], start[:, 0])))
    seen = [False] * len(start)
    outer, holes = [], []
    for first in range(len(start)):
        if seen[first]:
            continue
        loop, at = [], first
        while not seen[at]:
            seen[at] = True
            beside = horizontal[at]
            seen[beside] = True
            loop += [at, beside]
            at = vertical[beside]
        # the first corner is the leftmost of the top: within the loop is the pixel right below
        x, y = start[first]
        (outer if mask[y, x] else holes).append(start[loop])
    return _nested(mask, outer, holes)


def _corners(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners of the outlines of a mask with a margin.

    Returns:
        x and y, (N, 2), row by row, of two in one place the one whose edge goes left first;
        whether its horizontal edge goes right, of two in one place; whether its vertical edge goes
        down, of two in one place; (N,) each.
    """
    upper_left, upper_right = mask[:-1, :-1], mask[:-1, 1:]
    lower_left, lower_right = mask[1:, :-1], mask[1:, 1:]
    odd = upper_left ^ upper_right ^ lower_left ^ lower_right
    touch = (upper_left == lower_right) & (upper_right == lower_left) & (upper_left ^ upper_right)
    y, x = np.nonzero(odd | touch)
    is_touch, falls = touch[y, x], upper_left[y, x]
    copies = np.where(is_touch, 2, 1)
    start = np.repeat(np.stack([x, y], 1) + 1, copies, 0)
    second = np.zeros(len(start), bool)
    second[1:] = (start[1:] == start[:-1]).all(1)
    # around each of the two other pixels: left and down, right and up, or the other way round
    down = np.repeat(is_touch & falls, copies) ^ second
    return start, second, down


def _partners(order: np.ndarray) -> list[int]:
    """The other end of each corner's edge, of corners in the order of their line."""
    partner = np.empty(len(order), int)
    partner[order[::2]], partner[order[1::2]] = order[1::2], order[::2]
    return partner.tolist()


def _nested(
    mask: np.ndarray, outer: Sequence[np.ndarray], holes: Sequence[np.ndarray]
) -> list[Outline]:
    """Outlines with the holes that lie in them."""
    if len(outer) == 1:
        return [Outline(outer[0], list(holes))]
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    parts = {labels[ring[0, 1], ring[0, 0]]: Outline(ring) for ring in outer}
    for hole in holes:
        x, y = hole[0]
        parts[labels[y - 1, x]].holes.append(hole)  # what is above it is not in the hole
    return list(parts.values())


def _trace_pixels(mask: np.ndarray) -> list[Outline]:
    """Outlines through the outermost pixels of the parts."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    parts = []
    for part in _trace_corners(mask):
        x, y = part.outer[0]
        alone = (labels == labels[y, x]).astype(np.uint8)
        (ring,), _ = cv2.findContours(alone, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        parts.append(Outline(_at_least_three(ring[::-1, 0]), part.holes))
    return parts


def _at_least_three(ring: np.ndarray) -> np.ndarray:
    """A polygon of a part that is a pixel or a line, whose points repeat."""
    return np.resize(ring, (3, 2)) if len(ring) < 3 else ring


#: A pixel belongs to a polygon when its centre does; it lies between whole numbers.
CORNERS = Convention(_trace_corners, corner_polygon, _area)
#: Points are pixels, which belong to the polygon.
PIXELS = Convention(_trace_pixels, pixel_polygon, _pixels)
