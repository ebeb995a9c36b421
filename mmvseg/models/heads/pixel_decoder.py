"""Mask2Former's pixel decoder (CVPR 2022, section 3.2.1) with sizes that the CPU knows.

mmdet keeps the sizes of the maps in tensors and reads them back, in every layer: on a GPU the CPU
then waits for all work so far. Parameters and results are those of mmdet's module.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.ops import MultiScaleDeformableAttention, multi_scale_deform_attn
from mmdet.models.layers import MSDeformAttnPixelDecoder
from torch import Tensor

from mmvseg.errors import UserError
from mmvseg.registry import MODELS

Sizes = tuple[tuple[int, int], ...]


@MODELS.register_module(name='MSDeformAttnPixelDecoder')
class PixelDecoder(MSDeformAttnPixelDecoder):
    """Deformable attention among the maps of the coarser levels, then an FPN down to stride 4.

    Args:
        **settings: of mmdet's ``MSDeformAttnPixelDecoder``.

    Raises:
        UserError: for checkpointing of layers, which would need another package.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        if self.encoder.num_cp > 0:
            raise UserError(
                'pixel_decoder.encoder.num_cp: layers cannot be checkpointed; leave it out'
            )

    def forward(self, feats: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Decode the maps of N frames.

        Args:
            feats: from stride 4 to 32, (N, channels, H, W) each.

        Returns:
            Mask features (N, C, h, w) at stride 4, and the maps that queries attend to, the
            coarsest first.
        """
        levels = self.num_encoder_levels
        maps = [
            conv(feat)
            for conv, feat in zip(self.input_convs, feats[: -levels - 1 : -1], strict=True)
        ]
        sizes = tuple(tuple(level.shape[-2:]) for level in maps)
        tokens = torch.cat([_rows(level) for level in maps], dim=1)  # (N, P, C), P pixels
        tokens = self.encode(tokens, sizes)
        parts = tokens.split([height * width for height, width in sizes], dim=1)
        maps = [self.as_map(part, size) for part, size in zip(parts, sizes, strict=True)]
        for number in reversed(range(self.num_input_levels - levels)):
            side = self.lateral_convs[number](feats[number])
            above = F.interpolate(maps[-1], side.shape[-2:], mode='bilinear', align_corners=False)
            side += above
            maps.append(self.output_convs[number](side))
        return self.mask_feature(maps[-1]), maps[: self.num_outs]

    def encode(self, tokens: Tensor, sizes: Sizes) -> Tensor:
        """Deformable attention and feed-forward layers on the pixels of all maps.

        Args:
            tokens: the pixels, level after level, (N, P, C).
            sizes: (H, W) of each map.

        Returns:
            (N, P, C).
        """
        positions = self.positions(sizes, tokens.device)
        shapes, centres = _shapes(sizes, tokens.device), pixel_centres(sizes, tokens.device)
        for layer in self.encoder.layers:
            attended = attend(layer.self_attn, tokens, positions, centres, shapes)
            tokens = layer.norms[0](attended + tokens)
            tokens = layer.norms[1](layer.ffn(tokens))
        return tokens

    def as_map(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """A map (N, C, H, W) of its tokens (N, H * W, C)."""
        return tokens.transpose(1, 2).unflatten(2, size).contiguous()

    def positions(self, sizes: Sizes, device: torch.device) -> Tensor:
        """Codes of the pixels of all maps, place and level, (P, C)."""
        masks = [torch.zeros(1, *size, dtype=torch.bool, device=device) for size in sizes]
        codes = [
            _rows(self.postional_encoding(no_padding))[0] + embed
            for embed, no_padding in zip(self.level_encoding.weight, masks, strict=True)
        ]
        return torch.cat(codes)


def attend(
    attention: MultiScaleDeformableAttention,
    tokens: Tensor,
    positions: Tensor,
    centres: Tensor,
    shapes: Tensor,
) -> Tensor:
    """Multi-scale deformable attention of pixels, without the identity.

    Args:
        attention: the parameters.
        tokens: pixels of all maps, level after level, (N, P, C).
        positions: their codes, (P, C).
        centres: their places ``(x, y)`` in [0, 1], (P, 2).
        shapes: (H, W) of each of L maps, (L, 2).

    Returns:
        (N, P, C).
    """
    heads, levels = attention.num_heads, attention.num_levels
    located = tokens + positions
    values = attention.value_proj(tokens).unflatten(2, (heads, -1))  # (N, P, heads, C / heads)
    offsets = attention.sampling_offsets(located).unflatten(2, (heads, levels, -1, 2))
    weights = attention.attention_weights(located).unflatten(2, (heads, -1)).softmax(3)
    weights = weights.unflatten(3, (levels, -1))  # (N, P, heads, L, points)
    # in [0, 1] of each map's width and height
    places = centres[None, :, None, None, None] + offsets / shapes.flip(1)[:, None]
    if tokens.is_cuda:
        starts = F.pad(shapes.prod(1).cumsum(0)[:-1], (1, 0))
        found = multi_scale_deform_attn.MultiScaleDeformableAttnFunction.apply(
            values, shapes, starts, places, weights, attention.im2col_step
        )
    else:
        found = multi_scale_deform_attn.multi_scale_deformable_attn_pytorch(
            values, shapes, places, weights
        )
    return attention.dropout(attention.output_proj(found))


def _rows(level: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, H * W, C)."""
    return level.flatten(2).transpose(1, 2)


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # training uses them, too
def _shapes(sizes: Sizes, device: torch.device) -> Tensor:
    """(H, W) of each map, (L, 2)."""
    # Filled there: a list would have to be sent.
    sides = [torch.full((), side, device=device) for size in sizes for side in size]
    return torch.stack(sides).view(-1, 2)


@lru_cache(maxsize=8)
@torch.inference_mode(False)
def pixel_centres(sizes: Sizes, device: torch.device) -> Tensor:
    """Places ``(x, y)`` of the pixels of all maps in [0, 1], (P, 2)."""
    parts = []
    for size in sizes:
        y, x = ((torch.arange(cells, device=device) + 0.5) / cells for cells in size)
        parts.append(torch.cartesian_prod(y, x).flip(1))
    return torch.cat(parts)
