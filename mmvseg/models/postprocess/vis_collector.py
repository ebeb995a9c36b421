"""Video instance segmentation from queries that arrive frame by frame."""

import numpy as np
from torch import Tensor

from mmvseg.structures import VideoInstances

from .frame_store import MaskCodec
from .query_collector import QueryCollector, decode_masks
from .query_masks import FrameGeometry, encode_video
from .vis import select_top


class VISCollector(QueryCollector):
    """Gathers one video.

    Args:
        geometry: sizes of its frames.
        max_per_video: (query, class) pairs to report.
        memory_limit: bytes of mask logits that stay in memory.
    """

    def __init__(self, geometry: FrameGeometry, max_per_video: int, memory_limit: int) -> None:
        super().__init__(geometry, memory_limit, MaskCodec())
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
