"""Building blocks of tracker and refiner: attention without stored maps, and prediction heads."""

import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.MultiheadAttention):
    """Multi-head attention over the second axis that keeps no attention maps.

    Args:
        embed_dims: C.
        num_heads: divides C.
    """

    def __init__(self, embed_dims: int, num_heads: int) -> None:
        super().__init__(embed_dims, num_heads, batch_first=True)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """Attend from (N, Lq, C) to (N, Lk, C); the result is (N, Lq, C)."""
        return super().forward(query, memory, memory, need_weights=False)[0]


class FeedForward(nn.Module):
    """Two linear layers with a ReLU, residual, then LayerNorm.

    Args:
        embed_dims: C.
        feedforward_channels: width in between.
    """

    def __init__(self, embed_dims: int, feedforward_channels: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(embed_dims, feedforward_channels)
        self.linear2 = nn.Linear(feedforward_channels, embed_dims)
        self.norm = nn.LayerNorm(embed_dims)

    def forward(self, queries: Tensor) -> Tensor:
        """The same shape, (..., C)."""
        return self.norm(queries + self.linear2(F.relu(self.linear1(queries))))


class MaskEmbed(nn.Sequential):
    """Three linear layers from a query to what its mask features are multiplied with.

    Args:
        embed_dims: C of the query.
        mask_dims: C of the mask features.
    """

    def __init__(self, embed_dims: int, mask_dims: int) -> None:
        super().__init__(
            nn.Linear(embed_dims, embed_dims),
            nn.ReLU(),
            nn.Linear(embed_dims, embed_dims),
            nn.ReLU(),
            nn.Linear(embed_dims, mask_dims),
        )


def init_transformer(module: nn.Module) -> None:
    """Xavier-uniform matrices, as usual for query decoders."""
    for parameter in module.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
