"""What MinVIS and DVIS online share: frames in order, each final when the next one comes."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from mmvseg.models.postprocess.frame_store import Codec
from mmvseg.models.postprocess.query_collector import QueryCollector
from mmvseg.models.postprocess.query_masks import FrameGeometry
from mmvseg.models.postprocess.vis_collector import VISCollector, VISStretchCollector
from mmvseg.models.postprocess.vps_collector import VPSCollector
from mmvseg.models.postprocess.vss_collector import VSSCollector
from mmvseg.structures import FrameQueries, VideoDataSample, VideoResult, VideoWindow

from .base import VideoSegmentor
from .inference_settings import OnlineTestConfig
from .memory_notice import announce_memory


@dataclass
class OnlineState:
    """What an online model remembers of a video between windows.

    Attributes:
        sample: meta information of the video.
        collector: the result so far.
        memory: what the model's tracking knows of the last frame; None before the first.
    """

    sample: VideoDataSample
    collector: QueryCollector
    memory: Any = None


class OnlineSegmentor(VideoSegmentor):
    """A segmentor whose query q is the same object in all frames, decided frame by frame."""

    needs_whole_video = False
    test_cfg: OnlineTestConfig

    @abstractmethod
    def track(self, state: OnlineState, window: VideoWindow) -> Iterator[FrameQueries]:
        """The queries of a window, a few frames at a time, in the order of the video's first frame.

        Args:
            state: its ``memory`` is brought up to date before each yield.
            window: the next frames.
        """

    @property
    def task(self) -> str:
        """``test_cfg.task``."""
        return self.test_cfg.task

    def begin(self, sample: VideoDataSample) -> OnlineState:
        """An empty state for the video of ``sample``; says so if it will take much memory."""
        geometry = FrameGeometry.of(sample, self.data_preprocessor.padded_shape(sample.img_shape))
        return OnlineState(sample, self._collector(geometry, sample))

    def _collector(self, geometry: FrameGeometry, sample: VideoDataSample) -> QueryCollector:
        settings = self.test_cfg
        memory_limit = int(settings.mask_memory_mb * 2**20)
        keeping = (memory_limit, self.codec(geometry, sample))
        if self.task == 'vis' and settings.by_stretches:
            return VISStretchCollector(geometry, settings, settings.stretch_frames, *keeping)
        self.announce(geometry, sample, memory_limit)
        if self.task == 'vis':
            return VISCollector(geometry, settings.max_per_video, *keeping)
        if self.task == 'vps':
            return VPSCollector(geometry, settings.panoptic_rules, *keeping)
        return VSSCollector(geometry, *keeping)

    def codec(self, geometry: FrameGeometry, sample: VideoDataSample) -> Codec | None:
        """For models that keep something else of a frame than the mask logits of all queries."""
        return None

    def announce(self, geometry: FrameGeometry, sample: VideoDataSample, memory_limit: int) -> None:
        """Say what the video will take, if it is much; mask logits of instances are coded small."""
        if self.task != 'vis':
            height, width = geometry.padded
            values = self.panoptic_head.query_feat.num_embeddings * (height // 4) * (width // 4)
            announce_memory(sample, 4 * values, memory_limit, 'mask logits', 'mask_memory_mb')

    @torch.no_grad()
    def advance(self, state: OnlineState, window: VideoWindow) -> None:
        """Track the window's frames and keep the masks of all queries."""
        for queries in self.track(state, window):
            state.collector.add(queries.class_logits, queries.mask_logits())

    @torch.no_grad()
    def advance_live(self, state: OnlineState, window: VideoWindow) -> list[VideoResult]:
        """Track the window's frames and report each by the class scores so far."""
        return [
            state.collector.add_live(class_logits, mask_embeds, mask_features)
            for queries in self.track(state, window)
            for class_logits, mask_embeds, mask_features in zip(
                queries.class_logits, queries.mask_embeds, queries.mask_features, strict=True
            )
        ]

    def finish(self, state: OnlineState) -> VideoDataSample:
        """The result of the video."""
        result = VideoDataSample(metainfo=state.sample.metainfo)
        result.pred = state.collector.result()
        return result
