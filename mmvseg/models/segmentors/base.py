"""What every video segmentation model offers: a loss on clips, a stream over windows."""

import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from mmengine.model import BaseModel
from torch import Tensor

from mmvseg.errors import UserError, counted
from mmvseg.models.postprocess.tube_limits import TubeLimits
from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample, VideoResult, VideoWindow

from .window_order import UnfinishedVideoWarning, WindowOrder


class VideoSegmentor(BaseModel):
    """Base of the models that a config names.

    Training runs ``loss`` on clips. Inference runs ``stream`` on windows and knows no other path:
    a sub-class says how a video begins, advances by a window and finishes, and keeps everything
    that it has to remember between windows in the state object that these three share. A model
    that can report a frame before it has seen the next also has ``live``.
    """

    #: Whether nothing can be said before a video's last frame; False for models with
    #: :meth:`.VideoSegmentor.live`.
    needs_whole_video: bool = True
    #: Its results are instances (``vis``), panoptic segments (``vps``) or classes of pixels
    #: (``vss``).
    task: str = 'vis'

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
            UserError: the model has no preprocessor that makes a batch of the clips.
            ValueError: for ``mode='predict'``: inference takes windows, see :meth:`stream`.
        """
        if not isinstance(inputs, Tensor):
            raise UserError(
                'model.data_preprocessor: makes no batch of the clips; '
                "dict(type='VideoDataPreprocessor', mean=..., std=...) does"
            )
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

    def advance_live(self, state: Any, window: VideoWindow) -> list[VideoResult]:
        """Take the next window into ``state``, for models with ``needs_whole_video = False``.

        The state must not grow with the length of the video.

        Returns:
            The result of each of the window's frames on its own. Ids are stable over the video.
        """
        raise NotImplementedError(f'{type(self).__name__} does not need the whole video')

    def report_all(self) -> None:
        """Report all objects of a video of any length, for a person, instead of a benchmark's best.

        Nothing changes where ``test_cfg.max_per_stretch`` says how many.
        """
        settings = getattr(self, 'test_cfg', None)
        if isinstance(settings, TubeLimits):
            self.test_cfg = settings.settled()

    def stream(self, windows: Iterable[VideoWindow]) -> Iterator[VideoDataSample]:
        """Segment videos from their windows; the windows of one video follow each other.

        Args:
            windows: in order of time; ``is_first`` opens a video, ``is_last`` ends it.

        Yields:
            One sample a video, as soon as it is done, with the result in ``pred``. A video whose
            last window never comes is finished, with an ``UnfinishedVideoWarning``, when the next
            one begins or the windows end: the result covers the frames that came.

        Raises:
            UserError: for a window that does not continue its video, or changes its frame size.
        """
        order, state = WindowOrder(), None
        for window in windows:
            if window.is_first and state is not None:
                yield self._finish_early(state, order)
            order.check(window)
            if window.is_first:
                state = self.begin(window.sample)
            self.advance(state, window)
            if window.is_last:
                yield self.finish(state)
                state = None
        if state is not None:
            yield self._finish_early(state, order)

    def live(self, windows: Iterable[VideoWindow]) -> Iterator[tuple[int, VideoResult]]:
        """Report every frame as soon as its window is there, whatever comes later.

        Scores are those of the frames so far, so they differ from the final ones of
        :meth:`stream`. Nothing marks the end: windows may stop coming at any time.

        Args:
            windows: as of :meth:`stream`; windows of one frame give the shortest delay.

        Returns:
            An iterator over the index of each frame in its video and its result, that of a video
            of one frame. Ids are stable over the video.

        Raises:
            UserError: if the model needs the whole video; while iterating, as :meth:`stream`.
        """
        if self.needs_whole_video:
            raise UserError(
                f'{type(self).__name__} needs the whole video before it can report a frame; '
                'MinVIS, DVISOnline, VidEoMT and PMT can segment live'
            )
        return self._live(windows)

    def _live(self, windows: Iterable[VideoWindow]) -> Iterator[tuple[int, VideoResult]]:
        order, state = WindowOrder(), None
        for window in windows:
            order.check(window)
            if window.is_first:
                state = self.begin(window.sample)
            frames = self.advance_live(state, window)
            yield from zip(window.sample.frame_ids, frames, strict=True)

    def _finish_early(self, state: Any, order: WindowOrder) -> VideoDataSample:
        warnings.warn(
            f'video {order.video_name!r}: ended after {counted(order.num_frames, "frames")} '
            'without its last window; the result covers these frames',
            UnfinishedVideoWarning,
            stacklevel=3,
        )
        return self.finish(state)

    def predict(self, windows: Iterable[VideoWindow]) -> list[VideoDataSample]:
        """:meth:`stream`, collected."""
        return list(self.stream(windows))
