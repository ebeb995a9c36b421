"""The result of video semantic segmentation: a class for every pixel."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(repr=False)
class VideoSemantic:
    """Classes of one video.

    Attributes:
        maps: 0-based class index of each pixel of each frame at the original resolution, T maps
            (H, W) uint8, or uint16 for more than 256 classes.
    """

    maps: Sequence[np.ndarray]

    def __repr__(self) -> str:
        return f'VideoSemantic({len(self.maps)} frames)'
