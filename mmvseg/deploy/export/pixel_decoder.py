"""Mask2Former's pixel decoder in operators that other programs have, with sizes that can be traced.

Deformable attention runs on a weighted bag otherwise (:mod:`mmvseg.ops`), which only torch has, and
positions are kept by the sizes of the maps, which a trace does not know. Results differ by rounding
alone. Nothing but the export runs this.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.ops import MultiScaleDeformableAttention
from torch import Tensor, nn

from mmvseg.models.heads.pixel_decoder import PixelDecoder, Sizes


class TraceablePixelDecoder(PixelDecoder):
    """The pixel decoder at inference.

    Args:
        decoder: the one whose layers become this one's, too.
    """

    def __init__(self, decoder: PixelDecoder) -> None:
        nn.Module.__init__(self)  # no new layers
        vars(self).update(vars(decoder))

    def encode(self, tokens: Tensor, sizes: Sizes) -> Tensor:
        """As ever, (N, P, C) -> (N, P, C)."""
        maps = [tokens.new_zeros(1, 1, *size) for size in sizes]
        positions = [
            self.postional_encoding(None, level).flatten(2).transpose(1, 2) + embed
            for level, embed in zip(maps, self.level_encoding.weight, strict=True)
        ]
        positions = torch.cat(positions, dim=1)  # (1, P, C)
        points = torch.cat([_centres(size, tokens) for size in sizes])  # (P, 2)
        for layer in self.encoder.layers:
            attended = attend(layer.self_attn, tokens, positions, points, sizes)
            tokens = layer.norms[0](tokens + attended)
            tokens = layer.norms[1](layer.ffn(tokens))
        return tokens


def attend(
    attention: MultiScaleDeformableAttention,
    tokens: Tensor,
    positions: Tensor,
    points: Tensor,
    sizes: Sequence[tuple[int, int]],
) -> Tensor:
    """Multi-scale deformable attention by ``grid_sample``, without the identity.

    Args:
        attention: the parameters.
        tokens: pixels of all maps, level after level, (N, S, C).
        positions: their codes, (1, S, C).
        points: their places ``(x, y)`` in [0, 1], (S, 2).
        sizes: height and width of each of L maps.

    Returns:
        (N, S, C).
    """
    heads, levels = attention.num_heads, attention.num_levels
    located = tokens + positions
    offsets = attention.sampling_offsets(located).unflatten(2, (heads, levels, -1, 2))
    weights = attention.attention_weights(located).unflatten(2, (heads, -1)).softmax(3)
    values = attention.value_proj(tokens).transpose(1, 2)  # (N, C, S)
    values = values.split([height * width for height, width in sizes], dim=2)
    samples = []
    for level, (rows, size) in enumerate(zip(values, sizes, strict=True)):
        plane = rows.unflatten(1, (heads, -1)).flatten(0, 1).unflatten(2, size)
        height, width = size
        x = points[:, None, None, 0] + offsets[:, :, :, level, :, 0] / width
        y = points[:, None, None, 1] + offsets[:, :, :, level, :, 1] / height
        grid = torch.stack([2 * x - 1, 2 * y - 1], dim=4)  # (N, S, heads, points, 2)
        grid = grid.transpose(1, 2).flatten(0, 1)  # (N * heads, S, points, 2)
        samples.append(F.grid_sample(plane, grid, align_corners=False))
    weights = weights.transpose(1, 2).flatten(0, 1)[:, None]  # (N * heads, 1, S, L * points)
    found = (torch.cat(samples, dim=3) * weights).sum(3)  # (N * heads, C / heads, S)
    found = found.unflatten(0, (-1, heads)).flatten(1, 2).transpose(1, 2)  # (N, S, C)
    return attention.output_proj(found)


def _centres(size: tuple[int, int], like: Tensor) -> Tensor:
    """Places ``(x, y)`` of the pixels of a map in [0, 1], row by row, (H * W, 2)."""
    y, x = ((torch.arange(cells, device=like.device) + 0.5) / cells for cells in size)
    y, x = torch.meshgrid(y, x, indexing='ij')
    return torch.stack([x, y], dim=2).flatten(0, 1).to(like.dtype)
