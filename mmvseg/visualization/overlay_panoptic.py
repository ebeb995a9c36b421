"""Panoptic results drawn on frames: every segment filled, outlined and named."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from scipy import ndimage

from mmvseg.structures import Segment, VideoPanoptic

from .labels import Box, Label, LabelPainter, anchor_of
from .overlay import NO_COLORS, Color, enlarge, track_color
from .regions import draw_regions, enlarge_regions
from .text import DEFAULT_STYLE, DrawingStyle

#: Lines to which a map is reduced to find the inside of its segments.
_COARSE_LINES = 160
#: A label stays where it was while it is at least this fraction as far inside as it could be.
_LOYALTY = 0.6


def segment_color(segment: Segment, palette: Sequence[Color]) -> Color:
    """RGB of a segment: of a thing by its id alone, of stuff that of its class.

    Args:
        segment: of any video.
        palette: RGB by class index.
    """
    return track_color(segment.id) if segment.is_thing else tuple(palette[segment.label])


class PanopticPainter:
    """Draws the frames of one video, in order: labels of stuff keep their place where they can.

    Args:
        classes: class names by class index.
        palette: RGB by class index.
        style: scale, text size, and whether the labels of things state their score.
        colors: RGB by segment id, in the place of :func:`segment_color`.

    Example:
        >>> segments = [Segment(id=1, label=0, is_thing=False, score=0.9, query=0)]
        >>> result = VideoPanoptic(segments, [np.ones((90, 160), np.uint8)])
        >>> painter = PanopticPainter(['sky'], [(70, 130, 180)])
        >>> painter.draw(np.zeros((90, 160, 3), np.uint8), result, 0).shape
        (90, 160, 3)
    """

    def __init__(
        self,
        classes: Sequence[str],
        palette: Sequence[Color],
        style: DrawingStyle = DEFAULT_STYLE,
        colors: Mapping[int, Color] = NO_COLORS,
    ) -> None:
        self._classes, self._palette, self._style = classes, palette, style
        self._colors = colors
        self._places: dict[int, tuple[int, int]] = {}
        self._label_painter = LabelPainter()

    def draw(self, image: np.ndarray, result: VideoPanoptic, frame: int) -> np.ndarray:
        """Draw a frame; pixels of no segment in ``result.segments`` stay as they are.

        Args:
            image: RGB uint8, (H, W, 3).
            result: segments and maps of the video.
            frame: index of the frame's map.

        Returns:
            RGB uint8, (H * scale, W * scale, 3).
        """
        segment_map = result.maps[frame]
        found = result.segments_in(segment_map)
        segments = [segment for segment, _ in sorted(found, key=lambda item: -item[1])]
        numbers = np.zeros(int(segment_map.max()) + 1, np.uint16)
        numbers[[segment.id for segment in segments]] = np.arange(1, len(segments) + 1)
        regions = numbers[segment_map]
        colors = [self._color(segment) for segment in segments]
        scale = self._style.scale
        canvas = draw_regions(
            enlarge(image, scale), enlarge_regions(regions, scale), np.array(colors)
        )
        labels = self._labels(regions, segments)
        self._label_painter.draw(canvas, labels, self._style.text_size_on(canvas))
        return canvas

    def _labels(self, regions: np.ndarray, segments: Sequence[Segment]) -> list[Label]:
        """Things first: they move, and their numbers matter most."""
        things, stuff = [], []
        boxes = ndimage.find_objects(regions)
        step = max(1, min(regions.shape) // _COARSE_LINES)
        coarse = regions[::step, ::step]
        for number, segment in enumerate(segments, 1):
            color = self._color(segment)
            text = self._text(segment)
            if segment.is_thing:
                box, top = self._anchor(regions, number, boxes[number - 1])
                things.append(Label(text, color, top, box=box, key=segment.id))
            elif (place := self._inside(coarse == number, segment.id)) is not None:
                x, y = (round((value + 0.5) * step * self._style.scale) for value in place)
                stuff.append(Label(text, color, x, y))
        return things + stuff

    def _color(self, segment: Segment) -> Color:
        return self._colors.get(segment.id) or segment_color(segment, self._palette)

    def _text(self, segment: Segment) -> str:
        name = self._classes[segment.label]
        if not segment.is_thing:
            return name
        score = f' {segment.score:.2f}' if self._style.scores else ''
        return f'{name} #{segment.id}{score}'

    def _anchor(
        self, regions: np.ndarray, number: int, box: tuple[slice, slice]
    ) -> tuple[Box, int]:
        """Box of a region's largest part and its topmost column, in pixels of the drawing."""
        rows, columns = box
        (x1, y1, x2, y2), top = anchor_of(regions[box] == number)
        left, upper, scale = columns.start, rows.start, self._style.scale
        corners = left + x1, upper + y1, left + x2, upper + y2
        return tuple(value * scale for value in corners), (left + top) * scale

    def _inside(self, mask: np.ndarray, segment_id: int) -> tuple[int, int] | None:
        """Column and row deep inside the largest part of a mask, that of the last frame if any."""
        depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
        if not depth.any():
            return None
        last = self._places.get(segment_id)
        if last is None or depth[last[::-1]] < _LOYALTY * depth.max():
            row, column = np.unravel_index(depth.argmax(), depth.shape)
            self._places[segment_id] = int(column), int(row)
        return self._places[segment_id]
