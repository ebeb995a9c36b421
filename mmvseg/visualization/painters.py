"""One way to draw frames, whatever the task."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from mmvseg.structures import VideoInstances, VideoResult

from .labels import LabelPainter
from .overlay import NO_COLORS, Color, draw_objects, frame_objects
from .overlay_panoptic import PanopticPainter
from .overlay_semantic import SemanticPainter
from .text import DEFAULT_STYLE, DrawingStyle


class Painter(Protocol):
    """Draws the frames of one video."""

    def draw(self, image: np.ndarray, result: VideoResult, frame: int) -> np.ndarray:
        """Draw what ``result`` says of its frame ``frame`` on a copy of ``image`` (H, W, 3)."""
        ...


class InstancePainter:
    """Draws the tubes of one video, frame by frame; see :func:`draw_objects`.

    Args:
        classes: class names by class index.
        style: scale, text size, and whether the labels state the score.
        colors: RGB by track id; other tracks have their own.
    """

    def __init__(
        self,
        classes: Sequence[str],
        style: DrawingStyle = DEFAULT_STYLE,
        colors: Mapping[int, Color] = NO_COLORS,
    ) -> None:
        self._classes, self._style, self._colors = classes, style, colors
        self._label_painter = LabelPainter()

    def draw(self, image: np.ndarray, result: VideoInstances, frame: int) -> np.ndarray:
        """Draw a frame.

        Args:
            image: RGB uint8, (H, W, 3).
            result: tubes of the video.
            frame: 0-based index of the frame.

        Returns:
            RGB uint8, (H * scale, W * scale, 3).
        """
        style = self._style
        objects = frame_objects(
            result, frame, self._classes, scores=style.scores, colors=self._colors
        )
        return draw_objects(image, objects, style.scale, style.text_size, self._label_painter)


def build_painter(
    task: str,
    metainfo: Mapping[str, Any],
    style: DrawingStyle = DEFAULT_STYLE,
    listed: Sequence[int] | None = None,
) -> Painter:
    """What draws the results of a task.

    Args:
        task: ``vis``, ``vps`` or ``vss``.
        metainfo: ``classes`` and ``palette``.
        style: of the drawing.
        listed: classes of the legend of ``vss``; None: it grows with the frames.

    Example:
        >>> painter = build_painter('vis', result.metainfo, DrawingStyle(scores=False))
        >>> painter.draw(np.zeros((288, 384, 3), np.uint8), result.pred, 0).shape
        (288, 384, 3)
    """
    classes, palette = metainfo['classes'], metainfo['palette']
    if task == 'vis':
        return InstancePainter(classes, style)
    if task == 'vps':
        return PanopticPainter(classes, palette, style)
    return SemanticPainter(classes, palette, style, listed)
