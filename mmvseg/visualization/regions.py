"""Regions drawn on frames: a half-transparent fill and a crisp contour each."""

import cv2
import numpy as np

from .text import LUMINANCE

OPACITY = 0.5
#: Contours are thicker on pictures of more pixels than this many lines.
LINES = 540


def draw_regions(
    image: np.ndarray, regions: np.ndarray, colors: np.ndarray, opacity: float = OPACITY
) -> np.ndarray:
    """Fill regions on a copy of a picture and mark their contours.

    Args:
        image: RGB uint8, (H, W, 3).
        regions: number of each pixel's region, 0 where the picture stays as it is, (H, W) uint8 or
            uint16.
        colors: RGB of the regions, ``colors[n - 1]`` of region n, (N, 3).
        opacity: of the fill; contours are opaque.

    Returns:
        RGB uint8, (H, W, 3).
    """
    if not len(colors):
        return image.copy()
    table = np.concatenate([np.zeros((1, 3)), colors]).astype(np.uint8)
    paint = table[regions]
    canvas = cv2.addWeighted(paint, opacity, image, 1 - opacity, 0)
    thickness = max(1, round(min(image.shape[:2]) / LINES))
    kernel = np.ones((2 * thickness + 1,) * 2, np.uint8)
    contour = cv2.dilate(regions, kernel) != cv2.erode(regions, kernel)
    cv2.copyTo(_shades(table)[regions], contour.astype(np.uint8), canvas)
    return cv2.copyTo(image, (regions == 0).astype(np.uint8), canvas)


def _shades(colors: np.ndarray) -> np.ndarray:
    """Darker shades of bright colours and brighter ones of dark colours, (N, 3) uint8.

    A colour on something of the same colour would not be seen.
    """
    bright = (colors @ LUMINANCE > 110)[:, None]
    return np.where(bright, 0.45 * colors, 255 - 0.45 * (255.0 - colors)).round().astype(np.uint8)


def enlarge_regions(regions: np.ndarray, scale: int) -> np.ndarray:
    """A region map (H, W), ``scale`` times as large."""
    if scale == 1:
        return regions
    return cv2.resize(regions, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
