"""What every video segmentation model offers: a loss on clips, a stream over windows."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from mmengine.model import BaseModel
from torch import Tensor

from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample, VideoWindow


class VideoSegmentor(BaseModel):
    """Base of the models that a config names.

    Training runs ``loss`` on clips. Inference runs ``stream`` on windows and knows no other path:
    a sub-class says how a video begins, advances by a window and finishes, and keeps everything
    that it has to remember between windows in the state object that these three share.
    """

    #: Whether a video's result needs all of its frames (False: results are final per window).
    needs_whole_video: bool = True

    def __init__(self, data_preprocessor: dict | None = None, init_cfg: dict | None = None) -> None:
        # Built here, since mmengine would look for it outside mmvseg's registry.
        preprocessor = MODELS.build(data_preprocessor) if data_preprocessor else None
        super().__init__(preprocessor, init_cfg)

    def forward(
        self, inputs: Tensor, data_samples: list[VideoDataSample] | None = None, mode: str = 'loss'
    ) -> dict[str, Tensor] | Any:
        """mmengine's entry point.

        Args:
            inputs: normalised and padded clips, (B, T, 3, H, W).
            data_samples: B samples with annotations.
            mode: ``loss``, or ``tensor`` for the raw outputs of the network.

        Raises:
            ValueError: for ``mode='predict'``: inference takes windows, see :meth:`stream`.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'tensor':
            return self.raw_outputs(inputs)
        raise ValueError(f"mode {mode!r}: use 'loss' or 'tensor'; inference is stream(windows)")

    @abstractmethod
    def loss(self, inputs: Tensor, data_samples: list[VideoDataSample]) -> dict[str, Tensor]:
        """Losses by name, each already weighted, of clips (B, T, 3, H, W)."""

    @abstractmethod
    def raw_outputs(self, inputs: Tensor) -> Any:
        """What the network computes for clips (B, T, 3, H, W), before any post-processing."""

    @abstractmethod
    def begin(self, sample: VideoDataSample) -> Any:
        """The state of a video before its first window."""

    @abstractmethod
    def advance(self, state: Any, window: VideoWindow) -> None:
        """Take the next window of the video into ``state``."""

    @abstractmethod
    def finish(self, state: Any) -> VideoDataSample:
        """The video's result, as the ``pred`` of a sample."""

    def stream(self, windows: Iterable[VideoWindow]) -> Iterator[VideoDataSample]:
        """Segment videos from their windows; the windows of one video follow each other.

        Args:
            windows: in order of time; ``is_first`` opens a video, ``is_last`` ends it.

        Yields:
            One sample a video, as soon as it is done, with the result in ``pred``.
        """
        state = None
        for window in windows:
            if window.is_first:
                state = self.begin(window.sample)
            self.advance(state, window)
            if window.is_last:
                yield self.finish(state)
                state = None

    def predict(self, windows: Iterable[VideoWindow]) -> list[VideoDataSample]:
        """:meth:`stream`, collected."""
        return list(self.stream(windows))
