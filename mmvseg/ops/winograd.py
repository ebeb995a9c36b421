"""3x3 convolutions in 4 products a pixel instead of 9, for inference on a CPU.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016), F(2 x 2, 3 x 3):
tiles of 4 x 4 pixels, which overlap by two, and the kernel are transformed, multiplied channel by
channel, and transformed back to tiles of 2 x 2. All transforms are sums of few terms, so that the
rounding is that of the direct sum. It pays where the products outweigh the transforms: for many
channels and pixels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .linear import product

#: Tiles that are transformed at a time: enough for fast products, few enough for the cache.
CHUNK_TILES = 512


def kernel_products(weight: Tensor) -> list[Tensor]:
    """The transformed kernel: for each of the 16 places of a tile a matrix (C', C), packed.

    Args:
        weight: (C', C, 3, 3).
    """
    transform = weight.new_tensor([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
    places = torch.einsum('ra,oiab,cb->rcoi', transform, weight, transform)  # (4, 4, C', C)
    return [torch.ops.mkldnn._reorder_linear_weight(place) for place in places.flatten(0, 1)]


def winograd_conv(maps: Tensor, kernel: list[Tensor], bias: Tensor | None) -> Tensor:
    """A 3x3 convolution with stride 1 and a border of zeros of one pixel.

    Args:
        maps: (N, C, H, W), best channels last.
        kernel: what :func:`kernel_products` made of the weight.
        bias: (C',).

    Returns:
        (N, C', H, W), channels last.
    """
    N, _, H, W = maps.shape
    tile_rows, tile_columns = (H + 1) // 2, (W + 1) // 2
    channels = kernel[0].shape[0]
    output = maps.new_empty(N, tile_rows, 2, tile_columns, 2, channels)
    step_images = max(1, CHUNK_TILES // (tile_rows * tile_columns))
    step_rows = max(1, CHUNK_TILES // tile_columns)
    for part, pixels in zip(output.split(step_images), maps.split(step_images), strict=True):
        for first_row in range(0, tile_rows, step_rows):
            rows = slice(first_row, min(first_row + step_rows, tile_rows))
            tiles = _input_tiles(_bands(pixels.permute(0, 2, 3, 1), rows))  # (16, tiles, C)
            products = [product(tile, matrix) for tile, matrix in zip(tiles, kernel, strict=True)]
            _write_output(products, bias, part[:, rows])
    pixels = output.view(N, 2 * tile_rows, 2 * tile_columns, channels)
    return pixels[:, :H, :W].permute(0, 3, 1, 2)


def _bands(pixels: Tensor, rows: slice) -> Tensor:
    """The four rows of pixels that each of some rows of tiles reads, zeros beyond the border.

    Args:
        pixels: (N, H, W, C).
        rows: of tiles.

    Returns:
        (4, N, rows, columns, C); the columns are those of the pixels and of the zeros beside them.
    """
    H, W = pixels.shape[1:3]
    top, bottom = 2 * rows.start - 1, 2 * rows.stop + 1
    border = (0, 0, 1, 1 + W % 2, max(0, -top), max(0, bottom - H))
    padded = F.pad(pixels[:, max(0, top) : bottom], border)
    return padded.unfold(1, 4, 2).movedim(4, 0)


def _input_tiles(bands: Tensor) -> Tensor:
    """Transformed tiles, (16, tiles, C), of rows of pixels (4, N, rows, columns, C)."""
    first, second, third, fourth = bands
    rows = (first - third, second + third, third - second, second - fourth)
    tiles = bands.new_empty(4, 4, *first.shape[:2], first.shape[2] // 2 - 1, first.shape[3])
    for row, places in zip(rows, tiles, strict=True):
        first, third = row[:, :, :-2:2], row[:, :, 2::2]
        second, fourth = row[:, :, 1:-1:2], row[:, :, 3::2]
        torch.sub(first, third, out=places[0])
        torch.add(second, third, out=places[1])
        torch.sub(third, second, out=places[2])
        torch.sub(second, fourth, out=places[3])
    return tiles.flatten(2, 4).flatten(0, 1)


def _write_output(products: list[Tensor], bias: Tensor | None, output: Tensor) -> None:
    """Transform products, 16 of (tiles, C'), back into pixels (N, rows, 2, columns, 2, C')."""
    N, rows, _, columns, _, channels = output.shape
    places = [product.view(N, rows, columns, channels) for product in products]
    upper, lower = [], []
    for first, second, third, fourth in zip(
        *(places[i : i + 4] for i in (0, 4, 8, 12)), strict=True
    ):
        upper.append(second + third)
        lower.append(second.sub_(third).sub_(fourth))
        upper[-1] += first
    for line, (first, second, third, fourth) in enumerate((upper, lower)):
        if bias is not None:
            second += bias
        torch.add(first, second, out=output[:, :, line, :, 0]).add_(third)
        torch.sub(second, third, out=output[:, :, line, :, 1]).sub_(fourth)
