"""What a query-based segmenter says of single frames, and all that tracking needs of them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .clip_queries import ClipQueries


@dataclass
class FrameQueries:
    """Queries of N frames, each frame on its own.

    Attributes:
        class_logits: the last column is "no object", (N, Q, K + 1).
        mask_embeds: their dot product with ``mask_features`` gives mask logits, (N, Q, C).
        query_embeds: normalised output of the last decoder layer, by which queries are compared
            between frames, (N, Q, C).
        mask_features: at a quarter of the padded frame's size, (N, C, h, w).
    """

    class_logits: Tensor
    mask_embeds: Tensor
    query_embeds: Tensor
    mask_features: Tensor

    def mask_logits(self) -> Tensor:
        """Mask logits of all queries before the sigmoid, (N, Q, h, w)."""
        return torch.einsum('nqc,nchw->nqhw', self.mask_embeds, self.mask_features)

    def unflatten(self, clips: tuple[int, int]) -> ClipQueries:
        """The same of ``clips``: B clips of T frames, N = B * T."""
        return ClipQueries(
            class_logits=self.class_logits.unflatten(0, clips),
            mask_embeds=self.mask_embeds.unflatten(0, clips),
            query_embeds=self.query_embeds.unflatten(0, clips),
            mask_features=self.mask_features.unflatten(0, clips),
        )

    def reorder(self, order: Tensor) -> 'FrameQueries':
        """The queries of each frame in another order.

        Args:
            order: query ``order[n, k]`` of frame n becomes query k, (N, Q).
        """
        frames = torch.arange(len(order), device=order.device)[:, None]
        return FrameQueries(
            class_logits=self.class_logits[frames, order],
            mask_embeds=self.mask_embeds[frames, order],
            query_embeds=self.query_embeds[frames, order],
            mask_features=self.mask_features,
        )
