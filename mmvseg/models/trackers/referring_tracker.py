"""Referring tracker: carries queries from frame to frame (DVIS, section 3.2).

The published tracker applies the inverse of the permutation that it solves for; weights depend on
it, so it is the default (``alignment``).
"""

from dataclasses import dataclass

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvseg.registry import MODELS

from .query_layers import Attention, FeedForward, MaskEmbed, init_transformer
from .query_matching import align_queries, check_alignment

#: Added to the length of vectors in the published cosine.
_EPSILON = 1e-6


@dataclass
class TrackerState:
    """What the tracker knows after a frame.

    Attributes:
        outputs: last layer's output, not normalised, (B, Q, C).
        references: the segmenter's queries, aligned, (B, Q, C).
    """

    outputs: Tensor
    references: Tensor


@dataclass
class TrackerOutput:
    """What the tracker gives for T frames.

    Attributes:
        layers: output of each layer, not normalised, (B, T, Q, C); outside training only the
            last layer's.
        permutations: slot k of frame t took query ``permutations[b, t, k]``, (B, T, Q) int64.
        state: to go on from.
    """

    layers: list[Tensor]
    permutations: Tensor
    state: TrackerState


class ReferringLayer(nn.Module):
    """Referring cross attention, self attention and FFN, each followed by its norm.

    Args:
        embed_dims: C.
        num_heads: of both attentions.
        feedforward_channels: width of the FFN.
    """

    def __init__(self, embed_dims: int, num_heads: int, feedforward_channels: int) -> None:
        super().__init__()
        self.cross_attn = Attention(embed_dims, num_heads)
        self.cross_attn_norm = nn.LayerNorm(embed_dims)
        self.self_attn = Attention(embed_dims, num_heads)
        self.self_attn_norm = nn.LayerNorm(embed_dims)
        self.ffn = FeedForward(embed_dims, feedforward_channels)

    def forward(self, identity: Tensor, query: Tensor, memory: Tensor) -> Tensor:
        """Update ``identity`` by what ``query`` finds in ``memory``; all (N, Q, C)."""
        referred = self.cross_attn_norm(identity + self.cross_attn(query, memory))
        related = self.self_attn_norm(referred + self.self_attn(referred, referred))
        return self.ffn(related)


@MODELS.register_module()
class ReferringTracker(BaseModule):
    """Represents the objects of a frame by what they were in the frame before.

    Args:
        num_classes: K.
        embed_dims: C of the queries.
        num_layers: L.
        num_heads: of all attentions.
        feedforward_channels: width of the FFNs.
        mask_dims: C of the mask features.
        alignment: ``inverse``, as published, or ``true``.
        init_cfg: mmengine's initialisation.

    Raises:
        UserError: for another alignment.
    """

    def __init__(
        self,
        num_classes: int,
        embed_dims: int = 256,
        num_layers: int = 6,
        num_heads: int = 8,
        feedforward_channels: int = 2048,
        mask_dims: int = 256,
        alignment: str = 'inverse',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_alignment(alignment)
        self.alignment = alignment
        self.layers = nn.ModuleList(
            ReferringLayer(embed_dims, num_heads, feedforward_channels) for _ in range(num_layers)
        )
        self.decoder_norm = nn.LayerNorm(embed_dims)
        self.class_embed = nn.Linear(embed_dims, num_classes + 1)
        self.mask_embed = MaskEmbed(embed_dims, mask_dims)

    def init_weights(self) -> None:
        """Xavier-uniform matrices."""
        super().init_weights()
        init_transformer(self)

    def forward(self, queries: Tensor, state: TrackerState | None = None) -> TrackerOutput:
        """Track through T frames.

        Args:
            queries: of the segmenter, (B, T, Q, C).
            state: after the frame before; None if the videos begin here.
        """
        permutations, references = self._align(queries, state)
        aligned = _take(queries, permutations)  # (B, T, Q, C)
        previous = state.outputs if state else None
        frames = []
        for current, ordered in zip(queries.unbind(1), aligned.unbind(1), strict=True):
            outputs = self._track_frame(current, ordered, previous)
            previous = outputs[-1]
            frames.append(outputs if self.training else outputs[-1:])
        layers = [torch.stack(layer, 1) for layer in zip(*frames, strict=True)]  # (B, T, Q, C)
        return TrackerOutput(layers, permutations, TrackerState(previous, references))

    def refer_to_self(self, queries: Tensor) -> Tensor:
        """Every frame as if it were a video of its own, for the refiner.

        Args:
            queries: of the segmenter, (B, T, Q, C).

        Returns:
            Normalised, in the order of ``queries``, (B, T, Q, C).
        """
        frames = queries.flatten(0, 1)  # (B * T, Q, C)
        outputs = self._track_frame(frames, frames, None)[-1]
        return self.normalise(outputs).unflatten(0, queries.shape[:2])

    def normalise(self, outputs: Tensor) -> Tensor:
        """What predictions are made from, of raw layer outputs (..., C)."""
        return self.decoder_norm(outputs)

    def classify(self, embeds: Tensor) -> Tensor:
        """Class logits (..., K + 1) of normalised queries (..., C)."""
        return self.class_embed(embeds)

    def embed_masks(self, embeds: Tensor) -> Tensor:
        """Mask embeddings (..., C) of normalised queries."""
        return self.mask_embed(embeds)

    def _align(self, queries: Tensor, state: TrackerState | None) -> tuple[Tensor, Tensor]:
        """Permutations (B, T, Q) and the last frame's aligned queries (B, Q, C)."""
        pairs = [
            align_queries(video, state and state.references[b], self.alignment, _EPSILON)
            for b, video in enumerate(queries.detach())
        ]
        permutations, references = zip(*pairs, strict=True)
        return torch.stack(permutations), torch.stack(references)

    def _track_frame(
        self, current: Tensor, ordered: Tensor, previous: Tensor | None
    ) -> list[Tensor]:
        """All layers' outputs of a frame, (B, Q, C) each.

        Args:
            current: the segmenter's queries, (B, Q, C).
            ordered: the same, aligned.
            previous: last layer's output of the frame before; None for a first frame.
        """
        outputs = []
        identity = ordered
        for layer in self.layers:
            query = identity if previous is None else previous
            identity = layer(identity, query, current)
            outputs.append(identity)
        return outputs


def _take(queries: Tensor, permutations: Tensor) -> Tensor:
    """Queries (B, T, Q, C) in the order of ``permutations`` (B, T, Q)."""
    index = permutations[..., None].expand(*permutations.shape, queries.shape[-1])
    return queries.gather(2, index)
