"""Semantic results drawn on frames: every class in its colour, with a legend below."""

from collections.abc import Sequence

import numpy as np

from mmvseg.structures import VideoSemantic

from .legend import Legend
from .overlay import enlarge
from .regions import draw_regions, enlarge_regions
from .text import DEFAULT_STYLE, DrawingStyle

Color = tuple[int, int, int]


def class_areas(class_map: np.ndarray, num_classes: int) -> np.ndarray:
    """Pixels of each class in a map, (num_classes,); values beyond are no class.

    Args:
        class_map: 0-based class index of each pixel, (H, W).
        num_classes: how many classes there are.
    """
    return np.bincount(class_map.ravel(), minlength=num_classes)[:num_classes]


def by_area(areas: np.ndarray) -> list[int]:
    """The classes that occur, the largest first; ``areas`` is (num_classes,)."""
    order = np.argsort(-areas, kind='stable')
    return [int(label) for label in order if areas[label]]


class SemanticPainter:
    """Draws the frames of one video; values that are no class index stay as they are.

    Args:
        classes: class names by class index.
        palette: RGB by class index.
        style: scale, text size, and whether there is a legend.
        listed: the classes of the legend, most important first, e.g. those of the whole video
            :func:`by_area`; by default it grows with the frames.

    Example:
        >>> painter = SemanticPainter(['sky', 'sea'], [(0, 90, 200), (0, 60, 90)])
        >>> result = VideoSemantic([np.zeros((90, 160), np.uint8)])
        >>> painter.draw(np.zeros((90, 160, 3), np.uint8), result, 0).shape[1]
        160
    """

    def __init__(
        self,
        classes: Sequence[str],
        palette: Sequence[Color],
        style: DrawingStyle = DEFAULT_STYLE,
        listed: Sequence[int] | None = None,
    ) -> None:
        self._classes, self._palette, self._style = classes, palette, style
        self._listed, self._legend = listed, None

    def draw(self, image: np.ndarray, result: VideoSemantic, frame: int) -> np.ndarray:
        """Draw a frame.

        Args:
            image: RGB uint8, (H, W, 3); all frames of a video have one size.
            result: classes of the video.
            frame: index of the frame's map.

        Returns:
            RGB uint8, (H * scale + the legend's height, W * scale, 3).
        """
        class_map = result.maps[frame]
        areas = class_areas(class_map, len(self._classes))
        # Region numbers are class indices + 1; void is 0, whatever its value was.
        regions = np.where(class_map < len(self._classes), class_map.astype(np.uint16) + 1, 0)
        picture = draw_regions(
            enlarge(image, self._style.scale),
            enlarge_regions(regions.astype(np.uint16), self._style.scale),
            np.array(self._palette),
        )
        if not self._style.legend:
            return picture
        if self._legend is None:
            size = self._style.text_size_on(picture)
            self._legend = Legend(
                self._classes, self._palette, picture.shape[1], size, self._listed
            )
        return np.concatenate([picture, self._legend.draw(by_area(areas))])
