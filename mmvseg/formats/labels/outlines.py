"""Outlines and boxes as masks, in the conventions that labelling tools follow.

A pixel ``i`` covers ``i`` to ``i + 1`` where corners are meant (CVAT, COCO, YOLO, Label Studio): it
belongs to a shape when its centre does. Where pixels are meant (labelme, Supervisely), an outline
goes through their indices and belongs to the shape.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask

from mmvseg.errors import counted

#: Points of a polygon that are further out than so many sides of the frame are no such points.
_REACH = 10


def encode(mask: np.ndarray) -> dict:
    """Compressed run-length code, ``dict(size=[H, W], counts=bytes)``, of a mask, (H, W)."""
    return coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))


def encode_part(part: np.ndarray, top: int, left: int, height: int, width: int) -> dict:
    """The code of a mask that is empty outside of a part, without making the whole.

    Args:
        part: (h, w) bool.
        top: row of its first pixel in the frame.
        left: column of its first pixel in the frame.
        height: of the frame.
        width: of the frame.
    """
    columns = np.zeros((part.shape[1], height), bool)
    columns[:, top : top + part.shape[0]] = part.T
    # runs go down the columns, zeros first; what is left and right of the part is zeros
    changes = np.flatnonzero(np.diff(columns.ravel(), prepend=False, append=False))
    runs = np.diff(changes + left * height, prepend=0, append=height * width)
    counts = runs if runs[-1] or len(runs) == 1 else runs[:-1]
    rle = dict(size=[height, width], counts=counts.tolist())
    return coco_mask.frPyObjects(rle, height, width)


def encode_drawn(image: Image.Image) -> dict:
    """The code of what is drawn in a picture of one bit a pixel."""
    left, top, right, bottom = image.getbbox() or (0, 0, 0, 0)
    part = np.array(image.crop((left, top, right, bottom)), bool)
    return encode_part(part, top, left, image.height, image.width)


def value_masks(ids: np.ndarray) -> Iterator[tuple[int, dict]]:
    """The values above 0 of a map of numbers, (H, W), in rising order, with the codes of theirs."""
    columns = np.asfortranarray(ids)  # codes run along the columns
    pixels = columns.ravel('K')
    # the values that runs end with are few, and all there are
    ends = np.append(np.flatnonzero(pixels[1:] != pixels[:-1]), len(pixels) - 1)
    for value in np.unique(pixels[ends]).tolist():
        if value > 0:
            yield value, encode(columns == value)


def union(rles: Sequence[dict]) -> dict:
    """The code of what is in any of the masks."""
    return rles[0] if len(rles) == 1 else coco_mask.merge(rles)


def is_empty(rle: dict) -> bool:
    """Whether a sound code has no pixel."""
    return coco_mask.area(rle) == 0


def polygon_rule(points: Sequence[Sequence[float]], height: int, width: int) -> str | None:
    """What is wrong with the points of a polygon, None if nothing is."""
    if len(points) < 3:
        return f'a polygon of {counted(len(points), "points")}; at least 3 are needed'
    return points_rule(points, height, width)


def points_rule(points: Sequence[Sequence[float]], height: int, width: int) -> str | None:
    """What is wrong with points of any shape, None if nothing is."""
    if any(len(point) != 2 for point in points):
        return 'a point that is not [x, y]'
    array = np.asarray(points, float)
    if not np.isfinite(array).all() or np.abs(array).max() > _REACH * max(height, width):
        return f'a shape reaches far outside of the {height} x {width} frame'
    return None


def corner_polygon(points: Sequence[Sequence[float]], height: int, width: int) -> np.ndarray:
    """The pixels whose centres lie in a polygon, by the even-odd rule.

    Args:
        points: x and y of its corners in the order of the outline, (P, 2), P >= 3.
        height: of the frame.
        width: of the frame.

    Returns:
        The mask, (H, W) bool.
    """
    return _fill(np.asarray(points, float), 0, 0, height, width)


def corner_polygon_code(points: Sequence[Sequence[float]], height: int, width: int) -> dict:
    """The code of :func:`corner_polygon`, in the time that its own size takes, not the frame's."""
    points = np.asarray(points, float)
    sides = np.array([width, height])
    left, top = np.floor(points.min(0)).clip(0, sides).astype(int).tolist()
    right, bottom = np.ceil(points.max(0)).clip(0, sides).astype(int).tolist()
    part = _fill(points, top, left, bottom - top, right - left)
    return encode_part(part, top, left, height, width)


def _fill(start: np.ndarray, top: int, left: int, height: int, width: int) -> np.ndarray:
    """The pixels of a polygon in a window, whose first pixel is given, (h, w) bool."""
    stop = np.roll(start, -1, 0)
    low, high = np.minimum(start[:, 1], stop[:, 1]), np.maximum(start[:, 1], stop[:, 1])
    # rows whose centres lie between the ends of an edge, the upper end included
    first = np.ceil(low - 0.5).clip(top, top + height).astype(int)
    counts = np.ceil(high - 0.5).clip(top, top + height).astype(int) - first
    edge = np.repeat(np.arange(len(start)), counts)
    rows = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    (x0, y0), (x1, y1) = start[edge].T, stop[edge].T
    x = x0 + (rows + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
    columns = np.ceil(x - 0.5).clip(left, left + width).astype(int) - left
    # all pixels from a crossing on change sides
    mask = np.zeros((height, width + 1), bool)
    np.logical_xor.at(mask, (rows - top, columns), True)
    return np.logical_xor.accumulate(mask, 1)[:, :width]


def pixel_polygon(points: Sequence[Sequence[float]], height: int, width: int) -> np.ndarray:
    """The pixels of a polygon of pixel indices, its outline included, (H, W) bool."""
    return np.array(drawn_polygon(points, height, width), bool)


def drawn_polygon(points: Sequence[Sequence[float]], height: int, width: int) -> Image.Image:
    """The picture of :func:`pixel_polygon`, of one bit a pixel."""
    image = Image.new('1', (width, height))
    corners = [(float(x), float(y)) for x, y in points]
    ImageDraw.Draw(image).polygon(corners, outline=1, fill=1)
    return image


def box_corners(
    x: float, y: float, width: float, height: float, degrees: float = 0, about: str = 'centre'
) -> np.ndarray:
    """Corners of a box, clockwise from the top left, (4, 2).

    Args:
        x: left edge.
        y: top edge.
        width: of the box.
        height: of the box.
        degrees: by which it is turned, clockwise.
        about: the point that stays, ``'centre'`` or ``'corner'`` (top left).
    """
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    centre = corners.mean(0) if about == 'centre' else corners[0]
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = np.array([[cosine, sine], [-sine, cosine]])  # of row vectors; y points down
    return (corners - centre) @ turn + centre if degrees else corners


def corner_ellipse(
    cx: float, cy: float, rx: float, ry: float, degrees: float, height: int, width: int
) -> np.ndarray:
    """The pixels whose centres lie in an ellipse, (H, W) bool.

    Args:
        cx: x of its centre.
        cy: y of its centre.
        rx: half of its width.
        ry: half of its height.
        degrees: by which it is turned about its centre, clockwise.
        height: of the frame.
        width: of the frame.
    """
    x = np.arange(width) + 0.5 - cx
    y = np.arange(height)[:, None] + 0.5 - cy
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    along, across = x * cosine + y * sine, y * cosine - x * sine
    return (along / rx) ** 2 + (across / ry) ** 2 <= 1


def row_runs(runs: Sequence[int], height: int, width: int) -> np.ndarray:
    """A mask of runs along the rows, zeros first, (H, W) bool.

    Raises:
        ValueError: the runs are not of so many pixels.
    """
    lengths = np.asarray(runs, np.int64)
    if len(lengths) and lengths.min() < 0:
        raise ValueError(f'a run of {lengths.min()} pixels')
    if lengths.sum() != height * width:
        total = lengths.sum() if len(lengths) else 0
        raise ValueError(f'the runs cover {total} pixels, the mask has {height} x {width}')
    values = np.arange(len(lengths)) % 2 == 1
    return np.repeat(values, lengths).reshape(height, width)
