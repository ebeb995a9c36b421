"""A window: the consecutive frames of one video that inference receives at a time."""

from dataclasses import dataclass

from torch import Tensor

from .video_data_sample import VideoDataSample


@dataclass(repr=False)
class VideoWindow:
    """Consecutive frames of one video, decoded and resized but not yet normalised.

    Attributes:
        frames: uint8 RGB, (T, 3, H, W), all of one size.
        sample: where the frames come from; its meta information holds ``frame_ids``, ``is_first``,
            ``is_last``, ``ori_shape``, ``img_shape`` and ``scale_factor``.
    """

    frames: Tensor
    sample: VideoDataSample

    def __repr__(self) -> str:
        return f'VideoWindow({tuple(self.frames.shape)}, {self.sample!r})'

    @property
    def is_first(self) -> bool:
        """Whether the window opens its video."""
        return self.sample.is_first

    @property
    def is_last(self) -> bool:
        """Whether the window ends its video."""
        return self.sample.is_last
