"""Figures of Supervisely as masks: points are pixel indices, and outlines are drawn, too."""

import zlib
from typing import Any

import cv2
import msgspec
import numpy as np
from msgspec import Raw, Struct

from mmvseg.formats.json_files import Text

from .inline import decode_base64, decode_png_mask, png_size
from .outlines import encode_part, points_rule, polygon_rule

#: Figures without an area.
LINES = frozenset({'point', 'line', 'polyline', 'graph', 'cuboid', 'cuboid_2d', 'cuboid_3d'})
_PNG = b'\x89PNG'


class Figure(Struct):
    """What somebody drew in a frame; the object is named by a key, or by an id of the server."""

    geometry: Raw
    geometryType: Text | None = None
    objectKey: Text | None = None
    objectId: int | None = None

    @property
    def kind(self) -> str:
        """Kind of geometry, which older files name inside of it."""
        return self.geometryType or _Kind.of(self.geometry)


class _Kind(Struct):
    geometryType: str = 'nothing'
    shape: str | None = None

    @classmethod
    def of(cls, geometry: Raw) -> str:
        """The kind that a geometry says it is of."""
        try:
            found = msgspec.json.decode(geometry, type=cls)
        except msgspec.ValidationError:
            return 'nothing'
        return found.shape or found.geometryType


class _Bitmap(Struct):
    origin: tuple[int, int]
    data: str


class _BitmapGeometry(Struct):
    bitmap: _Bitmap


class _Points(Struct):
    exterior: list[tuple[float, float]]
    interior: list[list[tuple[float, float]]] = []


class _PointsGeometry(Struct):
    points: _Points


def figure_code(figure: Figure, height: int, width: int) -> dict:
    """Run-length code of a figure that has an area.

    Raises:
        ValueError: it is broken, or of a kind that is not read.
    """
    if figure.kind not in _PAINTERS:
        raise ValueError(f'a figure of the type {figure.kind}, which is not read')
    return _PAINTERS[figure.kind](figure.geometry, height, width)


def _bitmap(geometry: Raw, height: int, width: int) -> dict:
    bitmap = _decoded(geometry, _BitmapGeometry).bitmap
    png = _unpacked(decode_base64(bitmap.data), height, width)
    (x, y), size = bitmap.origin, png_size(png)
    if min(x, y) < 0 or x + size[1] > width or y + size[0] > height:
        raise ValueError(
            f'a bitmap of {size[1]}x{size[0]} pixels at {x}, {y} reaches out of the '
            f'{width}x{height} frame'
        )
    return encode_part(decode_png_mask(png, size), y, x, height, width)


def _unpacked(data: bytes, height: int, width: int) -> bytes:
    """The PNG in a bitmap's bytes: packed once more, by some programs not."""
    if data.startswith(_PNG):
        return data
    # no PNG of a mask is larger; a few bytes can be packed for any size
    limit = 8 * height * width + 2**20
    try:
        unpacker = zlib.decompressobj()
        png = unpacker.decompress(data, limit)
    except zlib.error as error:
        raise ValueError(f'a bitmap that cannot be unpacked ({error})') from error
    if not unpacker.eof:
        raise ValueError('a bitmap that is cut off, or larger than its frame')
    return png


def _polygon(geometry: Raw, height: int, width: int) -> dict:
    points = _decoded(geometry, _PointsGeometry).points
    outlines = points.exterior, *points.interior
    for outline in outlines:
        if (rule := polygon_rule(outline, height, width)) is not None:
            raise ValueError(rule)
    first, last = _window([p for outline in outlines for p in outline], height, width)
    mask = np.zeros((last - first)[::-1], np.uint8)
    for outline in outlines:  # the outline of a hole belongs to the hole
        corners = np.floor(outline).astype(np.int32) - first.astype(np.int32)
        cv2.fillPoly(mask, [corners], int(outline is points.exterior))
    return encode_part(mask > 0, first[1], first[0], height, width)


def _window(points: list, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of the first pixel around points in a frame, and of that after the last, (2,)."""
    corners, sides = np.floor(points).astype(int), np.array([width, height])
    return corners.min(0).clip(0, sides), (corners.max(0) + 1).clip(0, sides)


def _rectangle(geometry: Raw, height: int, width: int) -> dict:
    corners = _decoded(geometry, _PointsGeometry).points.exterior
    rule = points_rule(corners, height, width) if len(corners) == 2 else None
    if len(corners) != 2 or rule is not None:
        raise ValueError(rule or f'a rectangle of {len(corners)} corners; it has 2')
    first, last = _window(corners, height, width)
    return encode_part(np.ones((last - first)[::-1], bool), first[1], first[0], height, width)


def _decoded(geometry: Raw, kind: type) -> Any:
    try:
        return msgspec.json.decode(geometry, type=kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace('`', '').replace('$', 'geometry')) from error


_PAINTERS = {'bitmap': _bitmap, 'polygon': _polygon, 'rectangle': _rectangle}
