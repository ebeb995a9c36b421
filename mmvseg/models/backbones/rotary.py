"""Rotary positions of the patches of an image (RoFormer in two axes, as DINOv3 has them)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

#: Largest factor, up or down, by which training scales the positions of a batch.
LARGEST_SCALE = 2.0


@dataclass
class Rotation:
    """Cosine and sine of the angle that each patch turns each channel by.

    Attributes:
        cos: (P, D), D channels of a head.
        sin: (P, D).
    """

    cos: Tensor
    sin: Tensor

    def turn(self, heads: Tensor) -> Tensor:
        """Turn the patches, which are the last P tokens; those before them stay as they are.

        Args:
            heads: queries or keys, (N, heads, S, D) with S >= P.
        """
        start = heads.shape[2] - self.cos.shape[0]  # len() would fix it in a trace
        patches = heads[:, :, start:]
        first, second = patches.chunk(2, dim=3)
        cos, sin = self.cos.to(heads.dtype), self.sin.to(heads.dtype)
        turned = patches * cos + torch.cat([-second, first], dim=3) * sin
        return torch.cat([heads[:, :, :start], turned], dim=2)


class RotaryPositions(nn.Module):
    """Angles of patches by their place in the image, from -1 to 1 on each axis.

    In training mode all positions of a call are scaled by one random factor between 1/2 and 2, so
    that images of other sizes are nothing new.

    Args:
        head_dims: D, channels of a head, a multiple of 4.
        base: of the wave lengths.
    """

    def __init__(self, head_dims: int, base: float = 100.0) -> None:
        super().__init__()
        frequencies = base ** -torch.arange(0, 1, 4 / head_dims)  # (D / 4,)
        self.register_buffer('frequencies', frequencies, persistent=False)

    def forward(self, grid: tuple[int, int]) -> Rotation:
        """The rotation of a grid of patches (rows, columns), row by row, in float32."""
        rows, columns = (
            (torch.arange(cells, device=self.frequencies.device) + 0.5) / cells * 2 - 1
            for cells in grid
        )
        places = torch.cartesian_prod(rows, columns)  # (P, 2), y first
        if self.training:
            places = places * self.random_scale()
        angles = 2 * math.pi * places[:, :, None] * self.frequencies.float()  # (P, 2, D / 4)
        angles = angles.flatten(1).repeat(1, 2)  # (P, D)
        return Rotation(angles.cos(), angles.sin())

    def random_scale(self) -> Tensor:
        """A factor whose logarithm is uniform, (1,)."""
        limit = math.log(LARGEST_SCALE)
        return torch.empty(1, device=self.frequencies.device).uniform_(-limit, limit).exp()
