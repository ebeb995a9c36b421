"""Outlines of lines and Bezier curves as polygons."""

import math
from collections.abc import Sequence

import numpy as np


def flattened(vertices: Sequence[Sequence[float]], types: str) -> np.ndarray:
    """The points of a closed outline whose curves are cut into lines of about a pixel.

    Args:
        vertices: x and y of its points, (P, 2).
        types: a letter for each: ``L`` ends a line; two ``C`` are the control points of a cubic
            curve from the point before to the one behind them, which closes the outline if they are
            the last. The letter of the first point, and of a curve's end, says nothing.

    Returns:
        The points, (Q, 2).

    Raises:
        ValueError: with the rule that the outline breaks.

    Example:
        >>> len(flattened([[0, 0], [8, 0], [8, 8]], 'LLL'))
        3
    """
    if len(types) != len(vertices):
        raise ValueError(f'poly2d has {len(vertices)} vertices and {len(types)} types')
    if set(types) - {'L', 'C'}:
        raise ValueError(f'poly2d has types {types!r}; L and C are known')
    points = np.asarray(vertices, float).reshape(-1, 2)
    closed = np.concatenate([points, points[:1]])
    found, at = [closed[:1]], 1
    while at < len(points):
        if types[at] == 'L':
            found.append(closed[at : at + 1])
            at += 1
            continue
        if at + 2 >= len(closed):
            raise ValueError('poly2d ends within a curve, which has two control points')
        found.append(_curve(*closed[at - 1 : at + 3]))
        at += 3
    return np.concatenate(found)


def _curve(start: np.ndarray, first: np.ndarray, second: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Points of a cubic Bezier curve behind its start, (N, 2)."""
    length = sum(np.hypot(*(b - a)) for a, b in ((start, first), (first, second), (second, end)))
    steps = min(max(math.ceil(length), 4), 1000) if math.isfinite(length) else 4
    t = np.linspace(0, 1, steps + 1)[1:, None]
    s = 1 - t
    return s**3 * start + 3 * s**2 * t * first + 3 * s * t**2 * second + t**3 * end
