"""DVIS's temporal refiner (ICCV 2023, section 3.3): tracks corrected by all frames of a video.

Unlike the published code, which stores attention maps of all frames by all frames, memory grows
only linearly with the length of the video.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from mmvseg.errors import UserError
from mmvseg.registry import MODELS

from .attention import attend, build_attention, build_ffn, build_mask_embed, init_blocks

#: Queries (of all frames and videos) that a block takes at a time without gradients: its inner
#: activations are several times wider than the queries, and a long video's need not exist at once.
CHUNK_TOKENS = 2**14


@MODELS.register_module()
class TemporalRefiner(nn.Module):
    """Transformer over the queries of all frames at once.

    Args:
        num_classes: K, without "no object".
        embed_dims: C, width of the queries.
        num_layers: L.
        num_heads: of each attention.
        feedforward_channels: hidden width of the feed-forward blocks.
        mask_dims: channels of the mask features.

    Raises:
        UserError: if the heads do not divide the width.

    Example:
        >>> refiner = TemporalRefiner(num_classes=40)
        >>> layers = refiner(torch.rand(1, 21, 100, 256), torch.rand(1, 21, 100, 256))
        >>> refiner.classify(refiner.normalise(layers[-1])).shape
        torch.Size([1, 100, 41])
    """

    def __init__(
        self,
        num_classes: int,
        embed_dims: int = 256,
        num_layers: int = 6,
        num_heads: int = 8,
        feedforward_channels: int = 2048,
        mask_dims: int = 256,
    ) -> None:
        super().__init__()
        self.embed_dims = embed_dims
        self.layers = nn.ModuleList(
            _RefinerLayer(embed_dims, num_heads, feedforward_channels) for _ in range(num_layers)
        )
        self.decoder_norm = nn.LayerNorm(embed_dims)
        self.activation_proj = nn.Linear(embed_dims, 1)
        self.class_embed = nn.Linear(embed_dims, num_classes + 1)
        self.mask_embed = build_mask_embed(embed_dims, mask_dims)

    def forward(
        self, tracked: Tensor, frame_queries: Tensor, all_layers: bool | None = None
    ) -> list[Tensor]:
        """Refine the tracks of whole videos.

        Args:
            tracked: the tracker's output, normalised, (B, T, Q, C).
            frame_queries: the tracker's ``refer_to_self`` of the same frames, (B, T, Q, C).
            all_layers: whether to return the output of all layers or only of the last; by default
                all in training mode, where each has its loss.

        Returns:
            Outputs of the layers, not normalised, each (B, T, Q, C); the last layer comes last.

        Raises:
            UserError: if the queries do not have ``embed_dims`` channels.
        """
        if tracked.shape[-1] != self.embed_dims:
            raise UserError(
                f'model.refiner.embed_dims is {self.embed_dims}, but the tracker has queries of '
                f'{tracked.shape[-1]} channels (model.tracker.embed_dims); make them equal'
            )
        keep_all = self.training if all_layers is None else all_layers
        x, outputs = tracked, []
        for layer in self.layers:
            x = layer(x, frame_queries)
            outputs = [*outputs, x] if keep_all else [x]
        return outputs

    def normalise(self, outputs: Tensor) -> Tensor:
        """A layer's output as the heads want it, (B, T, Q, C)."""
        return self.decoder_norm(outputs)

    def classify(self, normalised: Tensor) -> Tensor:
        """Class logits of whole tracks, the last one "no object", (B, Q, K + 1).

        Each query weighs its frames by a softmax over the whole video.
        """
        weights = self.activation_proj(normalised).softmax(dim=1)  # (B, T, Q, 1)
        return self.class_embed((weights * normalised).sum(dim=1))  # (B, Q, K + 1)

    def embed_masks(self, normalised: Tensor) -> Tensor:
        """Vectors whose dot product with mask features gives mask logits, (B, T, Q, C)."""
        return self.mask_embed(normalised)


class _RefinerLayer(nn.Module):
    """Two blocks along time, then three among the queries of a frame; norms are behind blocks."""

    def __init__(self, embed_dims: int, num_heads: int, feedforward_channels: int) -> None:
        super().__init__()
        self.time_attn = build_attention(embed_dims, num_heads)
        self.time_conv = nn.Sequential(
            nn.Conv1d(embed_dims, embed_dims, 5, padding=2, padding_mode='replicate'),
            nn.ReLU(inplace=True),
            nn.Conv1d(embed_dims, embed_dims, 3, padding=1, padding_mode='replicate'),
        )
        self.object_attn = build_attention(embed_dims, num_heads)
        self.cross_attn = build_attention(embed_dims, num_heads)
        self.ffn = build_ffn(embed_dims, feedforward_channels)
        self.norms = nn.ModuleList(nn.LayerNorm(embed_dims) for _ in range(5))
        init_blocks(self.time_attn, self.object_attn, self.cross_attn, self.ffn)

    def forward(self, x: Tensor, frame_queries: Tensor) -> Tensor:
        """Refine the stream ``x``; both are (B, T, Q, C)."""
        if torch.is_grad_enabled():
            return self.within_frames(self.along_time(x), frame_queries)
        B, T, Q, _ = x.shape
        refined = torch.empty_like(x)
        for queries in _chunks(Q, B * T):
            refined[:, :, queries] = self.along_time(x[:, :, queries])
        for frames in _chunks(T, B * Q):
            refined[:, frames] = self.within_frames(refined[:, frames], frame_queries[:, frames])
        return refined

    def along_time(self, x: Tensor) -> Tensor:
        """Each query over all of its frames, (B, T, Q, C)."""
        B, _, Q, _ = x.shape
        x = x.transpose(1, 2).flatten(0, 1)  # (B * Q, T, C)
        x = self.norms[0](x + attend(self.time_attn, x, x))
        aggregated = self.time_conv(x.transpose(1, 2)).transpose(1, 2)  # (B * Q, T, C)
        x = self.norms[1](x + aggregated)
        return x.unflatten(0, (B, Q)).transpose(1, 2)  # (B, T, Q, C)

    def within_frames(self, x: Tensor, frame_queries: Tensor) -> Tensor:
        """The queries of each frame among themselves and with the frame's own, (B, T, Q, C)."""
        clips = x.shape[:2]
        x, frame_queries = x.flatten(0, 1), frame_queries.flatten(0, 1)  # (B * T, Q, C)
        x = self.norms[2](x + attend(self.object_attn, x, x))
        x = self.norms[3](x + attend(self.cross_attn, x, frame_queries))
        x = self.norms[4](x + self.ffn(x))
        return x.unflatten(0, clips)  # (B, T, Q, C)


def _chunks(length: int, tokens_each: int) -> Iterator[slice]:
    """Cut an axis into parts of about :data:`CHUNK_TOKENS`."""
    step = max(1, CHUNK_TOKENS // tokens_each)
    return (slice(start, start + step) for start in range(0, length, step))
