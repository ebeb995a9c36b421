"""Mask2Former's pixel decoder in operators that other programs have, with sizes that can be traced.

mmdet's forward pass reads sizes back from tensors, which ends a trace; deformable attention runs on
a weighted bag (:mod:`mmvseg.ops`), which only torch has. Parameters are those of mmdet's module,
and results differ by rounding alone. Nothing but the export runs this.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.ops import MultiScaleDeformableAttention
from mmdet.models.layers import MSDeformAttnPixelDecoder
from torch import Tensor, nn


class TraceablePixelDecoder(nn.Module):
    """The forward pass of a ``MSDeformAttnPixelDecoder`` at inference.

    Args:
        decoder: gives the parameters.
    """

    def __init__(self, decoder: MSDeformAttnPixelDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, feats: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Decode the maps of N frames.

        Args:
            feats: from stride 4 to 32, (N, channels, H, W) each.

        Returns:
            Mask features (N, C, h, w) at stride 4, and the maps that queries attend to, the
            coarsest first.
        """
        decoder = self.decoder
        levels = decoder.num_encoder_levels
        maps = [
            conv(feat)
            for conv, feat in zip(decoder.input_convs, feats[: -levels - 1 : -1], strict=True)
        ]
        sizes = [level.shape[-2:] for level in maps]
        tokens = torch.cat([_rows(level) for level in maps], dim=1)  # (N, S, C)
        positions = torch.cat(
            [
                _rows(decoder.postional_encoding(None, level)) + embed
                for level, embed in zip(maps, decoder.level_encoding.weight, strict=True)
            ],
            dim=1,
        )
        points = torch.cat([_centres(size, tokens) for size in sizes])  # (S, 2)
        for layer in decoder.encoder.layers:
            attended = attend(layer.self_attn, tokens, positions, points, sizes)
            tokens = layer.norms[0](tokens + attended)
            tokens = layer.norms[1](layer.ffn(tokens))
        parts = tokens.split([height * width for height, width in sizes], dim=1)
        maps = [
            part.transpose(1, 2).unflatten(2, size) for part, size in zip(parts, sizes, strict=True)
        ]
        for feat, lateral, output in zip(
            feats[-levels - 1 :: -1], decoder.lateral_convs, decoder.output_convs, strict=True
        ):
            side = lateral(feat)
            size = side.shape[-2:]
            above = F.interpolate(maps[-1], size, mode='bilinear', align_corners=False)
            maps.append(output(side + above))
        return decoder.mask_feature(maps[-1]), maps[: decoder.num_outs]


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


def _rows(level: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, H * W, C)."""
    return level.flatten(2).transpose(1, 2)


def _centres(size: tuple[int, int], like: Tensor) -> Tensor:
    """Places ``(x, y)`` of the pixels of a map in [0, 1], row by row, (H * W, 2)."""
    y, x = ((torch.arange(cells, device=like.device) + 0.5) / cells for cells in size)
    y, x = torch.meshgrid(y, x, indexing='ij')
    return torch.stack([x, y], dim=2).flatten(0, 1).to(like.dtype)
