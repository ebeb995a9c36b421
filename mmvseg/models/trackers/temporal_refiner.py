"""Temporal refiner: corrects tracked queries by all frames of a video (DVIS, section 3.3)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvseg.registry import MODELS

from .query_layers import Attention, FeedForward, MaskEmbed, init_transformer

#: Elements of a block's input that are processed at a time without gradients: bounds what a long
#: video needs besides its embeddings.
CHUNK_ELEMENTS = 2**23


class ShortTermConv(nn.Module):
    """Two convolutions over time, of 5 and 3 frames, that repeat the video's ends.

    Args:
        embed_dims: C.
    """

    def __init__(self, embed_dims: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(embed_dims, embed_dims, 5, padding='same', padding_mode='replicate')
        self.conv2 = nn.Conv1d(embed_dims, embed_dims, 3, padding='same', padding_mode='replicate')

    def forward(self, tubes: Tensor) -> Tensor:
        """Queries over time, (N, T, C), to the same shape."""
        return self.conv2(F.relu(self.conv1(tubes.transpose(1, 2)))).transpose(1, 2)


class RefinerLayer(nn.Module):
    """Attention and convolution over time, attention among queries and to each frame's own.

    Args:
        embed_dims: C.
        num_heads: of the attentions.
        feedforward_channels: width of the FFN.
    """

    def __init__(self, embed_dims: int, num_heads: int, feedforward_channels: int) -> None:
        super().__init__()
        self.time_attn = Attention(embed_dims, num_heads)
        self.time_attn_norm = nn.LayerNorm(embed_dims)
        self.time_conv = ShortTermConv(embed_dims)
        self.time_conv_norm = nn.LayerNorm(embed_dims)
        self.self_attn = Attention(embed_dims, num_heads)
        self.self_attn_norm = nn.LayerNorm(embed_dims)
        self.cross_attn = Attention(embed_dims, num_heads)
        self.cross_attn_norm = nn.LayerNorm(embed_dims)
        self.ffn = FeedForward(embed_dims, feedforward_channels)

    def forward(self, queries: Tensor, frame_queries: Tensor) -> Tensor:
        """Refine (B, T, Q, C) by the frames' own queries (B, T, Q, C)."""
        B, T = queries.shape[:2]
        tubes = queries.transpose(1, 2).flatten(0, 1)  # (B * Q, T, C)
        tubes = _by_chunks(self._over_time, tubes)
        queries = tubes.unflatten(0, (B, -1)).transpose(1, 2).flatten(0, 1)  # (B * T, Q, C)
        queries = _by_chunks(self._in_frame, queries, frame_queries.flatten(0, 1))
        return queries.unflatten(0, (B, T))  # (B, T, Q, C)

    def _over_time(self, tubes: Tensor) -> Tensor:
        tubes = self.time_attn_norm(tubes + self.time_attn(tubes, tubes))
        return self.time_conv_norm(tubes + self.time_conv(tubes))

    def _in_frame(self, queries: Tensor, frame_queries: Tensor) -> Tensor:
        queries = self.self_attn_norm(queries + self.self_attn(queries, queries))
        queries = self.cross_attn_norm(queries + self.cross_attn(queries, frame_queries))
        return self.ffn(queries)


@MODELS.register_module()
class TemporalRefiner(BaseModule):
    """Sees a whole video at once, as two vectors a query and frame.

    Args:
        num_classes: K.
        embed_dims: C of the queries.
        num_layers: L.
        num_heads: of all attentions.
        feedforward_channels: width of the FFNs.
        mask_dims: C of the mask features.
        init_cfg: mmengine's initialisation.
    """

    def __init__(
        self,
        num_classes: int,
        embed_dims: int = 256,
        num_layers: int = 6,
        num_heads: int = 8,
        feedforward_channels: int = 2048,
        mask_dims: int = 256,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.layers = nn.ModuleList(
            RefinerLayer(embed_dims, num_heads, feedforward_channels) for _ in range(num_layers)
        )
        self.decoder_norm = nn.LayerNorm(embed_dims)
        self.class_embed = nn.Linear(embed_dims, num_classes + 1)
        self.mask_embed = MaskEmbed(embed_dims, mask_dims)
        self.time_weight = nn.Linear(embed_dims, 1)

    def init_weights(self) -> None:
        """Xavier-uniform matrices."""
        super().init_weights()
        init_transformer(self)

    def forward(self, tracked: Tensor, frame_queries: Tensor) -> list[Tensor]:
        """Refine tracked queries.

        Args:
            tracked: normalised output of the tracker, (B, T, Q, C).
            frame_queries: the tracker's ``refer_to_self``, (B, T, Q, C).

        Returns:
            Output of each layer, not normalised, (B, T, Q, C); outside training only the last
            layer's.
        """
        outputs = []
        queries = tracked
        for layer in self.layers:
            queries = layer(queries, frame_queries)
            outputs.append(queries)
            if not self.training:
                outputs = outputs[-1:]
        return outputs

    def normalise(self, outputs: Tensor) -> Tensor:
        """What predictions are made from, of raw layer outputs (..., C)."""
        return self.decoder_norm(outputs)

    def classify(self, embeds: Tensor) -> Tensor:
        """Class logits (B, Q, K + 1) of normalised queries (B, T, Q, C), one for all frames."""
        weights = self.time_weight(embeds).softmax(1)  # (B, T, Q, 1)
        return self.class_embed((weights * embeds).sum(1))

    def embed_masks(self, embeds: Tensor) -> Tensor:
        """Mask embeddings (..., C) of normalised queries."""
        return self.mask_embed(embeds)


def _by_chunks(block: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """``block(*inputs)``, without gradients some rows (N, length, C) at a time."""
    if torch.is_grad_enabled():
        return block(*inputs)
    rows = max(1, CHUNK_ELEMENTS // inputs[0][0].numel())
    parts = zip(*(tensor.split(rows) for tensor in inputs), strict=True)
    return torch.cat([block(*part) for part in parts])
