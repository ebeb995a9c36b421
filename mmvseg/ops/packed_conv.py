"""Convolutions for inference on a CPU: weights packed once, norm and activation fused in.

Called as ever, oneDNN converts weights and maps from and to its own layouts in every convolution.
Here the weights are kept in the layout that it asks for, and maps are channels last, which it
computes with as they are.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from .winograd import kernel_products, winograd_conv

#: Channels from which on the transforms of :mod:`.winograd` cost less than it saves.
WINOGRAD_CHANNELS = 192


class PackedConv2d(nn.Module):
    """A convolution with the fixed batch norm behind it, without gradients, float32 on a CPU.

    Args:
        conv: gives weights and geometry; zero padding.
        norm: batch norm whose statistics are folded into the weights.
        activation: what follows, ``none`` or ``relu``.
    """

    def __init__(
        self, conv: nn.Conv2d, norm: nn.BatchNorm2d | None = None, activation: str = 'none'
    ) -> None:
        super().__init__()
        self.geometry = (conv.padding, conv.stride, conv.dilation, conv.groups)
        self.activation = activation
        weight, bias = conv.weight, conv.bias
        if norm is not None:
            weight, bias = fuse_conv_bn_weights(
                weight,
                bias,
                norm.running_mean,
                norm.running_var,
                norm.eps,
                norm.weight,
                norm.bias,
            )
        # No parameters: what oneDNN packs can be neither saved nor moved to another device.
        self._bias = None if bias is None else bias.detach()
        self._products = kernel_products(weight.detach()) if _winograd_pays(conv) else None
        self._weight, self._packed = None, False
        if self._products is None:
            self._weight = weight.detach().contiguous(memory_format=torch.channels_last)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H', W'), channels last in memory."""
        if self._products is not None:
            output = winograd_conv(maps, self._products, self._bias)
            return output.relu_() if self.activation == 'relu' else output
        maps = self._prepared(maps)
        return torch.ops.mkldnn._convolution_pointwise(
            maps, self._weight, self._bias, *self.geometry, self.activation, [], ''
        )

    def add_to(self, sums: Tensor, maps: Tensor) -> Tensor:
        """Add what :meth:`forward` gives without activation to ``sums``, in place, then activate.

        Args:
            sums: (N, C', H', W'), channels last.
            maps: (N, C, H, W).
        """
        if self._products is not None:
            sums += winograd_conv(maps, self._products, self._bias)
            return sums.relu_() if self.activation == 'relu' else sums
        activation = None if self.activation == 'none' else self.activation
        return torch.ops.mkldnn._convolution_pointwise_.binary(
            sums,
            self._prepared(maps),
            self._weight,
            self._bias,
            *self.geometry,
            'add',
            1.0,
            activation,
            [],
            '',
        )

    def _prepared(self, maps: Tensor) -> Tensor:
        """Maps channels last; the weights, at the first call, in the layout for their size."""
        maps = maps.contiguous(memory_format=torch.channels_last)
        if not self._packed:
            self._weight = torch.ops.mkldnn._reorder_convolution_weight(
                self._weight, *self.geometry, list(maps.shape)
            )
            self._packed = True
        return maps


def _winograd_pays(conv: nn.Conv2d) -> bool:
    """Whether a convolution is one of 3x3 that keeps the size, with many channels."""
    geometry = (conv.kernel_size, conv.padding, conv.stride, conv.dilation, conv.groups)
    if geometry != ((3, 3), (1, 1), (1, 1), (1, 1), 1):
        return False
    return min(conv.in_channels, conv.out_channels) >= WINOGRAD_CHANNELS
