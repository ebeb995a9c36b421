"""What the collectors of all tasks share: queries arrive frame by frame, results come at the end.

The published programs average the class logits of a query over the whole video before they choose
what to report, so masks wait until then; see :mod:`.frame_store` for how little that costs.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from mmvseg.structures import VideoResult

from .class_scores import RunningMean, class_probabilities
from .frame_store import Codec, FrameStore
from .query_masks import FrameGeometry


class QueryCollector(ABC):
    """Gathers one video.

    Args:
        geometry: sizes of its frames.
        memory_limit: bytes of what is kept of frames that stay in memory.
        codec: how it is written to disk, and becomes mask logits of some queries.
    """

    def __init__(self, geometry: FrameGeometry, memory_limit: int, codec: Codec) -> None:
        self.geometry = geometry
        self.mean = RunningMean()
        self.masks = FrameStore(memory_limit, codec)

    def add(self, class_logits: Tensor, kept: Tensor) -> None:
        """Take the next T frames.

        Args:
            class_logits: (T, Q, K + 1).
            kept: mask logits (T, Q, h, w), or what the codec makes them of, (T, ...).
        """
        self.mean.add(class_logits)
        for frame in kept:
            self.masks.append(frame)

    @abstractmethod
    def add_live(
        self, class_logits: Tensor, mask_embeds: Tensor, mask_features: Tensor
    ) -> VideoResult:
        """Take the next frame and report it at once, by the mean of the frames so far.

        Args:
            class_logits: (Q, K + 1).
            mask_embeds: (Q, C).
            mask_features: (C, h, w); nothing of it is kept.

        Returns:
            The result of this one frame.
        """

    @abstractmethod
    def result(self) -> VideoResult:
        """The result of the whole video."""

    def class_probs(self) -> Tensor:
        """Class probabilities of the frames so far, (Q, K + 1)."""
        return class_probabilities(self.mean.value)


def decode_masks(mask_embeds: Tensor, mask_features: Tensor) -> Tensor:
    """Mask logits (n, h, w) of a frame's queries (n, C) and features (C, h, w)."""
    return torch.einsum('nc,chw->nhw', mask_embeds, mask_features)
