"""Attention and feed-forward blocks of tracker and refiner."""

import torch.nn.functional as F
from torch import Tensor, nn

from mmvseg.errors import UserError
from mmvseg.ops.linear import linear


def build_attention(embed_dims: int, num_heads: int) -> nn.MultiheadAttention:
    """Parameters for :func:`attend`.

    Raises:
        UserError: if the heads do not divide the width.
    """
    if embed_dims % num_heads:
        raise UserError(
            f'embed_dims={embed_dims} cannot be split among num_heads={num_heads} (model.tracker, '
            'model.refiner); choose a number of heads that divides it'
        )
    return nn.MultiheadAttention(embed_dims, num_heads)


def attend(attention: nn.MultiheadAttention, query: Tensor, memory: Tensor) -> Tensor:
    """Attend to a memory; attention maps are never stored.

    Called itself, the module makes maps of all heads on some devices, quadratic in the length.

    Args:
        attention: the parameters.
        query: (N, L, C).
        memory: keys and values, (N, M, C).

    Returns:
        (N, L, C).
    """
    width = attention.embed_dim
    weights = attention.in_proj_weight.split([width, 2 * width])
    biases = attention.in_proj_bias.split([width, 2 * width])
    query = linear(query, weights[0], biases[0])
    key, value = linear(memory, weights[1], biases[1]).chunk(2, dim=2)
    heads = F.scaled_dot_product_attention(
        *(
            tensor.unflatten(2, (attention.num_heads, -1)).transpose(1, 2)
            for tensor in (query, key, value)
        )
    )  # (N, heads, L, C / heads)
    return attention.out_proj(heads.transpose(1, 2).flatten(2))  # (N, L, C)


def build_ffn(embed_dims: int, feedforward_channels: int) -> nn.Sequential:
    """Two linear layers with a ReLU between them."""
    return nn.Sequential(
        nn.Linear(embed_dims, feedforward_channels),
        nn.ReLU(inplace=True),
        nn.Linear(feedforward_channels, embed_dims),
    )


def build_mask_embed(embed_dims: int, mask_dims: int) -> nn.Sequential:
    """Three linear layers from a query to the embedding that mask features are multiplied with."""
    return nn.Sequential(
        nn.Linear(embed_dims, embed_dims),
        nn.ReLU(inplace=True),
        nn.Linear(embed_dims, embed_dims),
        nn.ReLU(inplace=True),
        nn.Linear(embed_dims, mask_dims),
    )


def init_blocks(*blocks: nn.Module) -> None:
    """Draw the matrices of attention and feed-forward blocks as in DETR."""
    for block in blocks:
        for parameter in block.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
