"""Mask2Former's pixel decoder (CVPR 2022, section 3.2.1) for inference on a CPU.

The layers are those of mmdet's ``MSDeformAttnPixelDecoder``. What depends on nothing but the sizes
of the maps (positions, centres of pixels) is computed once, and sampling is that of
:mod:`mmvseg.ops.planar_sampling`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmcv.ops import MultiScaleDeformableAttention
from mmdet.models.layers import MSDeformAttnPixelDecoder
from torch import Tensor, nn

from mmvseg.models.heads.pixel_decoder import PixelDecoder
from mmvseg.ops.linear import linear
from mmvseg.ops.packed_conv import packed
from mmvseg.ops.planar_sampling import sample_planes

from .layers import is_convolution


@dataclass
class MapGrid:
    """What depends on the sizes of the maps alone; P is the number of pixels of all of them.

    Attributes:
        shapes: (H, W) of each of the L levels, coarsest first.
        positions: code of each pixel's place and level, (P, C).
        centre_x: each pixel's column on the maps of all levels, in pixels, (L, 1, P).
        centre_y: its row.
    """

    shapes: list[tuple[int, int]]
    positions: Tensor
    centre_x: Tensor
    centre_y: Tensor


class PreparedPixelDecoder(nn.Module):
    """The pixel decoder with fused layers.

    Args:
        decoder: mmdet's, whose layers become this one's; without padded images.
    """

    def __init__(self, decoder: MSDeformAttnPixelDecoder) -> None:
        super().__init__()
        self.input_convs = decoder.input_convs
        self.position_code = decoder.postional_encoding  # mmdet spells it so
        self.level_encoding = decoder.level_encoding
        self.layers = nn.ModuleList(PreparedEncoderLayer(layer) for layer in decoder.encoder.layers)
        self.lateral_convs, self.output_convs = decoder.lateral_convs, decoder.output_convs
        self.mask_feature = packed(decoder.mask_feature)
        self.num_outs = decoder.num_outs
        self._grid: MapGrid | None = None

    def forward(self, feats: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Decode.

        Args:
            feats: the backbone's maps from the finest to the coarsest, each (N, channels, H, W).

        Returns:
            Mask features (N, C, h, w) and the first ``num_outs`` maps (N, C, H, W), coarsest first.
        """
        coarsest_first = list(reversed(feats))
        attended = coarsest_first[: len(self.input_convs)]
        maps = [conv(feat) for conv, feat in zip(self.input_convs, attended, strict=True)]
        grid = self._grid_of(maps)
        tokens = torch.cat([level.flatten(2).transpose(1, 2) for level in maps], 1)  # (N, P, C)
        for layer in self.layers:
            tokens = layer(tokens, grid)
        levels = tokens.split([height * width for height, width in grid.shapes], 1)
        # Tokens of a level are its map, channels last.
        maps = [
            level.unflatten(1, shape).permute(0, 3, 1, 2)
            for level, shape in zip(levels, grid.shapes, strict=True)
        ]
        finer = coarsest_first[len(self.input_convs) :]
        for lateral, output, feat in zip(self.lateral_convs, self.output_convs, finer, strict=True):
            own = lateral(feat)
            own += F.interpolate(maps[-1], own.shape[-2:], mode='bilinear', align_corners=False)
            maps.append(output(own))
        return self.mask_feature(maps[-1]), maps[: self.num_outs]

    def _grid_of(self, maps: Sequence[Tensor]) -> MapGrid:
        shapes = [(level.shape[2], level.shape[3]) for level in maps]
        if self._grid is None or self._grid.shapes != shapes:
            self._grid = MapGrid(shapes, self._positions(shapes), *_centres(shapes))
        return self._grid

    def _positions(self, shapes: Sequence[tuple[int, int]]) -> Tensor:
        codes = [
            self.position_code(torch.zeros(1, *shape, dtype=torch.bool))[0].flatten(1).t() + level
            for shape, level in zip(shapes, self.level_encoding.weight, strict=True)
        ]
        return torch.cat(codes)


class PreparedEncoderLayer(nn.Module):
    """Deformable attention over all maps and an FFN, each with its norm behind.

    Args:
        layer: mmdet's ``DeformableDetrTransformerEncoderLayer``.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.attention = PreparedDeformableAttention(layer.self_attn)
        self.norms, self.ffn = layer.norms, layer.ffn

    def forward(self, tokens: Tensor, grid: MapGrid) -> Tensor:
        """(N, P, C) -> (N, P, C)."""
        tokens = self.norms[0](tokens + self.attention(tokens, grid))
        return self.norms[1](self.ffn(tokens))


class PreparedDeformableAttention(nn.Module):
    """Deformable attention (Deformable DETR, section 4.1) of pixels to a few points of all maps.

    Args:
        attention: mmcv's, batch first.
    """

    def __init__(self, attention: MultiScaleDeformableAttention) -> None:
        super().__init__()
        self.value_proj, self.output_proj = attention.value_proj, attention.output_proj
        heads, L, points = attention.num_heads, attention.num_levels, attention.num_points
        offsets = attention.sampling_offsets
        # The planes of all columns, then of all rows, then of all weights.
        self.plane_shape = (3, heads, L, points)
        self.plane_weight = torch.cat(
            [
                offsets.weight.unflatten(0, (-1, 2)).transpose(0, 1).flatten(0, 1),
                attention.attention_weights.weight,
            ]
        ).detach()
        self.plane_bias = (
            torch.cat([offsets.bias.view(-1, 2).t().flatten(), attention.attention_weights.bias])
            .detach()
            .view(*self.plane_shape, 1)
        )

    def forward(self, tokens: Tensor, grid: MapGrid) -> Tensor:
        """What the tokens (N, P, C) attend to, (N, P, C)."""
        values = self.value_proj(tokens).unflatten(2, (self.plane_shape[1], -1))
        sampled = [
            sample_planes(value, grid.shapes, *self._planes(queries, grid)).flatten(1)
            for value, queries in zip(values, tokens + grid.positions, strict=True)
        ]  # (P, heads * C) of each image
        return self.output_proj(torch.stack(sampled))

    def _planes(self, queries: Tensor, grid: MapGrid) -> tuple[Tensor, Tensor, Tensor]:
        """Columns, rows and weights of the points of one image's queries (P, C).

        Returns:
            Each (heads, L, points, P).
        """
        # The product the other way round: a row for each point, not for each query.
        planes = linear(self.plane_weight, queries).view(*self.plane_shape, -1) + self.plane_bias
        x, y, logits = planes
        x += grid.centre_x
        y += grid.centre_y
        return x, y, logits.flatten(1, 2).softmax(1).view_as(logits)


def prepare_pixel_decoder(decoder: nn.Module) -> nn.Module:
    """The prepared form of a pixel decoder; another kind is returned as it is."""
    known = type(decoder) in (MSDeformAttnPixelDecoder, PixelDecoder)
    if not known or not is_convolution(decoder.mask_feature):
        return decoder
    return PreparedPixelDecoder(decoder)


def _centres(shapes: Sequence[tuple[int, int]]) -> tuple[Tensor, Tensor]:
    """Columns and rows of the pixels of all maps on the map of every level, each (L, 1, P)."""
    x, y = [], []
    for height, width in shapes:
        x.append(((torch.arange(width) + 0.5) / width).repeat(height))
        y.append(((torch.arange(height) + 0.5) / height).repeat_interleave(width))
    heights, widths = torch.tensor(shapes, dtype=torch.float32).t()[..., None, None]  # (L, 1, 1)
    return torch.cat(x) * widths - 0.5, torch.cat(y) * heights - 0.5
