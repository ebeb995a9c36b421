"""DVIS's referring tracker (ICCV 2023, section 3.2): queries carried from frame to frame.

The tracker's output for the frame before asks, in every layer, the segmenter's queries of the
current frame what has become of it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmvseg.errors import UserError
from mmvseg.registry import MODELS

from .attention import attend, build_attention, build_ffn, build_mask_embed, init_blocks
from .query_matching import Alignment, check_alignment, match_frames


@dataclass
class TrackerState:
    """What the tracker remembers of the last frame of each of B videos.

    Attributes:
        outputs: its last layer's output, not normalised, (B, Q, C).
        references: the segmenter's queries in the order of the slots, (B, Q, C).
    """

    outputs: Tensor
    references: Tensor


@dataclass
class TrackerOutput:
    """Tracked queries: slot q is the same object in all frames.

    Attributes:
        layers: outputs of the layers, not normalised, each (B, T, Q, C); the last layer is the
            last entry.
        permutations: the segmenter's query that each slot took, (B, T, Q) int64.
        state: for the call with the next frames.
    """

    layers: list[Tensor]
    permutations: Tensor
    state: TrackerState


@MODELS.register_module()
class ReferringTracker(nn.Module):
    """Transformer over the queries of one frame at a time.

    Args:
        num_classes: K, without "no object".
        embed_dims: C, width of the queries.
        num_layers: L.
        num_heads: of each attention.
        feedforward_channels: hidden width of the feed-forward blocks.
        mask_dims: channels of the mask features.
        alignment: how the queries of a frame are put into slots; ``inverse`` as published (its
            checkpoints are trained with it), ``true`` for what it was meant to be.

    Raises:
        UserError: if there is no such alignment, or the heads do not divide the width.

    Example:
        >>> tracker = ReferringTracker(num_classes=40)
        >>> first = tracker(torch.rand(1, 3, 100, 256))
        >>> next_frames = tracker(torch.rand(1, 3, 100, 256), first.state)
        >>> tracker.classify(tracker.normalise(next_frames.layers[-1])).shape
        torch.Size([1, 3, 100, 41])
    """

    def __init__(
        self,
        num_classes: int,
        embed_dims: int = 256,
        num_layers: int = 6,
        num_heads: int = 8,
        feedforward_channels: int = 2048,
        mask_dims: int = 256,
        alignment: Alignment = 'inverse',
    ) -> None:
        super().__init__()
        check_alignment(alignment, 'model.tracker.alignment')
        self.alignment = alignment
        self.embed_dims = embed_dims
        self.layers = nn.ModuleList(
            _TrackerLayer(embed_dims, num_heads, feedforward_channels) for _ in range(num_layers)
        )
        self.decoder_norm = nn.LayerNorm(embed_dims)
        self.class_embed = nn.Linear(embed_dims, num_classes + 1)
        self.mask_embed = build_mask_embed(embed_dims, mask_dims)

    def forward(
        self,
        queries: Tensor,
        state: TrackerState | None = None,
        all_layers: bool | None = None,
    ) -> TrackerOutput:
        """Track the queries of consecutive frames.

        Args:
            queries: the segmenter's embeddings in any order, (B, T, Q, C).
            state: of the frame before; None where the videos begin.
            all_layers: whether to return the output of all layers or only of the last; by default
                all in training mode, where each has its loss.

        Raises:
            UserError: if the queries are not finite or do not have ``embed_dims`` channels.
        """
        if queries.shape[-1] != self.embed_dims:
            raise UserError(
                f'model.tracker.embed_dims is {self.embed_dims}, but the segmenter has queries of '
                f'{queries.shape[-1]} channels (model.panoptic_head.feat_channels); make them equal'
            )
        references = None if state is None else state.references
        # The published code adds 1e-6 to the length of a vector.
        permutations = match_frames(queries, references, self.alignment, epsilon=1e-6)
        index = permutations[..., None].expand_as(queries)
        aligned = queries.gather(2, index)  # (B, T, Q, C)
        previous = None if state is None else state.outputs
        keep_all = self.training if all_layers is None else all_layers
        frames = []
        for identity, memory in zip(aligned.unbind(1), queries.unbind(1), strict=True):
            outputs = self._decode(identity, memory, previous)
            previous = outputs[-1]
            frames.append(outputs if keep_all else outputs[-1:])
        layers = [torch.stack(outputs, dim=1) for outputs in zip(*frames, strict=True)]
        return TrackerOutput(layers, permutations, TrackerState(previous, aligned[:, -1]))

    def refer_to_self(self, queries: Tensor) -> Tensor:
        """Each frame as if a video began with it: what the refiner compares tracks with.

        Args:
            queries: the segmenter's embeddings, (B, T, Q, C).

        Returns:
            Normalised output of the last layer, in the order of ``queries``, (B, T, Q, C).
        """
        frames = queries.flatten(0, 1)  # (B * T, Q, C)
        outputs = self._decode(frames, frames)[-1]
        return self.decoder_norm(outputs).unflatten(0, queries.shape[:2])

    def normalise(self, outputs: Tensor) -> Tensor:
        """A layer's output as the heads (and the refiner) want it, (..., Q, C)."""
        return self.decoder_norm(outputs)

    def classify(self, normalised: Tensor) -> Tensor:
        """Class logits, the last one "no object", (..., Q, K + 1)."""
        return self.class_embed(normalised)

    def embed_masks(self, normalised: Tensor) -> Tensor:
        """Vectors whose dot product with mask features gives mask logits, (..., Q, C)."""
        return self.mask_embed(normalised)

    def _decode(
        self, identity: Tensor, memory: Tensor, previous: Tensor | None = None
    ) -> list[Tensor]:
        """All layers over single frames.

        Args:
            identity: the frame's queries in the order of the slots, (N, Q, C).
            memory: the frame's queries, (N, Q, C).
            previous: output for the frame before. It asks in every layer; at the beginning of a
                video the stream asks for itself.
        """
        outputs = []
        for layer in self.layers:
            identity = layer(identity, identity if previous is None else previous, memory)
            outputs.append(identity)
        return outputs


class _TrackerLayer(nn.Module):
    """Referring cross attention, self attention and feed-forward, each with its norm behind."""

    def __init__(self, embed_dims: int, num_heads: int, feedforward_channels: int) -> None:
        super().__init__()
        self.cross_attn = build_attention(embed_dims, num_heads)
        self.self_attn = build_attention(embed_dims, num_heads)
        self.ffn = build_ffn(embed_dims, feedforward_channels)
        self.norms = nn.ModuleList(nn.LayerNorm(embed_dims) for _ in range(3))
        init_blocks(self)

    def forward(self, identity: Tensor, query: Tensor, memory: Tensor) -> Tensor:
        """Add to ``identity`` what ``query`` finds in ``memory``; all are (N, Q, C)."""
        x = self.norms[0](identity + attend(self.cross_attn, query, memory))
        x = self.norms[1](x + attend(self.self_attn, x, x))
        return self.norms[2](x + self.ffn(x))
