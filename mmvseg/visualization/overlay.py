"""Objects drawn on frames with OpenCV: mask, contour and label in the track's own colour."""

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import cv2
import numpy as np
from pycocotools import mask as mask_api

from .labels import Label, LabelPainter, anchor_of
from .text import font_size

if TYPE_CHECKING:
    from mmvseg.structures import VideoInstances

GOLDEN_RATIO = 0.618033988749895
MASK_OPACITY = 0.45

Color = tuple[int, int, int]
#: No track has a colour but its own.
NO_COLORS: Mapping[int, Color] = MappingProxyType({})


@dataclass(frozen=True)
class FrameObject:
    """What one frame shows of a track.

    Attributes:
        mask: COCO run-length code at the frame's size.
        track_id: identity; decides the colour where none is given.
        label: text beside the mask; empty for none.
        color: RGB; None for that of the track.
    """

    mask: dict
    track_id: int
    label: str = ''
    color: Color | None = None

    @property
    def shown_color(self) -> Color:
        """``color``, settled."""
        return track_color(self.track_id) if self.color is None else self.color


def track_color(track_id: int) -> Color:
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
    instances: 'VideoInstances',
    frame: int,
    classes: Sequence[str],
    *,
    scores: bool = True,
    colors: Mapping[int, Color] = NO_COLORS,
) -> list[FrameObject]:
    """The tubes that are visible in one frame, highest score first, labelled ``class #id 0.87``.

    Args:
        instances: the video's tubes.
        frame: 0-based index of the frame.
        classes: class names by label.
        scores: whether the labels state the score (annotations have none).
        colors: RGB by track id; other tracks have their own.

    Example:
        >>> [found.label for found in frame_objects(result.pred.above(0.5), 0, result.classes)]
        ['square #7 1.00', 'ring #1 0.98', 'star #0 0.96', 'cross #5 0.94']
    """
    objects = []
    for n in np.argsort(-np.asarray(instances.scores), kind='stable'):
        rle = instances.masks[n][frame] if frame < len(instances.masks[n]) else None
        if rle is None:
            continue
        track_id = int(instances.track_ids[n])
        label = f'{classes[instances.labels[n]]} #{track_id}'
        if scores:
            label += f' {instances.scores[n]:.2f}'
        objects.append(FrameObject(rle, track_id, label, colors.get(track_id)))
    return objects


def draw_objects(
    image: np.ndarray,
    objects: Sequence[FrameObject],
    scale: int = 1,
    text_size: int | None = None,
    label_painter: LabelPainter | None = None,
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
        label_painter: draws the labels of this video's frames; None for a single picture.

    Returns:
        RGB uint8, (H * scale, W * scale, 3).

    Example:
        >>> from mmvseg.media import open_source
        >>> frame = next(iter(open_source(CLIP))).image
        >>> objects = frame_objects(result.pred.above(0.5), 0, result.classes)
        >>> drawn = draw_objects(frame, objects, scale=2)
        >>> drawn.shape
        (576, 768, 3)
    """
    canvas = enlarge(image, scale)
    labels = []
    filled: set[int] = set()
    for item in reversed(objects):
        x, y, mask = crop_mask(item.mask)
        if not mask.any():
            continue
        if scale > 1:
            mask = cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
        color = item.shown_color
        _fill(canvas, mask, x * scale, y * scale, color, opaque=item.track_id in filled)
        filled.add(item.track_id)
        if item.label:
            (x1, y1, x2, y2), top = anchor_of(mask)
            left, upper = x * scale, y * scale
            box = left + x1, upper + y1, left + x2, upper + y2
            labels.append(Label(item.label, color, left + top, box=box, key=item.track_id))
    painter = label_painter or LabelPainter()
    painter.draw(canvas, labels[::-1], text_size or font_size(canvas.shape))
    return canvas


def enlarge(image: np.ndarray, scale: int) -> np.ndarray:
    """A copy of a picture (H, W, 3), ``scale`` times as large."""
    if scale == 1:
        return image.copy()
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def crop_mask(rle: dict) -> tuple[int, int, np.ndarray]:
    """Decode a mask within its bounding box only.

    Returns:
        Left column, top row, and the uint8 mask (h, w) of the box; an empty mask is (0, 0).
    """
    x, y, width, height = (int(value) for value in mask_api.toBbox(rle))
    mask = mask_api.decode(rle)[y : y + height, x : x + width]
    return x, y, np.ascontiguousarray(mask)


def _fill(
    canvas: np.ndarray, mask: np.ndarray, x: int, y: int, color: Color, *, opaque: bool
) -> None:
    height, width = mask.shape
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
