"""MsgShifT for inference on a CPU: packed convolutions, GELU in the depthwise ones.

Messengers pass the same kernels by their sums, so that these stay readable.
"""

from mmvseg.models.backbones.msgshift import MsgShifT
from mmvseg.ops.packed_conv import PackedConv2d

from .layers import activation_of, is_convolution


def prepare_msgshift(backbone: MsgShifT) -> None:
    """Replace what embeds patches, reduces keys, and the depthwise part of the feed-forward."""
    for patch_embed, blocks, _ in backbone.layers:
        if is_convolution(patch_embed.projection):
            patch_embed.projection = PackedConv2d(patch_embed.projection, keep_weight=True)
        for block in blocks:
            if block.attn.sr_ratio > 1 and is_convolution(block.attn.sr):
                block.attn.sr = PackedConv2d(block.attn.sr, keep_weight=True)
            _, depthwise, activation, *_ = block.ffn.layers
            name = activation_of(activation)
            if name and is_convolution(depthwise):
                block.ffn.layers[1] = PackedConv2d(depthwise, activation=name, keep_weight=True)
