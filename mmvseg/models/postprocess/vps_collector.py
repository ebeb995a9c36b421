"""Video panoptic segmentation from queries that arrive frame by frame."""

import numpy as np
from torch import Tensor

from mmvseg.structures import VideoPanoptic

from .frame_store import Codec, RawCodec
from .query_collector import QueryCollector, decode_masks
from .query_masks import FrameGeometry
from .vps import Candidates, PanopticRules, claim_pixels, make_segments, segment_video


class VPSCollector(QueryCollector):
    """Gathers one video.

    Args:
        geometry: sizes of its frames.
        rules: which queries become segments.
        memory_limit: bytes of what is kept of frames that stay in memory.
        codec: see :class:`QueryCollector`; None if mask logits are kept.
    """

    def __init__(
        self,
        geometry: FrameGeometry,
        rules: PanopticRules,
        memory_limit: int,
        codec: Codec | None = None,
    ) -> None:
        super().__init__(geometry, memory_limit, codec or RawCodec())
        self.rules = rules
        self._live_areas: np.ndarray | None = None  # (Q, 3), over the frames so far

    def add_live(
        self, class_logits: Tensor, mask_embeds: Tensor, mask_features: Tensor
    ) -> VideoPanoptic:
        """The segments of this one frame.

        As for a whole video, a query is judged by all of its pixels so far: a thing that is hidden
        for a moment does not flicker.
        """
        self.mean.add(class_logits[None])
        candidates = self._candidates()
        mask_logits = decode_masks(mask_embeds[candidates.queries], mask_features)
        winner, areas = claim_pixels(mask_logits, candidates.scores, self.geometry)
        num_queries, queries = len(class_logits), candidates.queries.cpu().numpy()
        if self._live_areas is None:
            self._live_areas = np.zeros((num_queries, 3), np.int64)
        self._live_areas[queries] += areas.cpu().numpy()
        segments, ids = make_segments(
            candidates, self._live_areas[queries], self.rules, num_queries
        )
        return VideoPanoptic(segments, [ids[winner]])

    def result(self) -> VideoPanoptic:
        """The segments of the video, by ascending query."""
        candidates = self._candidates()
        frames = self.masks.frames(candidates.queries)
        return segment_video(candidates, frames, self.geometry, self.rules)

    def _candidates(self) -> Candidates:
        return Candidates.select(self.class_probs(), self.rules.object_mask_threshold)
