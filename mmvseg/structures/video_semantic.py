"""The result of video semantic segmentation: a class for every pixel."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from .coded_maps import SelectedMaps


@dataclass(repr=False)
class VideoSemantic:
    """Classes of one video.

    Attributes:
        maps: 0-based class index of each pixel of each frame at the original resolution, T maps
            (H, W) uint8, or uint16 for more than 256 classes. Other values are of no class.
    """

    maps: Sequence[np.ndarray]

    def __repr__(self) -> str:
        return f'VideoSemantic({len(self.maps)} frames)'

    def of_labels(self, labels: Collection[int]) -> 'VideoSemantic':
        """These class indices alone; pixels of other classes are of none."""
        return VideoSemantic(SelectedMaps(self.maps, labels))
