"""Predictions whose mask features are made when they are needed, and not kept."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmvseg.models.precision import full_precision

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

    upscale: nn.Module

    def mask_logits(self, image: int, queries: Tensor | None = None) -> Tensor:
        """Mask logits of some queries (all if None), never in half precision, (n, h', w')."""
        embeds = self.mask_embeds[image, 0]
        if queries is not None:
            embeds = embeds[queries]
        features = self.mask_features[image]  # (1, C, h, w)
        if torch.is_grad_enabled():
            return checkpoint(self._masks, embeds, features, use_reentrant=False)
        return self._masks(embeds, features)

    def _masks(self, embeds: Tensor, features: Tensor) -> Tensor:
        upscaled = self.upscale(features)[0]
        with torch.autocast(embeds.device.type, enabled=False):
            return torch.einsum('nc,chw->nhw', full_precision(embeds), full_precision(upscaled))
