"""MsgShifT, the backbone of TeViT: PVTv2 with messenger tokens that shift between frames.

TeViT (CVPR 2022), section 3.2. The skeleton and every parameter but ``msg_tokens`` are PVTv2's
(mmdet), so its weights load one to one.

Two things are done differently from the published code, at equal results: messengers are not
computed where nobody reads them any more (after the keys of the last block that reduces its keys),
and without gradients a block takes a few frames at a time, since frames meet in the shift alone.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.models.backbones.pvt import (
    MixFFN,
    PVTEncoderLayer,
    PyramidVisionTransformerV2,
    SpatialReductionAttention,
)
from mmdet.models.layers import PatchEmbed
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmvseg.ops.linear import linear
from mmvseg.ops.packed_conv import PackedConv2d
from mmvseg.registry import MODELS

# Elements of the largest tensor inside a block, if no gradient is needed: decides how many frames
# it takes at a time. On a CPU 32 MiB of float32, up to which glibc reuses memory; what is larger is
# mapped and zeroed anew each time, a tenth of the run time. A GPU wants large launches.
CHUNK_ELEMENTS = {'cpu': 2**23, 'cuda': 2**27}


@MODELS.register_module()
class MsgShifT(PyramidVisionTransformerV2):
    """PVTv2 whose messenger tokens carry information from frame to frame.

    The messengers live in RGB space, pass through the same layers as the image and are rolled along
    the frames of their clip after every block: group g by ``shift_strides[g]`` frames, back again
    after the next block.

    Args:
        num_msg_tokens: messengers per frame, a multiple of the number of groups; 0 makes this a
            plain PVTv2.
        shift_strides: frames that each group of messengers travels; None turns the shift off.
        frame_chunk: frames that a block processes at a time when no gradient is needed; None for as
            many as keep its tensors small.
        with_cp: recompute the blocks in the backward pass instead of keeping their activations.
        **kwargs: of mmdet's ``PyramidVisionTransformerV2`` (``embed_dims``, ``num_layers``,
            ``num_heads``, ``sr_ratios``, ``mlp_ratios``, ...), which also gives sizes b0 to b5.

    Example:
        >>> backbone = MsgShifT(embed_dims=8, num_layers=[1, 1, 1, 1])
        >>> maps = backbone(torch.rand(6, 3, 64, 96), num_frames=3)  # two clips of three frames
        >>> maps[0].shape
        torch.Size([6, 8, 16, 24])
    """

    def __init__(
        self,
        num_msg_tokens: int = 32,
        shift_strides: Sequence[int] | None = (1, -1, 2, -2),
        frame_chunk: int | None = None,
        with_cp: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if shift_strides and num_msg_tokens % len(shift_strides):
            raise ValueError(
                f'num_msg_tokens={num_msg_tokens} is not a multiple of the {len(shift_strides)} '
                f'groups of shift_strides={tuple(shift_strides)}'
            )
        self.num_msg_tokens = num_msg_tokens
        self.shift_strides = shift_strides
        self.frame_chunk = frame_chunk
        self.with_cp = with_cp
        if num_msg_tokens:
            self.msg_tokens = nn.Parameter(torch.zeros(1, num_msg_tokens, 3))
        blocks = [block for _, stage_blocks, _ in self.layers for block in stage_blocks]
        reads_messengers = [block.attn.sr_ratio > 1 for block in blocks]
        # Position, over all stages, of the last block whose keys include the messengers.
        self._last_reader = max(
            (i for i, reads in enumerate(reads_messengers) if reads), default=-1
        )

    def init_weights(self) -> None:
        """Initialise as PVTv2, the messengers from a truncated normal of deviation 0.02."""
        super().init_weights()
        if self.num_msg_tokens:
            nn.init.trunc_normal_(self.msg_tokens, std=0.02)

    def forward(self, frames: Tensor, num_frames: int = 1) -> tuple[Tensor, ...]:
        """Feature maps of the frames of B clips.

        Args:
            frames: (B * T, 3, H, W), the frames of a clip following each other.
            num_frames: T.

        Returns:
            One map (B * T, C_i, H_i, W_i) for each of ``out_indices``, at strides 4, 8, 16, 32.
        """
        messengers = None
        if self.num_msg_tokens:
            messengers = self.msg_tokens.expand(frames.shape[0], -1, -1)  # (N, M, 3)
        maps, x, depth = [], frames, 0
        for stage, (patch_embed, blocks, norm) in enumerate(self.layers):
            if depth > self._last_reader:
                messengers = None
            if messengers is not None:
                messengers = embed_messengers(patch_embed, messengers)
            x, hw = self._embed_patches(patch_embed, x)  # (N, H_i * W_i, C_i)
            for index, block in enumerate(blocks):
                x, messengers = self._run_block(block, x, hw, messengers, depth < self._last_reader)
                if messengers is not None and not (len(blocks) % 2 and index == len(blocks) - 1):
                    messengers = self._shift(messengers, num_frames, backwards=index % 2 == 1)
                depth += 1
            x = norm(x)
            if messengers is not None:
                messengers = norm(messengers)
            x = _to_map(x, hw)  # (N, C_i, H_i, W_i)
            if stage in self.out_indices:
                maps.append(x)
        return tuple(maps)

    def _shift(self, messengers: Tensor, num_frames: int, backwards: bool) -> Tensor:
        """Roll each group of messengers (B * T, M, C) along the frames of its clip, circularly."""
        if not self.shift_strides or num_frames == 1:
            return messengers
        clips = messengers.unflatten(0, (-1, num_frames))  # (B, T, M, C)
        groups = clips.chunk(len(self.shift_strides), dim=2)
        sign = -1 if backwards else 1
        rolled = [
            group.roll(sign * stride, dims=1)
            for group, stride in zip(groups, self.shift_strides, strict=True)
        ]
        return torch.cat(rolled, dim=2).flatten(0, 1)

    def _embed_patches(self, patch_embed: PatchEmbed, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        if torch.is_grad_enabled():
            return patch_embed(x)
        parts = [patch_embed(part) for part in x.split(self._chunk_length(x, x[0].numel()))]
        return torch.cat([tokens for tokens, _ in parts]), parts[0][1]

    def _run_block(
        self,
        block: PVTEncoderLayer,
        x: Tensor,
        hw: tuple[int, int],
        messengers: Tensor | None,
        update_messengers: bool,
    ) -> tuple[Tensor, Tensor | None]:
        if torch.is_grad_enabled():
            arguments = (block, x, hw, messengers, update_messengers)
            if self.with_cp and x.requires_grad:
                return checkpoint(block_forward, *arguments, use_reentrant=False)
            return block_forward(*arguments)
        # x is owned by this stage, so the frames of a chunk can be replaced in place.
        updated = []
        step = self._chunk_length(x, x.shape[1] * block.ffn.feedforward_channels)
        for start in range(0, len(x), step):
            chunk = slice(start, start + step)
            chunk_messengers = None if messengers is None else messengers[chunk]
            x[chunk], chunk_messengers = block_forward(
                block, x[chunk], hw, chunk_messengers, update_messengers
            )
            updated.append(chunk_messengers)
        return x, torch.cat(updated) if updated[0] is not None else None

    def _chunk_length(self, x: Tensor, elements_per_frame: int) -> int:
        limit = CHUNK_ELEMENTS['cuda' if x.is_cuda else 'cpu']
        return self.frame_chunk or max(1, limit // elements_per_frame)


def embed_messengers(patch_embed: PatchEmbed, messengers: Tensor) -> Tensor:
    """Embed messengers (N, M, C_in) as images that are constant over the kernel: (N, M, C_out)."""
    projection = patch_embed.projection
    embedded = linear(messengers, projection.weight.sum((2, 3)), projection.bias)
    return patch_embed.norm(embedded)


def block_forward(
    block: PVTEncoderLayer,
    x: Tensor,
    hw: tuple[int, int],
    messengers: Tensor | None,
    update_messengers: bool,
) -> tuple[Tensor, Tensor | None]:
    """One encoder layer over image and messenger tokens, with the layer's own weights.

    Args:
        block: the layer whose weights both kinds of token share.
        x: image tokens, (N, H * W, C).
        hw: height and width of the map.
        messengers: (N, M, C), or None without them.
        update_messengers: False where only the keys still read the messengers; the second result
            is None then.
    """
    normed = block.norm1(x)
    normed_messengers = None if messengers is None else block.norm1(messengers)
    keys = reduced_keys(block.attn, normed, hw, normed_messengers)
    queries = (
        [normed, normed_messengers] if update_messengers and messengers is not None else [normed]
    )
    attended = [attend(block.attn.attn, query, keys) for query in queries]
    attended = drop_path(block.attn.dropout_layer, attended)
    x = x + attended[0]
    if len(queries) == 1:
        (change,) = drop_path(block.ffn.dropout_layer, [mix_ffn(block.ffn, block.norm2(x), hw)])
        return x + change, None
    messengers = messengers + attended[1]
    changes = [
        mix_ffn(block.ffn, block.norm2(x), hw),
        mix_ffn_messengers(block.ffn, block.norm2(messengers)),
    ]
    change, messenger_change = drop_path(block.ffn.dropout_layer, changes)
    return x + change, messengers + messenger_change


def reduced_keys(
    attention: SpatialReductionAttention, x: Tensor, hw: tuple[int, int], messengers: Tensor | None
) -> Tensor:
    """What the queries look at: the spatially reduced image tokens, then the messengers.

    Without reduction (the last stage) the keys are the image tokens alone.
    """
    if attention.sr_ratio == 1:
        return x
    reduced = attention.sr(_to_map(x, hw)).flatten(2).transpose(1, 2)
    if messengers is not None:
        weight = attention.sr.weight.sum((2, 3))
        reduced = torch.cat([reduced, linear(messengers, weight, attention.sr.bias)], dim=1)
    return attention.norm(reduced)


def attend(attention: nn.MultiheadAttention, queries: Tensor, keys: Tensor) -> Tensor:
    """Multi-head attention of queries (N, L, C) over keys (N, S, C) by torch's fused kernel."""
    channels, heads = attention.embed_dim, attention.num_heads
    q_weight, kv_weight = attention.in_proj_weight.split([channels, 2 * channels])
    q_bias = kv_bias = None
    if attention.in_proj_bias is not None:
        q_bias, kv_bias = attention.in_proj_bias.split([channels, 2 * channels])
    q = linear(queries, q_weight, q_bias).unflatten(-1, (heads, -1)).transpose(1, 2)
    kv = linear(keys, kv_weight, kv_bias).unflatten(-1, (2, heads, -1))
    k, v = kv.permute(2, 0, 3, 1, 4)  # (N, heads, S, C / heads) each
    dropout = attention.dropout if attention.training else 0.0
    out = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
    return attention.out_proj(out.transpose(1, 2).flatten(2))


def mix_ffn(ffn: MixFFN, x: Tensor, hw: tuple[int, int]) -> Tensor:
    """The convolutional feed-forward layer on tokens (N, H * W, C), without the residual.

    The 1x1 convolutions run as matrix products on the token layout, which is the channels-last
    layout of the map: no copy is needed on the way to the depthwise convolution and back.
    """
    expand, depthwise, activation, drop, contract, _ = ffn.layers
    hidden = linear(x, expand.weight.flatten(1), expand.bias)
    hidden = depthwise(_to_map(hidden, hw)).flatten(2).transpose(1, 2)
    if isinstance(depthwise, PackedConv2d):  # has the activation in it
        activation = nn.Identity()
    return drop(linear(drop(activation(hidden)), contract.weight.flatten(1), contract.bias))


def mix_ffn_messengers(ffn: MixFFN, messengers: Tensor) -> Tensor:
    """The same on messengers (N, M, C): the depthwise kernel acts by its sum."""
    expand, depthwise, activation, drop, contract, _ = ffn.layers
    hidden = linear(messengers, expand.weight.flatten(1), expand.bias)
    hidden = hidden * depthwise.weight.sum((1, 2, 3)) + depthwise.bias
    return drop(linear(drop(activation(hidden)), contract.weight.flatten(1), contract.bias))


def drop_path(layer: nn.Module, tokens: list[Tensor]) -> list[Tensor]:
    """Stochastic depth with one draw per frame for all of its tokens (each (N, L_i, C))."""
    lengths = [part.shape[1] for part in tokens]
    return list(layer(torch.cat(tokens, dim=1)).split(lengths, dim=1)) if layer.training else tokens


def _to_map(x: Tensor, hw: tuple[int, int]) -> Tensor:
    # In this order: transposed first, a single frame gets strides that convolutions do not take
    # for channels last, and they copy it.
    return x.unflatten(1, hw).permute(0, 3, 1, 2)  # (N, C, H, W), channels last in memory
