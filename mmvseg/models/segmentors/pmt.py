"""PMT: VidEoMT on a frozen Vision Transformer, which other tasks can share (CVPR 2026 workshop).

A light decoder of a few blocks sees the queries and the sum of what several blocks of the encoder
say of the patches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from mmvseg.errors import UserError
from mmvseg.models.backbones.rotary import RotaryPositions
from mmvseg.models.backbones.vit import Block, ImageTokens, check_heads
from mmvseg.registry import MODELS

from .frame_segmentation import freeze
from .videomt import VidEoMT

#: Of the LayerNorms of the decoder.
_NORM_EPS = 1e-5


class Lateral(nn.Module):
    """From the tokens of a block of the encoder to their part of the decoder's input.

    Args:
        embed_dims: C.
    """

    def __init__(self, embed_dims: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(embed_dims)
        self.mlp = nn.Sequential(
            nn.Linear(embed_dims, embed_dims // 2),
            nn.GELU(),
            nn.Linear(embed_dims // 2, embed_dims),
        )
        self.scale = nn.Parameter(torch.ones(embed_dims))

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, S, C) -> (N, S, C); statistics are those of all tokens of all images."""
        tokens = self.norm(tokens.flatten(0, 1)).unflatten(0, tokens.shape[:2])
        return (tokens + self.mlp(tokens)) * self.scale


class TokenDecoder(nn.Module):
    """Blocks with rotary positions, and the LayerNorm before the heads.

    Args:
        embed_dims: C.
        depth: blocks.
        num_heads: of the attention.
        mlp_dims: width of the feed-forward layers.
    """

    def __init__(self, embed_dims: int, depth: int, num_heads: int, mlp_dims: int) -> None:
        super().__init__()
        check_heads('model.decoder', embed_dims, num_heads, rotary=True)
        self.blocks = nn.ModuleList(
            Block(embed_dims, num_heads, mlp_dims, _NORM_EPS, key_bias=False) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(embed_dims, eps=_NORM_EPS)
        self.rotary = RotaryPositions(embed_dims // num_heads)


@MODELS.register_module()
class PMT(VidEoMT):
    """Frozen encoder, lateral projections, light decoder with query propagation.

    Args:
        backbone: ``DINOViT``; frozen.
        panoptic_head: ``TokenQueryHead``.
        taps: blocks of the encoder whose outputs the decoder sees.
        decoder: arguments of :class:`TokenDecoder` but the width.
        scale_positions: whether training scales rotary positions at random, also those of the
            frozen encoder, as published.
        **settings: see :class:`VidEoMT` and :class:`EoMT`.

    Raises:
        UserError: the encoder has no such block, or the heads of the decoder do not fit.
    """

    def __init__(
        self,
        backbone: dict,
        panoptic_head: dict,
        taps: Sequence[int],
        decoder: Mapping[str, Any],
        scale_positions: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(backbone, panoptic_head, num_query_blocks=1, **settings)
        depth, embed_dims = len(self.backbone.blocks), self.backbone.embed_dims
        if not taps or list(taps) != sorted(set(taps) & set(range(depth))):
            raise UserError(
                f'model.taps = {taps}: must be blocks of the encoder, 0 to {depth - 1}, in order'
            )
        self.taps = tuple(taps)
        self.laterals = nn.ModuleList(Lateral(embed_dims) for _ in taps)
        self.decoder = TokenDecoder(embed_dims, **decoder)
        if self.backbone.rotary and decoder['num_heads'] != self.backbone.num_heads:
            raise UserError(
                f'model.decoder.num_heads = {decoder["num_heads"]}: must be '
                f'{self.backbone.num_heads}, as in the backbone, whose rotary positions it shares'
            )
        self.scale_positions = scale_positions
        self.train()

    @property
    def query_blocks(self) -> Sequence[nn.Module]:
        """The blocks of the decoder."""
        return self.decoder.blocks

    @property
    def last_norm(self) -> nn.Module:
        """The LayerNorm of the decoder."""
        return self.decoder.norm

    def train(self, mode: bool = True) -> 'PMT':
        """Set the mode of all but the encoder, which always infers."""
        super().train(mode)
        freeze(self.backbone)
        for rotary in (self.backbone.rotary, self.decoder.rotary):
            if rotary is not None:
                rotary.train(mode and self.scale_positions)
        return self

    def encode(self, frames: Tensor) -> ImageTokens:
        """The decoder's tokens of frames (N, 3, H, W): the sum over the taps."""
        with torch.no_grad():
            image = self.backbone.embed(frames)
            outputs = []
            for number, block in enumerate(self.backbone.blocks[: max(self.taps) + 1]):
                image.tokens = block(image.tokens, image.rotation)
                if number in self.taps:
                    outputs.append(self.backbone.norm(image.tokens))
        tokens = sum(lateral(tap) for lateral, tap in zip(self.laterals, outputs, strict=True))
        rotation = image.rotation or self.decoder.rotary(image.grid)
        return replace(image, tokens=tokens, rotation=rotation)
