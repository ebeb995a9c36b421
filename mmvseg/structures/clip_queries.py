"""What a model says of clips, query by query, before any post-processing."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class ClipQueries:
    """Queries of B clips of T frames.

    Attributes:
        class_logits: the last column is "no object", (B, T, Q, K + 1).
        mask_embeds: their dot product with ``mask_features`` gives mask logits, (B, T, Q, C).
        query_embeds: identity of each query in each frame, (B, T, Q, C).
        mask_features: at a quarter of the padded frame's size, (B, T, C, h, w).
        online_class_logits: of the tracker, where a refiner follows it, (B, T, Q, K + 1).
    """

    class_logits: Tensor
    mask_embeds: Tensor
    query_embeds: Tensor
    mask_features: Tensor
    online_class_logits: Tensor | None = None

    def mask_logits(self) -> Tensor:
        """Mask logits before the sigmoid, (B, Q, T, h, w)."""
        return torch.einsum('btqc,btchw->bqthw', self.mask_embeds, self.mask_features)
