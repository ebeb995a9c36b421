"""Text on pictures: rendered lines, and labels that do not cover each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

#: How bright the channels of RGB look.
LUMINANCE = np.array((0.299, 0.587, 0.114))
#: How far a label inside a region may move to a free place, in its own heights.
REACH = 3

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class DrawingStyle:
    """How results are drawn on frames, as far as it concerns their kind.

    Attributes:
        scale: enlarge the drawing by this factor.
        text_size: height of text in pixels of the drawing; None: by its size.
        scores: whether labels state scores.
        legend: whether classes are listed below the picture.
    """

    scale: int = 1
    text_size: int | None = None
    scores: bool = True
    legend: bool = True

    def text_size_on(self, drawing: np.ndarray) -> int:
        """Height of text on a drawing (H, W, 3)."""
        return self.text_size or font_size(drawing.shape)


DEFAULT_STYLE = DrawingStyle()


@dataclass(frozen=True)
class Label:
    """A line of text on a plate of colour.

    Attributes:
        text: what it says.
        color: RGB of the plate.
        x: column of its centre, in pixels of the drawing.
        y: row of its centre; or, with ``mask_height``, the top row of the mask it belongs to.
        mask_height: the label goes above the mask, else inside its top, else below it; such a
            label is always drawn. None for a label inside a region, left out where all is taken.
    """

    text: str
    color: tuple[int, int, int]
    x: int
    y: int
    mask_height: int | None = None


def draw_labels(canvas: np.ndarray, labels: Sequence[Label], size: int) -> None:
    """Draw labels inside the picture, the first ones at the best places.

    Args:
        canvas: RGB uint8, (H, W, 3), changed in place.
        labels: what to draw.
        size: height of the text in pixels.
    """
    taken: list[Box] = []
    for label in labels:
        text = render_text(label.text, size)
        height, width = text.shape
        left = min(max(0, label.x - width // 2), max(0, canvas.shape[1] - width))
        top = _free_row(label, left, width, height, canvas.shape[0], taken)
        if top is None:
            continue
        taken.append((left, top, left + width, top + height))
        _paste_plate(canvas, text, left, top, label.color)


def _free_row(
    label: Label, left: int, width: int, height: int, canvas_height: int, taken: list[Box]
) -> int | None:
    last = max(0, canvas_height - height)
    if label.mask_height is None:
        ideal = min(max(0, label.y - height // 2), last)
        wanted, reach = [ideal], REACH * height
    else:
        ideal, reach = label.y, canvas_height
        wanted = [label.y - height - 1, label.y + 1, label.y + label.mask_height + 1]
    rows = [row for row in wanted if 0 <= row <= last]
    others = range(0, last + 1, max(1, height // 2))
    rows += sorted(
        (row for row in others if abs(row - ideal) <= reach), key=lambda row: abs(row - ideal)
    )
    for row in rows:
        if not any(
            left < x2 and x1 < left + width and row < y2 and y1 < row + height
            for x1, y1, x2, y2 in taken
        ):
            return row
    return rows[0] if label.mask_height is not None else None


def _paste_plate(
    canvas: np.ndarray, text: np.ndarray, left: int, top: int, color: tuple[int, int, int]
) -> None:
    plate = canvas[top : top + text.shape[0], left : left + text.shape[1]]
    plate[:] = color
    ink = 0.0 if np.dot(color, LUMINANCE) > 120 else 255.0
    paste_text(canvas, text, left, top, np.full(3, ink))


def paste_text(canvas: np.ndarray, text: np.ndarray, left: int, top: int, ink: np.ndarray) -> None:
    """Print rendered text on a picture, as far as it lies inside.

    Args:
        canvas: RGB uint8, (H, W, 3), changed in place.
        text: of :func:`render_text`.
        left: first column.
        top: first row.
        ink: RGB, (3,).
    """
    region = canvas[top : top + text.shape[0], left : left + text.shape[1]]
    opacity = text[: region.shape[0], : region.shape[1], None] / 255.0
    region[:] = (region * (1 - opacity) + ink * opacity).round()


def upscaling(size: tuple[int, int]) -> int:
    """The smallest integer factor that makes labels legible on frames of ``size`` (H, W)."""
    return max(1, -(-400 // max(size)))


def font_size(shape: tuple[int, ...]) -> int:
    """Height in pixels of legible text on an image of ``shape`` (H, W, ...)."""
    smallest = 10 if min(shape[:2]) >= 200 else 8
    return max(smallest, round(0.024 * min(shape[:2])))


@lru_cache(maxsize=2048)
def render_text(text: str, size: int) -> np.ndarray:
    """Opacity of a line of text, uint8 (h, w), with a small margin."""
    # Hinting at 10 pixels swallows the gaps between words: draw large, shrink, and space widely.
    factor = 4 if size < 16 else 1
    font = ImageFont.load_default(size * factor)
    margin = max(1, size // 5) * factor
    ascent, descent = font.getmetrics()
    text = text.replace(' ', '  ')
    width = -(-round(font.getlength(text) + 2 * margin) // factor)
    height = -(-(ascent + descent + margin) // factor)
    image = Image.new('L', (width * factor, height * factor))
    ImageDraw.Draw(image).text((margin, margin // 2), text, fill=255, font=font)
    return cv2.resize(np.array(image), (width, height), interpolation=cv2.INTER_AREA)
