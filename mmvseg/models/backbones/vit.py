"""Plain Vision Transformers as DINOv2 (with registers) and DINOv3 train them.

DINOv2: arXiv 2304.07193, registers: 2309.16588; DINOv3: 2508.10104. The blocks can be run one by
one, with more tokens in front of those of the image: EoMT's queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmvseg.errors import UserError
from mmvseg.ops.linear import linear
from mmvseg.registry import MODELS

from .rotary import RotaryPositions, Rotation


class Attention(nn.Module):
    """Self-attention of all tokens.

    Args:
        embed_dims: C.
        num_heads: of C / num_heads channels each.
        key_bias: whether keys have a bias, as queries and values do.
    """

    def __init__(self, embed_dims: int, num_heads: int, key_bias: bool = True) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(embed_dims, 3 * embed_dims, bias=key_bias)
        if not key_bias:
            self.q_bias = nn.Parameter(torch.zeros(embed_dims))
            self.v_bias = nn.Parameter(torch.zeros(embed_dims))
        self.proj = nn.Linear(embed_dims, embed_dims)

    def forward(
        self, tokens: Tensor, rotation: Rotation | None = None, visible: Tensor | None = None
    ) -> Tensor:
        """Attend.

        Args:
            tokens: (N, S, C).
            rotation: of the patches, the last tokens; None: none.
            visible: which tokens each token may attend to, (N, 1, S, S) bool; None: all.

        Returns:
            (N, S, C).
        """
        bias = self.qkv.bias
        if bias is None:
            bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        projected = linear(tokens, self.qkv.weight, bias)
        query, key, value = projected.unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        if rotation is not None:
            query, key = rotation.turn(query), rotation.turn(key)  # (N, heads, S, D)
        heads = F.scaled_dot_product_attention(query, key, value, attn_mask=visible)
        return self.proj(heads.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Two linear layers with an exact GELU between them.

    Args:
        embed_dims: C.
        hidden_dims: width between the layers.
    """

    def __init__(self, embed_dims: int, hidden_dims: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(embed_dims, hidden_dims)
        self.fc2 = nn.Linear(hidden_dims, embed_dims)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, S, C) -> (N, S, C)."""
        return self.fc2(linear(tokens, self.fc1.weight, self.fc1.bias, 'gelu'))


class Block(nn.Module):
    """Pre-norm transformer block whose two branches are scaled channel by channel.

    Args:
        embed_dims: C.
        num_heads: of the attention.
        hidden_dims: of the feed-forward layers.
        norm_eps: of the two LayerNorms.
        key_bias: see :class:`Attention`.
        layer_scale: at the start of a training.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        hidden_dims: int,
        norm_eps: float = 1e-6,
        key_bias: bool = True,
        layer_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(embed_dims, eps=norm_eps)
        self.attn = Attention(embed_dims, num_heads, key_bias)
        self.ls1 = nn.Parameter(torch.full((embed_dims,), layer_scale))
        self.norm2 = nn.LayerNorm(embed_dims, eps=norm_eps)
        self.mlp = FeedForward(embed_dims, hidden_dims)
        self.ls2 = nn.Parameter(torch.full((embed_dims,), layer_scale))

    def forward(
        self, tokens: Tensor, rotation: Rotation | None = None, visible: Tensor | None = None
    ) -> Tensor:
        """(N, S, C) -> (N, S, C), see :meth:`Attention.forward`."""
        tokens = tokens + self.ls1 * self.attn(self.norm1(tokens), rotation, visible)
        return tokens + self.ls2 * self.mlp(self.norm2(tokens))


@dataclass
class ImageTokens:
    """Images as tokens.

    Attributes:
        tokens: the class token, the registers, then the patches row by row, (N, S, C).
        grid: rows and columns of patches.
        rotation: of the patches, to be given to every block; None without rotary positions.
    """

    tokens: Tensor
    grid: tuple[int, int]
    rotation: Rotation | None


@MODELS.register_module()
class DINOViT(BaseModule):
    """A plain Vision Transformer.

    As a backbone of other models it gives maps of one stride; ``PyramidViT`` makes several.

    Args:
        embed_dims: C.
        depth: blocks.
        num_heads: of the attention.
        patch_size: side of a patch in pixels, which divides the sides of images.
        num_registers: tokens beside the class token.
        position: ``learned`` (DINOv2) or ``rotary`` (DINOv3).
        grid_size: rows and columns of learned positions, scaled to those of the images.
        mlp_ratio: width of the feed-forward layers over C.
        norm_eps: of all LayerNorms.
        key_bias: whether keys have a bias; they have none in DINOv3.
        layer_scale: of the branches at the start of a training from scratch.
        out_indices: blocks whose outputs :meth:`forward` returns, in order; negative ones count
            from the end. The last block must be one of them: those after it would do nothing.
        with_cp: compute the blocks again in the backward pass instead of keeping what is in them.
        frozen: whether it is not trained; it always infers then.
        init_cfg: mmengine's initialisation.

    Raises:
        UserError: arguments do not fit together.
    """

    def __init__(
        self,
        embed_dims: int,
        depth: int,
        num_heads: int,
        patch_size: int = 16,
        num_registers: int = 4,
        position: str = 'learned',
        grid_size: int | None = None,
        mlp_ratio: float = 4,
        norm_eps: float = 1e-6,
        key_bias: bool = True,
        layer_scale: float = 1.0,
        out_indices: Sequence[int] = (-1,),
        with_cp: bool = False,
        frozen: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if position not in ('learned', 'rotary'):
            raise UserError(f"backbone.position = {position!r}: must be 'learned' or 'rotary'")
        check_heads('backbone', embed_dims, num_heads, rotary=position == 'rotary')
        _check_grid(position, grid_size)
        self.embed_dims, self.num_heads, self.patch_size = embed_dims, num_heads, patch_size
        self.out_indices = _block_indices(out_indices, depth)
        self.with_cp, self.frozen = with_cp, frozen
        self.patch_embed = nn.Conv2d(3, embed_dims, patch_size, stride=patch_size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dims))
        self.register_tokens = nn.Parameter(torch.zeros(1, num_registers, embed_dims))
        self.rotary = None
        if position == 'learned':
            self.pos_embed = nn.Parameter(torch.zeros(1, grid_size**2, embed_dims))
            #: Rows and columns of ``pos_embed``.
            self.position_grid = (grid_size, grid_size)
        else:
            self.rotary = RotaryPositions(embed_dims // num_heads)
        self.blocks = nn.ModuleList(
            Block(
                embed_dims, num_heads, int(mlp_ratio * embed_dims), norm_eps, key_bias, layer_scale
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(embed_dims, eps=norm_eps)
        self.requires_grad_(not frozen)

    def train(self, mode: bool = True) -> 'DINOViT':
        """Set the mode, on which rotary positions depend; a frozen one always infers."""
        return super().train(mode and not self.frozen)

    @property
    def num_extra_tokens(self) -> int:
        """Class token and registers, which come before the patches."""
        return 1 + self.register_tokens.shape[1]

    def init_weights(self) -> None:
        """For training from scratch: small normal numbers, zeros for biases."""
        if not self.is_init and self.init_cfg is None:
            for name, parameter in self.named_parameters():
                if name.endswith(('.ls1', '.ls2')) or 'norm' in name:
                    continue  # as they are made
                if parameter.dim() == 1:
                    nn.init.zeros_(parameter)
                else:
                    nn.init.trunc_normal_(parameter, std=0.02)
        super().init_weights()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Maps of the blocks ``out_indices``, after the last norm.

        Args:
            images: (N, 3, H, W).

        Returns:
            Each (N, C, H / patch_size, W / patch_size).
        """
        image = self.embed(images)
        maps = []
        for index, block in enumerate(self.blocks):
            image.tokens = self.run(block, image.tokens, image.rotation)
            if index in self.out_indices:
                patches = self.norm(image.tokens)[:, self.num_extra_tokens :]
                maps.append(patches.transpose(1, 2).unflatten(2, image.grid))
        return tuple(maps)

    def embed(self, images: Tensor) -> ImageTokens:
        """Tokens of images (N, 3, H, W) before the first block.

        Raises:
            UserError: their sides are not multiples of the patch size.
        """
        if any(side % self.patch_size for side in images.shape[-2:]):
            raise UserError(
                f'backbone.patch_size = {self.patch_size}: does not divide images of '
                f'{images.shape[-2]} x {images.shape[-1]} pixels; make '
                'model.data_preprocessor.pad_size_divisor a multiple of it'
            )
        patches = self.patch_embed(images)  # (N, C, h, w)
        grid = (patches.shape[2], patches.shape[3])
        patches = patches.flatten(2).transpose(1, 2)  # (N, P, C)
        if self.rotary is None:
            patches = patches + self._positions(grid)
        extra = torch.cat([self.cls_token, self.register_tokens], dim=1)
        tokens = torch.cat([extra.expand(len(patches), -1, -1).to(patches), patches], dim=1)
        return ImageTokens(tokens, grid, self.rotary(grid) if self.rotary else None)

    def run(
        self,
        block: nn.Module,
        tokens: Tensor,
        rotation: Rotation | None = None,
        visible: Tensor | None = None,
    ) -> Tensor:
        """A block on tokens (N, S, C), recomputed in the backward pass if ``with_cp``."""
        if self.with_cp and torch.is_grad_enabled():
            return checkpoint(block, tokens, rotation, visible, use_reentrant=False)
        return block(tokens, rotation, visible)

    @torch.no_grad()
    def settle_positions(self, grid: tuple[int, int]) -> None:
        """Scale learned positions once and for all; images of other grids are off from then on."""
        self.pos_embed = nn.Parameter(self._positions(grid), requires_grad=False)
        self.position_grid = grid

    def _positions(self, grid: tuple[int, int]) -> Tensor:
        """Learned positions scaled to a grid, (1, P, C)."""
        if grid == self.position_grid:
            return self.pos_embed
        image = self.pos_embed.float().transpose(1, 2).unflatten(2, self.position_grid)
        scaled = F.interpolate(image, grid, mode='bicubic', antialias=True, align_corners=False)
        return scaled.flatten(2).transpose(1, 2).to(self.pos_embed.dtype)


def check_heads(key: str, embed_dims: int, num_heads: int, rotary: bool) -> None:
    """Refuse heads that do not divide the channels.

    Args:
        key: of the config, below which ``num_heads`` is.
        embed_dims: C.
        num_heads: of the attention.
        rotary: whether their positions are, which needs multiples of 4 channels.

    Raises:
        UserError: naming the key.
    """
    if embed_dims % (num_heads * (4 if rotary else 1)):
        raise UserError(
            f'{key}.num_heads = {num_heads}: {embed_dims} channels (backbone.embed_dims) cannot '
            'be divided into so many heads' + (' of multiples of 4 channels' if rotary else '')
        )


def _check_grid(position: str, grid_size: int | None) -> None:
    if position == 'learned' and not grid_size:
        raise UserError(
            'backbone.grid_size: learned positions need one, the side of an image over patch_size'
        )
    if position == 'rotary' and grid_size:
        raise UserError('backbone.grid_size: rotary positions have no grid; leave it out')


def _block_indices(out_indices: Sequence[int], depth: int) -> list[int]:
    """Counted from the first block."""
    blocks = [index + depth if index < 0 else index for index in out_indices]
    if blocks[-1:] != [depth - 1] or blocks != sorted(set(blocks) & set(range(depth))):
        raise UserError(
            f'backbone.out_indices = {tuple(out_indices)}: must be blocks in order, the last of '
            f'them block {depth - 1}; to end earlier, lower backbone.depth'
        )
    return blocks
