"""Mask2Former's pixel decoder (CVPR 2022, section 3.2.1) for inference on a CPU.

What depends on nothing but the sizes of the maps (positions, centres of pixels) is computed once,
and sampling is that of :mod:`mmvseg.ops.planar_sampling`.
"""

from dataclasses import dataclass

import torch
from mmcv.ops import MultiScaleDeformableAttention
from torch import Tensor, nn

from mmvseg.models.heads.pixel_decoder import PixelDecoder, Sizes, pixel_centres
from mmvseg.ops.linear import linear
from mmvseg.ops.packed_conv import packed
from mmvseg.ops.planar_sampling import sample_planes

from .layers import is_convolution


@dataclass
class MapGrid:
    """What depends on the sizes of the maps alone; P is the number of pixels of all of them.

    Attributes:
        sizes: (H, W) of each of the L levels, coarsest first.
        positions: code of each pixel's place and level, (P, C).
        centre_x: each pixel's column on the maps of all levels, in pixels, (L, 1, P).
        centre_y: its row.
    """

    sizes: Sizes
    positions: Tensor
    centre_x: Tensor
    centre_y: Tensor


class PreparedPixelDecoder(PixelDecoder):
    """The pixel decoder with fused layers.

    Args:
        decoder: the one whose layers become this one's.
    """

    def __init__(self, decoder: PixelDecoder) -> None:
        nn.Module.__init__(self)  # no new layers
        vars(self).update(vars(decoder))
        layers = decoder.encoder.layers
        self.encoder = nn.ModuleList(PreparedEncoderLayer(layer) for layer in layers)
        self.mask_feature = packed(decoder.mask_feature)
        self._grid: MapGrid | None = None

    def encode(self, tokens: Tensor, sizes: Sizes) -> Tensor:
        """As in training, (N, P, C) -> (N, P, C)."""
        if self._grid is None or self._grid.sizes != sizes:
            positions = self.positions(sizes, tokens.device).detach()
            self._grid = MapGrid(sizes, positions, *_places(sizes))
        for layer in self.encoder:
            tokens = layer(tokens, self._grid)
        return tokens

    def as_map(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        """As in training; tokens are a map with channels last already."""
        return tokens.unflatten(1, size).permute(0, 3, 1, 2)


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
            sample_planes(value, grid.sizes, *self._planes(queries, grid)).flatten(1)
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
    if type(decoder) is not PixelDecoder or not is_convolution(decoder.mask_feature):
        return decoder
    return PreparedPixelDecoder(decoder)


def _places(sizes: Sizes) -> tuple[Tensor, Tensor]:
    """Columns and rows of the pixels of all maps on the map of every level, each (L, 1, P)."""
    x, y = pixel_centres(sizes, torch.device('cpu')).t()  # (P,) each
    heights, widths = torch.tensor(sizes, dtype=x.dtype).t()[..., None, None]  # (L, 1, 1) each
    return x * widths - 0.5, y * heights - 0.5
