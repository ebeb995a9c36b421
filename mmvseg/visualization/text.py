"""Text on pictures: rendered lines, and how large they are."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

#: How bright the channels of RGB look.
LUMINANCE = np.array((0.299, 0.587, 0.114))


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
