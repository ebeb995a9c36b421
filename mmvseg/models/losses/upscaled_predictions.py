"""Predictions whose mask features are made when they are needed, and not kept."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .query_predictions import QueryPredictions


@dataclass
class UpscaledPredictions(QueryPredictions):
    """Predictions of a layer for I images of one frame each, whose features are upscaled on demand.

    The features of an image are made for its masks, dropped, and made again in the backward pass:
    of all images and layers only one has them at a time.

    Attributes:
        mask_features: before upscaling, (I, 1, C, h, w).
        upscale: makes them larger.
    """

    made_on_demand: ClassVar[bool] = True

    upscale: nn.Module

    def decode(self, embeds: Tensor, features: Tensor) -> Tensor:
        """Mask logits (n, h', w') of embeddings (1, n, C) and features (1, C, h, w)."""
        if torch.is_grad_enabled():
            return checkpoint(self._upscale_and_decode, embeds, features, use_reentrant=False)
        return self._upscale_and_decode(embeds, features)

    def _upscale_and_decode(self, embeds: Tensor, features: Tensor) -> Tensor:
        return super().decode(embeds, self.upscale(features))
