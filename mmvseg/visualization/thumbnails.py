"""Frames of one video with their objects as small pictures on one sheet."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from mmvseg.errors import one_line

from .overlay import Color, FrameObject, draw_objects
from .text import paste_text, render_text

#: Pixels of a tile; its shape is that of the frames. 16:9 gives 240 x 135.
TILE_PIXELS = 240 * 135
#: Small frames are not blown up further.
_MAX_SCALE = 2.0
_SHEET_ASPECT = 3.0
#: What it counts against an arrangement that a place stays empty.
_HOLE = 0.1
_GAP = 2
_CAPTION_SIZE, _WORDS_SIZE = 11, 14
_GREY, _DARK = 120, 18
_INK = np.full(3, 255.0)
#: How many letters fit in a line: a letter is about so wide, in heights of the text.
_LETTER = 0.65


@dataclass(frozen=True)
class Tile:
    """What a sheet shows of one frame.

    Attributes:
        caption: in the corner.
        image: RGB uint8, (H, W, 3); None for a grey tile.
        masks: run-length code at the size of the video and RGB of each object, the first on top.
        words: what stands in the middle, such as why there is no picture.
    """

    caption: str
    image: np.ndarray | None
    masks: Sequence[tuple[dict, Color]]
    words: str = ''


def tile_size(size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the tiles of a video of ``size`` (H, W).

    Example:
        >>> tile_size((720, 1280)), tile_size((1280, 720)), tile_size((96, 128))
        ((135, 240), (240, 135), (156, 208))
    """
    scale = min(math.sqrt(TILE_PIXELS / (size[0] * size[1])), _MAX_SCALE)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def sheet_size(count: int, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a sheet of ``count`` frames of a video of ``size`` (H, W)."""
    height, width = tile_size(size)
    columns = _columns(count, height, width)
    rows = -(-count // columns)
    return rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP


def thumbnail_sheet(tiles: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """Lay out the frames of a video in rows.

    Args:
        tiles: of :func:`draw_tile`, at least one.
        size: (height, width) of the video, in pixels.

    Returns:
        RGB uint8, as large as :func:`sheet_size` says.
    """
    height, width = tile_size(size)
    columns = _columns(len(tiles), height, width)
    sheet = np.full((*sheet_size(len(tiles), size), 3), _DARK, np.uint8)
    for place, tile in enumerate(tiles):
        y, x = place // columns * (height + _GAP), place % columns * (width + _GAP)
        sheet[y : y + height, x : x + width] = tile
    return sheet


def draw_tile(tile: Tile, size: tuple[int, int]) -> np.ndarray:
    """Draw one frame of a video of ``size`` (H, W), as large as :func:`tile_size` says."""
    size = tile_size(size)
    if tile.image is None:
        canvas = np.full((*size, 3), _GREY, np.uint8)
    else:
        canvas = _resized(tile.image, size, cv2.INTER_CUBIC)
    objects = [
        FrameObject(_small_mask(mask, size), number, color=color)
        for number, (mask, color) in enumerate(tile.masks)
    ]
    canvas = draw_objects(canvas, objects)
    _write_words(canvas, tile.words)
    text = render_text(tile.caption, _CAPTION_SIZE)
    _paste_plate(canvas, text, 0, max(0, size[0] - text.shape[0]))
    return canvas


def _columns(count: int, height: int, width: int) -> int:
    """Columns of a sheet with tiles of a height and width: about :data:`_SHEET_ASPECT` wide."""

    def distance(columns: int) -> float:
        rows = -(-count // columns)
        aspect = columns * width / (rows * height)
        return abs(math.log(aspect / _SHEET_ASPECT)) + _HOLE * (rows * columns - count)

    return min(range(1, count + 1), key=distance)


def _resized(image: np.ndarray, size: tuple[int, int], enlarging: int) -> np.ndarray:
    shrinks = image.shape[0] >= size[0]
    how = cv2.INTER_AREA if shrinks else enlarging
    return cv2.resize(image, size[::-1], interpolation=how)


def _small_mask(rle: dict, size: tuple[int, int]) -> dict:
    """A mask at the size of a tile; of one too thin for its pixels, those it covers most."""
    lying = coco_mask.decode(rle).T  # decoded masks have their columns in a row
    small = _resized(lying, size[::-1], cv2.INTER_NEAREST)
    if not small.any() and lying.any():
        shares = _resized(lying * 255, size[::-1], cv2.INTER_NEAREST)
        small = np.uint8(shares == shares.max())
    return coco_mask.encode(np.asfortranarray(small.T))


def _write_words(canvas: np.ndarray, words: str) -> None:
    """Lines in the middle of a tile, as many as there is room for."""
    height, width = canvas.shape[:2]
    lines = textwrap.wrap(one_line(words), max(8, int(width / (_LETTER * _WORDS_SIZE))))
    texts = [render_text(line, _WORDS_SIZE) for line in lines]
    top = max(0, (height - sum(text.shape[0] for text in texts)) // 2)
    for text in texts:
        _paste_plate(canvas, text, max(0, (width - text.shape[1]) // 2), top)
        top += text.shape[0]


def _paste_plate(canvas: np.ndarray, text: np.ndarray, left: int, top: int) -> None:
    """Text on darkened ground, legible on anything."""
    plate = canvas[top : top + text.shape[0], left : left + text.shape[1]]
    plate[:] = plate // 3
    paste_text(canvas, text, left, top, _INK)
