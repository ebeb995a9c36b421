"""Video instance segmentation from queries that arrive frame by frame."""

import numpy as np
from torch import Tensor

from mmvseg.structures import VideoInstances
from mmvseg.structures.tube_stitching import TubeStitcher

from .class_scores import RunningMean, class_probabilities
from .frame_store import Codec, FrameStore, MaskCodec
from .query_collector import QueryCollector, decode_masks
from .query_masks import FrameGeometry, encode_video
from .tube_limits import TubeLimits
from .vis import select_top


class VISCollector(QueryCollector):
    """Gathers one video, of which the best tubes are reported.

    Args:
        geometry: sizes of its frames.
        max_per_video: (query, class) pairs to report.
        memory_limit: bytes of what is kept of frames that stay in memory.
        codec: see :class:`QueryCollector`; None if mask logits are kept.
    """

    def __init__(
        self,
        geometry: FrameGeometry,
        max_per_video: int,
        memory_limit: int,
        codec: Codec | None = None,
    ) -> None:
        super().__init__(geometry, memory_limit, codec or MaskCodec())
        self.max_per_video = max_per_video

    def add_live(
        self, class_logits: Tensor, mask_embeds: Tensor, mask_features: Tensor
    ) -> VideoInstances:
        """The best (query, class) pairs so far, as tubes of this one frame."""
        self.mean.add(class_logits[None])
        scores, queries, labels = self._select()
        mask_logits = decode_masks(mask_embeds[queries], mask_features)
        frame_masks = encode_video([mask_logits], self.geometry)
        return to_instances(scores, queries, labels, frame_masks)

    def result(self) -> VideoInstances:
        """The video's best (query, class) pairs by descending score."""
        scores, queries, labels = self._select()
        frame_masks = encode_video(self.masks.frames(queries), self.geometry)
        return to_instances(scores, queries, labels, frame_masks)

    def _select(self) -> tuple[Tensor, Tensor, Tensor]:
        return select_top(self.class_probs()[:, :-1], self.max_per_video)


class VISStretchCollector(QueryCollector):
    """Gathers one video, of which all tubes are reported, with scores of stretches of frames.

    A query that is an object for a moment only would have a low score over a long video. Masks are
    coded at the end of each stretch, so the frames of one are all that is kept.

    Args:
        geometry: sizes of its frames.
        limits: of the tubes of a stretch.
        stretch_frames: frames of a stretch.
        memory_limit: bytes of what is kept of frames that stay in memory.
        codec: see :class:`QueryCollector`; None if mask logits are kept.
    """

    def __init__(
        self,
        geometry: FrameGeometry,
        limits: TubeLimits,
        stretch_frames: int,
        memory_limit: int,
        codec: Codec | None = None,
    ) -> None:
        super().__init__(geometry, memory_limit, codec or MaskCodec())
        self._limits, self._stretch_frames = limits, stretch_frames
        self._memory_limit = memory_limit
        self._tubes = TubeStitcher()
        self._recent = RunningMean(stretch_frames)

    def add(self, class_logits: Tensor, kept: Tensor) -> None:
        """Take the next T frames, see :meth:`QueryCollector.add`."""
        for frame_class_logits, frame in zip(class_logits, kept, strict=True):
            if self.mean.count == self._stretch_frames:
                self._end_stretch()
            super().add(frame_class_logits[None], frame[None])

    def add_live(
        self, class_logits: Tensor, mask_embeds: Tensor, mask_features: Tensor
    ) -> VideoInstances:
        """Pairs by the mean of about one stretch up to this frame, as tubes of this frame."""
        self._recent.add(class_logits[None])
        probs = class_probabilities(self._recent.value)
        scores, queries, labels = self._limits.select(probs[:, :-1])
        mask_logits = decode_masks(mask_embeds[queries], mask_features)
        return to_instances(scores, queries, labels, encode_video([mask_logits], self.geometry))

    def result(self) -> VideoInstances:
        """All tubes by descending score: the mean over the stretches that report them."""
        self._end_stretch()
        return self._tubes.result()

    def _end_stretch(self) -> None:
        scores, queries, labels = self._limits.select(self.class_probs()[:, :-1])
        frame_masks = encode_video(self.masks.frames(queries), self.geometry)
        self._tubes.add_by_identity(to_instances(scores, queries, labels, frame_masks))
        self.mean = RunningMean()
        self.masks = FrameStore(self._memory_limit, self.masks.codec)


def to_instances(
    scores: Tensor, queries: Tensor, labels: Tensor, frame_masks: list[list[dict]]
) -> VideoInstances:
    """Tubes of selected queries.

    Args:
        scores: (n,).
        queries: their numbers become the track ids, (n,).
        labels: class indices, (n,).
        frame_masks: T lists of n run-length codes.
    """
    return VideoInstances(
        scores=scores.cpu().numpy(),
        labels=labels.cpu().numpy(),
        masks=[list(tube) for tube in zip(*frame_masks, strict=True)],
        track_ids=np.asarray(queries.cpu()),
    )
