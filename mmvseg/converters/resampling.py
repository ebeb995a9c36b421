"""Tables and kernels of ViTs and Swins brought to a model of another size.

Each as its publishers do it: relative positions of windows as an image (Swin Transformer, A.1),
absolute positions as an image seen through a low-pass, and patch kernels so that the patches of
a resized image give what the old ones gave (FlexiViT, arXiv 2212.08013).
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def resample_bias_table(table: Tensor, num_positions: int) -> Tensor | None:
    """Swin's relative positions for another window.

    Args:
        table: ((2w - 1)², heads) for windows of w.
        num_positions: that the model has.

    Returns:
        (num_positions, heads); None if the table is none of a square window.
    """
    sides = _square(len(table)), _square(num_positions)
    if not all(sides):
        return None
    image = table.T.reshape(1, -1, sides[0], sides[0]).float()
    scaled = F.interpolate(image, sides[1], mode='bicubic', align_corners=False)
    return scaled[0].flatten(1).T.contiguous().to(table.dtype)


def resample_positions(positions: Tensor, num_positions: int) -> Tensor | None:
    """Learned positions of patches for another grid.

    Args:
        positions: (1, g², C) of a grid of g x g, row by row.
        num_positions: that the model has.

    Returns:
        (1, num_positions, C), as the model itself scales them to the grid of an image; None if
        one of the grids is no square.
    """
    sides = _square(positions.shape[1]), _square(num_positions)
    if not all(sides):
        return None
    image = positions.float().transpose(1, 2).unflatten(2, (sides[0], sides[0]))
    return _resize(image, sides[1]).flatten(2).transpose(1, 2).contiguous().to(positions.dtype)


def resample_patch_kernel(kernel: Tensor, size: int) -> Tensor:
    """A patch embedding for patches of another size.

    Args:
        kernel: (C, 3, p, p).
        size: of the new patches.

    Returns:
        Of all kernels (C, 3, size, size) the one whose products with resized patches come next
        to those of ``kernel`` with the patches themselves.
    """
    old = kernel.shape[-1]
    pixels = torch.eye(old**2, dtype=torch.float64).unflatten(1, (1, old, old))
    resize = _resize(pixels, size).flatten(1)  # (p², size²): what each pixel becomes
    return (
        (kernel.double().flatten(2) @ torch.linalg.pinv(resize).T)
        .unflatten(2, (size, size))
        .to(kernel.dtype)
    )


def _resize(images: Tensor, side: int) -> Tensor:
    return F.interpolate(images, (side, side), mode='bicubic', antialias=True, align_corners=False)


def _square(count: int) -> int:
    """The side of a square of so many; 0 if there is none."""
    side = round(count**0.5)
    return side if side**2 == count else 0
