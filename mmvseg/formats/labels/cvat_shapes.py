"""CVAT's shapes as masks, and what is between two of them.

Coordinates are those of corners: a pixel ``i`` covers ``i`` to ``i + 1``. Masks are runs along the
rows of their box, zeros first; the box counts its last pixels in.
"""

from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np

from .outlines import (
    box_corners,
    corner_ellipse,
    corner_polygon_code,
    encode_part,
    polygon_rule,
    row_runs,
)

#: Shapes with an area.
AREAS = ('polygon', 'box', 'ellipse', 'mask')
_KEYS = dict(
    box=('xtl', 'ytl', 'xbr', 'ybr'),
    ellipse=('cx', 'cy', 'rx', 'ry'),
    mask=('left', 'top', 'width', 'height'),
)


@dataclass(frozen=True)
class Shape:
    """A shape with an area.

    Attributes:
        kind: of :data:`AREAS`.
        values: of a polygon its points, (P, 2); of a box left, top, right, bottom and rotation; of
            an ellipse centre, half axes and rotation, (5,); of a mask left, top, width and height,
            (4,).
        runs: of a mask, (R,) int.
    """

    kind: str
    values: np.ndarray
    runs: np.ndarray | None = None


def read_shape(element: Element) -> Shape:
    """Read an element of :data:`AREAS`.

    Raises:
        ValueError: with the rule that it breaks.
    """
    kind, given = element.tag, element.attrib
    try:
        if kind == 'polygon':
            points = [point.split(',') for point in given['points'].split(';') if point.strip()]
            return Shape(kind, np.array(points, float).reshape(len(points), 2))
        if kind == 'mask':
            runs = np.array(given['rle'].split(','), np.int64)
            return Shape(kind, np.array([int(given[key]) for key in _KEYS[kind]]), runs)
        values = [float(given[key]) for key in _KEYS[kind]]
        return Shape(kind, np.array([*values, float(given.get('rotation') or 0)]))
    except KeyError as error:
        raise ValueError(f'a {kind} without {error.args[0]}') from error
    except (ValueError, OverflowError) as error:
        raise ValueError(f'a {kind} whose values are no numbers') from error


def draw(shape: Shape, height: int, width: int) -> dict:
    """Run-length code of a shape's mask.

    Args:
        shape: it.
        height: of the frame.
        width: of the frame.

    Raises:
        ValueError: with the rule that the shape breaks.
    """
    values = shape.values
    if shape.kind == 'mask':
        return _draw_mask(shape, height, width)
    if not np.isfinite(values).all():
        raise ValueError(f'a {shape.kind} whose values are no numbers')
    if shape.kind == 'ellipse':
        return _draw_ellipse(values, height, width)
    points = values
    if shape.kind == 'box':
        left, top, right, bottom, rotation = values
        points = box_corners(left, top, right - left, bottom - top, rotation)
    if rule := polygon_rule(points, height, width):
        raise ValueError(rule)
    return corner_polygon_code(points, height, width)


def _draw_mask(shape: Shape, height: int, width: int) -> dict:
    left, top, box_width, box_height = shape.values.tolist()
    fits = 0 <= left < left + box_width <= width and 0 <= top < top + box_height <= height
    if not fits:
        raise ValueError(
            f'a mask of {box_height} x {box_width} at row {top}, column {left} is not in the '
            f'{height} x {width} frame'
        )
    return encode_part(row_runs(shape.runs, box_height, box_width), top, left, height, width)


def _draw_ellipse(values: np.ndarray, height: int, width: int) -> dict:
    cx, cy, rx, ry, rotation = values.tolist()
    if min(rx, ry) <= 0:
        raise ValueError('an ellipse without extent')
    reach, sides = max(rx, ry), np.array([width, height])
    left, top = np.floor([cx - reach, cy - reach]).clip(0, sides).astype(int).tolist()
    right, bottom = np.ceil([cx + reach, cy + reach]).clip(0, sides).astype(int).tolist()
    part = corner_ellipse(cx - left, cy - top, rx, ry, rotation, bottom - top, right - left)
    return encode_part(part, top, left, height, width)


def between(first: Shape, second: Shape, share: float) -> Shape:
    """What CVAT shows between two key frames.

    Args:
        first: at the earlier one.
        second: at the later one.
        share: of the way, in (0, 1).
    """
    if first.kind != second.kind or first.kind == 'mask':
        return first
    start, stop = first.values, second.values
    if first.kind == 'polygon':
        start, stop = _pairs(start, stop)
    else:
        # the shorter way round
        turn = (stop[4] - start[4] + 180) % 360 - 180
        stop = np.array([*stop[:4], start[4] + turn])
    return Shape(first.kind, start + (stop - start) * share)


def _pairs(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points of two outlines that move into each other, (N, 2) each.

    Those at about the same share of the way around belong together, beginning at the first points.
    """
    first, second = (np.concatenate([points, points[:1]]) for points in (first, second))
    distance = np.abs(_shares(first)[:, None] - _shares(second))
    partners = distance.argmin(1)
    pairs = list(enumerate(partners.tolist()))
    alone = np.setdiff1d(np.arange(len(second)), partners)
    pairs += zip(distance[:, alone].argmin(0).tolist(), alone.tolist(), strict=True)
    left, right = zip(*sorted(pairs), strict=True)
    return first[list(left)], second[list(right)]


def _shares(points: np.ndarray) -> np.ndarray:
    """Length of the way to each point as a share of the whole, (N,)."""
    lengths = np.concatenate([[0], np.hypot(*np.diff(points, axis=0).T).cumsum()])
    return lengths / (lengths[-1] or 1)
