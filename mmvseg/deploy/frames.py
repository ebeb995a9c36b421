"""Frames as the networks take them, and the sizes that they go through."""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from mmvseg.errors import UserError

from .manifest import Input


@dataclass(frozen=True)
class FrameGeometry:
    """Sizes of a video's frames, (height, width) each.

    Attributes:
        original: of the video.
        resized: after resizing.
        padded: as the network takes them.
    """

    original: tuple[int, int]
    resized: tuple[int, int]
    padded: tuple[int, int]

    @classmethod
    def of(cls, original: tuple[int, int], settings: Input) -> 'FrameGeometry':
        """The sizes of a video of this size."""
        resized = _resized(original, settings.scale)
        padded = tuple(-(-side // settings.divisor) * settings.divisor for side in resized)
        return cls(tuple(original), resized, padded)


def require_size(geometry: FrameGeometry, settings: Input, video: str) -> None:
    """Refuse videos that a static network does not take.

    Raises:
        UserError: saying what it takes and how to export one for this video.
    """
    if settings.size is None or geometry.padded == tuple(settings.size):
        return
    height, width = geometry.original
    raise UserError(
        f'video {video!r}: frames of {height}x{width} (height x width) become '
        f'{_text(geometry.padded)} for the network, but the file was exported for '
        f'{_text(settings.size)}; export the model '
        f'with --size {height}x{width}, or with --dynamic for videos of any size'
    )


def prepare(image: np.ndarray, geometry: FrameGeometry, settings: Input) -> np.ndarray:
    """A frame as the input of a network.

    Args:
        image: RGB uint8, (H, W, 3).
        geometry: its sizes.
        settings: mean, deviation and filter.

    Returns:
        Normalised, then padded with zeros right and below, (3, height, width) float32.
    """
    if settings.scale is not None:
        image = _resize(image, geometry.resized, settings.backend)
    mean, std = (np.array(v, np.float32) for v in (settings.mean, settings.std))
    frame = np.zeros((3, *geometry.padded), np.float32)
    height, width = geometry.resized
    frame[:, :height, :width] = ((image.astype(np.float32) - mean) / std).transpose(2, 0, 1)
    return frame


def _resized(original: tuple[int, int], scale: tuple[int, int] | None) -> tuple[int, int]:
    """As large as fits: the longer side within the larger number, the shorter in the smaller."""
    if scale is None:
        return tuple(original)
    factor = min(max(scale) / max(original), min(scale) / min(original))
    height, width = (max(int(side * factor + 0.5), 1) for side in original)
    return height, width


def _resize(image: np.ndarray, size: tuple[int, int], backend: str) -> np.ndarray:
    if backend == 'cv2':
        return cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))


def _text(size: tuple[int, int]) -> str:
    return f'{size[0]}x{size[1]}'
