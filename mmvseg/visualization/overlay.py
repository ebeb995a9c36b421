"""Objects drawn on frames with OpenCV: mask, contour and label in the track's own colour."""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pycocotools import mask as mask_api

from mmvseg.structures import VideoInstances

GOLDEN_RATIO = 0.618033988749895
MASK_OPACITY = 0.45


@dataclass(frozen=True)
class FrameObject:
    """What one frame shows of a track.

    Attributes:
        mask: COCO run-length code at the frame's size.
        track_id: decides the colour.
        label: text at the top of the mask; empty for none.
    """

    mask: dict
    track_id: int
    label: str = ''


def track_color(track_id: int) -> tuple[int, int, int]:
    """RGB colour of a track, a function of its id alone.

    Successive ids step around the hue circle by the golden ratio, so that any few neighbours are
    far apart; saturation and brightness vary slowly to tell later ids from earlier ones.
    """
    hue = (0.58 + track_id * GOLDEN_RATIO) % 1.0
    saturation = (0.85, 0.6, 0.95)[track_id // 8 % 3]
    value = (1.0, 0.9, 0.75)[track_id // 8 % 3]
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def frame_objects(
    instances: VideoInstances, frame: int, classes: Sequence[str], *, scores: bool = True
) -> list[FrameObject]:
    """The tubes that are visible in one frame, highest score first, labelled ``class #id 0.87``.

    Args:
        instances: the video's tubes.
        frame: 0-based index of the frame.
        classes: class names by label.
        scores: whether the labels state the score (annotations have none).
    """
    objects = []
    for n in np.argsort(-np.asarray(instances.scores), kind='stable'):
        rle = instances.masks[n][frame] if frame < len(instances.masks[n]) else None
        if rle is None:
            continue
        label = f'{classes[instances.labels[n]]} #{instances.track_ids[n]}'
        if scores:
            label += f' {instances.scores[n]:.2f}'
        objects.append(FrameObject(rle, int(instances.track_ids[n]), label))
    return objects


def draw_objects(
    image: np.ndarray,
    objects: Sequence[FrameObject],
    scale: int = 1,
    text_size: int | None = None,
) -> np.ndarray:
    """Draw objects on a copy of a frame.

    The first object lies on top. Objects that share a track (one query under two classes) are
    filled once and labelled each.

    Args:
        image: RGB uint8, (H, W, 3).
        objects: what to draw; masks have the frame's size.
        scale: enlarge the drawing by this factor; labels on frames of fewer than about 300
            pixels are hard to read otherwise.
        text_size: height of the labels in pixels of the drawing (default: by its size).

    Returns:
        RGB uint8, (H * scale, W * scale, 3).
    """
    height, width = image.shape[0] * scale, image.shape[1] * scale
    if scale > 1:
        canvas = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    else:
        canvas = image.copy()
    anchors = []
    filled: set[int] = set()
    for item in reversed(objects):
        x, y, mask = crop_mask(item.mask)
        if not mask.any():
            continue
        if scale > 1:
            mask = cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
        _fill(canvas, mask, x * scale, y * scale, item.track_id, opaque=item.track_id in filled)
        filled.add(item.track_id)
        anchors.append((item, _top(mask, x * scale, y * scale), mask.shape[0]))
    _draw_labels(canvas, anchors[::-1], text_size or font_size(canvas.shape))
    return canvas


def crop_mask(rle: dict) -> tuple[int, int, np.ndarray]:
    """Decode a mask within its bounding box only.

    Returns:
        Left column, top row, and the uint8 mask (h, w) of the box; an empty mask is (0, 0).
    """
    x, y, width, height = (int(value) for value in mask_api.toBbox(rle))
    mask = mask_api.decode(rle)[y : y + height, x : x + width]
    return x, y, np.ascontiguousarray(mask)


def upscaling(size: tuple[int, int]) -> int:
    """The smallest integer factor that makes labels legible on frames of ``size`` (H, W)."""
    return max(1, -(-400 // max(size)))


def _fill(
    canvas: np.ndarray, mask: np.ndarray, x: int, y: int, track_id: int, *, opaque: bool
) -> None:
    height, width = mask.shape
    color = track_color(track_id)
    box = canvas[y : y + height, x : x + width]
    if not opaque:
        tint = np.full_like(box, color)
        tint = cv2.addWeighted(tint, MASK_OPACITY, box, 1 - MASK_OPACITY, 0)
        cv2.copyTo(tint, mask, box)
    contours, _ = cv2.findContours(
        np.pad(mask, 1), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=(x - 1, y - 1)
    )
    thickness = max(1, round(min(canvas.shape[:2]) / 360))
    cv2.drawContours(canvas, contours, -1, color, thickness, cv2.LINE_AA)


def _top(mask: np.ndarray, x: int, y: int) -> tuple[int, int]:
    row = int(mask.any(axis=1).argmax())
    return x + int(np.flatnonzero(mask[row]).mean()), y + row


def _draw_labels(
    canvas: np.ndarray, anchors: list[tuple[FrameObject, tuple[int, int], int]], size: int
) -> None:
    taken: list[tuple[int, int, int, int]] = []
    for item, (x, y), mask_height in anchors:
        if not item.label:
            continue
        text = render_text(item.label, size)
        height, width = text.shape
        left = min(max(0, x - width // 2), max(0, canvas.shape[1] - width))
        top = _free_row(left, y, width, height, mask_height, canvas.shape[0], taken)
        taken.append((left, top, left + width, top + height))
        color = track_color(item.track_id)
        _paste(canvas, text, left, top, color)


def _free_row(
    left: int,
    y: int,
    width: int,
    height: int,
    mask_height: int,
    canvas_height: int,
    taken: list[tuple[int, int, int, int]],
) -> int:
    """Row for a label: above the mask, else inside its top, else below it, else the next free."""
    last = max(0, canvas_height - height)
    wanted = [y - height - 1, y + 1, y + mask_height + 1]
    rows = [row for row in wanted if 0 <= row <= last]
    rows += sorted(range(0, last + 1, max(1, height // 2)), key=lambda row: abs(row - y))
    for row in rows:
        if not any(
            left < x2 and x1 < left + width and row < y2 and y1 < row + height
            for x1, y1, x2, y2 in taken
        ):
            return row
    return rows[0]


def _paste(
    canvas: np.ndarray, text: np.ndarray, left: int, top: int, color: tuple[int, int, int]
) -> None:
    region = canvas[top : top + text.shape[0], left : left + text.shape[1]]
    opacity = text[: region.shape[0], : region.shape[1], None] / 255.0
    luminance = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    ink = 0.0 if luminance > 120 else 255.0
    region[:] = (np.array(color) * (1 - opacity) + ink * opacity).round()


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
