"""Shapes of labelme as masks: points are pixel indices, and outlines belong to the shape."""

import math

from msgspec import Struct
from PIL import Image, ImageDraw

from mmvseg.errors import counted
from mmvseg.formats.json_files import Number, Text

from .inline import decode_base64, decode_png_mask
from .outlines import drawn_polygon, encode_drawn, encode_part, points_rule, polygon_rule

#: Shapes without an area.
LINES = frozenset({'point', 'points', 'line', 'linestrip'})
#: Points of those with an area; a polygon has any number.
_POINTS = {'rectangle': 2, 'circle': 2, 'oriented_rectangle': 4, 'mask': 2}


class Shape(Struct):
    """What somebody drew.

    Attributes:
        label: class.
        points: x and y of each.
        group_id: joins the shapes of an object.
        shape_type: what the points are; of old files, which had polygons alone, None.
        mask: base64 of a PNG of the box, if it is a mask.
    """

    label: Text
    points: list[list[Number]]
    group_id: int | Text | None = None
    shape_type: Text | None = None
    mask: Text | None = None


def shape_code(shape: Shape, height: int, width: int) -> dict:
    """Run-length code of a shape that has an area.

    Raises:
        ValueError: it is broken.
    """
    kind, points = shape.shape_type or 'polygon', shape.points
    if not shape.label:
        rule = 'a shape without a label'
    elif kind == 'polygon':
        rule = polygon_rule(points, height, width)
    elif kind not in _POINTS:
        rule = f'labelme has no shape_type {kind!r}'
    elif len(points) != _POINTS[kind]:
        rule = f'a {kind} of {counted(len(points), "points")}; it has {_POINTS[kind]}'
    else:
        rule = points_rule(points, height, width)
    if rule is not None:
        raise ValueError(rule)
    if kind in ('polygon', 'oriented_rectangle'):
        return encode_drawn(drawn_polygon(points, height, width))
    return _PAINTERS[kind](shape, height, width)


def _rectangle(shape: Shape, height: int, width: int) -> dict:
    (x0, y0), (x1, y1) = shape.points  # any two corners
    image = Image.new('1', (width, height))
    box = [min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)]
    ImageDraw.Draw(image).rectangle(box, fill=1, outline=1)
    return encode_drawn(image)


def _circle(shape: Shape, height: int, width: int) -> dict:
    (x, y), (rim_x, rim_y) = shape.points
    radius = math.hypot(rim_x - x, rim_y - y)
    image = Image.new('1', (width, height))
    box = [x - radius, y - radius, x + radius, y + radius]
    ImageDraw.Draw(image).ellipse(box, fill=1, outline=1)
    return encode_drawn(image)


def _mask(shape: Shape, height: int, width: int) -> dict:
    if shape.mask is None:
        raise ValueError('a mask without its picture')
    (x0, y0), (x1, y1) = ((int(x), int(y)) for x, y in shape.points)  # the last pixels included
    if not (0 <= x0 <= x1 < width and 0 <= y0 <= y1 < height):
        raise ValueError(f'a mask from {x0}, {y0} to {x1}, {y1} in a {height} x {width} frame')
    mask = decode_png_mask(decode_base64(shape.mask), (y1 - y0 + 1, x1 - x0 + 1))
    return encode_part(mask, y0, x0, height, width)


_PAINTERS = {'rectangle': _rectangle, 'circle': _circle, 'mask': _mask}
