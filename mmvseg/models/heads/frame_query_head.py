"""Mask2Former's head, run frame by frame: class, mask and identity of each query.

Mask2Former (CVPR 2022, section 3); MinVIS and DVIS use it as their segmenter. Parameters have the
names of mmdet's Mask2FormerHead, so its checkpoints fit. Masks are not made here, only what they
are the product of: whoever needs some multiplies those.
"""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn.bricks.transformer import MultiheadAttention
from mmdet.models.layers import Mask2FormerTransformerDecoder, SinePositionalEncoding
from mmdet.models.layers.transformer.mask2former_layers import Mask2FormerTransformerDecoderLayer
from mmengine.config import ConfigDict
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvseg.errors import UserError
from mmvseg.models.precision import full_precision
from mmvseg.ops.linear import linear
from mmvseg.registry import MODELS
from mmvseg.structures import FrameQueries


@MODELS.register_module()
class FrameQueryHead(BaseModule):
    """Pixel decoder and masked-attention decoder over the features of single frames.

    Args:
        in_channels: channels of the backbone's maps at strides 4, 8, 16 and 32.
        num_classes: K, without "no object".
        pixel_decoder: config of mmdet's ``MSDeformAttnPixelDecoder``.
        transformer_decoder: arguments of mmdet's ``Mask2FormerTransformerDecoder``.
        positional_encoding: arguments of mmdet's ``SinePositionalEncoding``.
        num_queries: Q.
        feat_channels: width of pixel decoder, queries and transformer.
        out_channels: C of mask features and mask embeddings.
        init_cfg: mmengine's initialisation.

    Raises:
        UserError: if the transformer's width is not ``feat_channels``.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        num_classes: int,
        pixel_decoder: dict,
        transformer_decoder: dict,
        positional_encoding: dict,
        num_queries: int = 100,
        feat_channels: int = 256,
        out_channels: int = 256,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        channels = dict(
            in_channels=in_channels, feat_channels=feat_channels, out_channels=out_channels
        )
        self.pixel_decoder = MODELS.build(ConfigDict(pixel_decoder) | channels)
        self.transformer_decoder = Mask2FormerTransformerDecoder(**ConfigDict(transformer_decoder))
        width = self.transformer_decoder.embed_dims
        if width != feat_channels:
            raise UserError(
                f'panoptic_head.transformer_decoder: embed_dims is {width}, but feat_channels is '
                f'{feat_channels}; make them equal'
            )
        self.decoder_positional_encoding = SinePositionalEncoding(**positional_encoding)
        self.query_embed = nn.Embedding(num_queries, feat_channels)
        self.query_feat = nn.Embedding(num_queries, feat_channels)
        self.level_embed = nn.Embedding(self.pixel_decoder.num_outs, feat_channels)
        self.cls_embed = nn.Linear(feat_channels, num_classes + 1)
        self.mask_embed = nn.Sequential(
            nn.Linear(feat_channels, feat_channels),
            nn.ReLU(inplace=True),
            nn.Linear(feat_channels, feat_channels),
            nn.ReLU(inplace=True),
            nn.Linear(feat_channels, out_channels),
        )

    def init_weights(self) -> None:
        """Initialise as Mask2Former does."""
        self.pixel_decoder.init_weights()
        for parameter in self.transformer_decoder.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, feats: Sequence[Tensor]) -> FrameQueries:
        """The last layer's queries; what only training needs is not computed.

        Args:
            feats: the backbone's maps from stride 4 to 32, each (N, channels, H, W).
        """
        mask_features, maps = self.decode_pixels(feats)
        *_, (query_embeds, mask_embeds) = self._decode_queries(mask_features, maps)
        return FrameQueries(self.cls_embed(query_embeds), mask_embeds, query_embeds, mask_features)

    def forward_layers(
        self, feats: Sequence[Tensor]
    ) -> tuple[list[tuple[Tensor, Tensor]], FrameQueries]:
        """The predictions of all layers, for training.

        Args:
            feats: the backbone's maps from stride 4 to 32, each (N, channels, H, W).

        Returns:
            Class logits (N, Q, K + 1) and mask embeddings (N, Q, C) of the raw queries and then of
            every layer, and all that there is of the last layer.
        """
        return self.decode_layers(*self.decode_pixels(feats))

    def decode_layers(
        self, mask_features: Tensor, maps: Sequence[Tensor]
    ) -> tuple[list[tuple[Tensor, Tensor]], FrameQueries]:
        """What :meth:`forward_layers` returns, from what :meth:`decode_pixels` returned."""
        states = list(self._decode_queries(mask_features, maps))
        layers = [(self.cls_embed(queries), masks) for queries, masks in states]
        return layers, FrameQueries(*layers[-1], states[-1][0], mask_features)

    def decode_pixels(self, feats: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Mask features (N, C, h, w) at stride 4, and the maps to attend to, coarsest first.

        In float32 even under autocast, as published: float16 blurs the sampling points.
        """
        with torch.autocast(feats[0].device.type, enabled=False):
            return self.pixel_decoder([full_precision(feat) for feat in feats])

    def _decode_queries(
        self, mask_features: Tensor, maps: Sequence[Tensor]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised queries and mask embeddings (N, Q, C), before and after every layer."""
        decoder, levels = self.transformer_decoder, len(maps)
        values = [
            level.flatten(2).transpose(1, 2) + embed  # (N, H * W, C)
            for level, embed in zip(maps, self.level_embed.weight, strict=True)
        ]
        keys = [value + self._positions(level) for value, level in zip(values, maps, strict=True)]
        # A mask resized is the product with resized features: full-size masks are never made.
        small_features = [_resize(mask_features, level.shape[-2:]) for level in maps]
        queries = self.query_feat.weight.expand(len(mask_features), -1, -1)  # (N, Q, C)
        for number, layer in enumerate(decoder.layers):
            query_embeds = decoder.post_norm(queries)
            mask_embeds = self.mask_embed(query_embeds)
            yield query_embeds, mask_embeds
            level = number % levels
            visible = _visible(mask_embeds, small_features[level])
            queries = _decoder_layer(
                layer, queries, self.query_embed.weight, keys[level], values[level], visible
            )
        query_embeds = decoder.post_norm(queries)
        yield query_embeds, self.mask_embed(query_embeds)

    def _positions(self, level: Tensor) -> Tensor:
        """Sine codes of a map's pixels, the same for all frames, (1, H * W, C)."""
        no_padding = level.new_zeros(1, *level.shape[-2:], dtype=torch.bool)
        return self.decoder_positional_encoding(no_padding).flatten(2).transpose(1, 2)


def _resize(features: Tensor, size: Sequence[int]) -> Tensor:
    """Pixels of feature maps at another size, without gradients, (N, C, H * W)."""
    resized = F.interpolate(features.detach(), size, mode='bilinear', align_corners=False)
    return resized.flatten(2)


@torch.no_grad()
def _visible(mask_embeds: Tensor, features: Tensor) -> Tensor:
    """Pixels that each query attends to: those of its mask, or all if it has none.

    Returns:
        Booleans for scaled dot product attention, the same for all heads, (N, 1, Q, H * W).
    """
    inside = mask_embeds @ features >= 0
    inside |= ~inside.any(2, keepdim=True)
    return inside[:, None]


def _decoder_layer(
    layer: Mask2FormerTransformerDecoderLayer,
    queries: Tensor,
    query_pos: Tensor,
    keys: Tensor,
    values: Tensor,
    visible: Tensor,
) -> Tensor:
    """Masked cross attention, self attention, FFN, each with its norm behind, (N, Q, C)."""
    attended = _attend(layer.cross_attn, queries + query_pos, keys, values, visible)
    queries = layer.norms[0](queries + attended)
    located = queries + query_pos
    attended = _attend(layer.self_attn, located, located, queries)
    queries = layer.norms[1](queries + attended)
    return layer.norms[2](layer.ffn(queries))


def _attend(
    attention: MultiheadAttention,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    visible: Tensor | None = None,
) -> Tensor:
    """What mmcv's wrapper computes before it adds the identity, without attention maps.

    The wrapper always asks torch for the maps of all heads and wants a mask for each head.
    """
    inner = attention.attn
    weights, biases = inner.in_proj_weight.chunk(3), inner.in_proj_bias.chunk(3)
    projected = (
        linear(tensor, weight, bias).unflatten(2, (inner.num_heads, -1)).transpose(1, 2)
        for tensor, weight, bias in zip((query, key, value), weights, biases, strict=True)
    )  # (N, heads, length, C / heads)
    dropout = inner.dropout if inner.training else 0.0
    heads = F.scaled_dot_product_attention(*projected, attn_mask=visible, dropout_p=dropout)
    output = inner.out_proj(heads.transpose(1, 2).flatten(2))  # (N, Q, C)
    return attention.dropout_layer(attention.proj_drop(output))
