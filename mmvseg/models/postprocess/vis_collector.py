"""Video instance segmentation from queries that arrive frame by frame.

The published programs average the class logits of a query over the whole video before they choose
what to report, so masks wait until then; see :mod:`.frame_store` for how little that costs.
"""

import numpy as np
import torch
from torch import Tensor

from mmvseg.structures import VideoInstances

from .frame_store import FrameStore, MaskCodec
from .query_masks import FrameGeometry, encode_query_masks
from .vis import select_top


class VISCollector:
    """Gathers one video.

    Args:
        geometry: sizes of its frames.
        max_per_video: (query, class) pairs to report.
        memory_limit: bytes of mask logits that stay in memory.
    """

    def __init__(self, geometry: FrameGeometry, max_per_video: int, memory_limit: int) -> None:
        self.geometry = geometry
        self.max_per_video = max_per_video
        self.mean = RunningMean()
        self.masks = FrameStore(memory_limit, MaskCodec())

    def add(self, class_logits: Tensor, mask_logits: Tensor) -> None:
        """Take the next T frames.

        Args:
            class_logits: (T, Q, K + 1).
            mask_logits: (T, Q, h, w).
        """
        self.mean.add(class_logits)
        for logits in mask_logits:
            self.masks.append(logits)

    def add_live(
        self, class_logits: Tensor, mask_embeds: Tensor, mask_features: Tensor
    ) -> VideoInstances:
        """Take the next frame and report it at once, by the mean of the frames so far.

        Args:
            class_logits: (Q, K + 1).
            mask_embeds: (Q, C).
            mask_features: (C, h, w); nothing of it is kept.

        Returns:
            Tubes of this one frame.
        """
        self.mean.add(class_logits[None])
        scores, queries, labels = select_top(class_scores(self.mean.value), self.max_per_video)
        mask_logits = torch.einsum('nc,chw->nhw', mask_embeds[queries], mask_features)
        frame_masks = [encode_query_masks(mask_logits, self.geometry)]
        return to_instances(scores, queries, labels, frame_masks)

    def result(self) -> VideoInstances:
        """The video's best (query, class) pairs by descending score."""
        scores, queries, labels = select_top(class_scores(self.mean.value), self.max_per_video)
        frame_masks = [
            encode_query_masks(self.masks.select(frame, queries), self.geometry)
            for frame in range(len(self.masks))
        ]
        return to_instances(scores, queries, labels, frame_masks)


class RunningMean:
    """Mean over frames of class logits (Q, K + 1), the same for any split into windows."""

    def __init__(self) -> None:
        self.count = 0
        self._sum: Tensor | None = None

    def add(self, class_logits: Tensor) -> None:
        """Take T frames, (T, Q, K + 1)."""
        for logits in class_logits.detach():
            self._sum = logits.double() if self._sum is None else self._sum + logits
            self.count += 1

    @property
    def value(self) -> Tensor:
        """The mean so far, float32, (Q, K + 1)."""
        return (self._sum / self.count).float()


def class_scores(class_logits: Tensor) -> Tensor:
    """Probabilities of the K classes, without "no object", from logits (..., Q, K + 1)."""
    return class_logits.float().softmax(-1)[..., :-1]


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
