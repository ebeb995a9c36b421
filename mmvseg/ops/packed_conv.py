"""Convolutions for inference on a CPU: weights packed once, norm and activation fused in.

Called as ever, oneDNN converts weights and maps from and to its own layouts in every convolution.
Here the weights are kept in the layout that it asks for, and maps are channels last, which it
computes with as they are.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from .linear import ACTIVATIONS
from .winograd import kernel_products, winograd_conv

#: Channels from which on the transforms of :mod:`.winograd` cost less than it saves.
WINOGRAD_CHANNELS = 192


class PackedConv2d(nn.Module):
    """A convolution with the fixed batch norm behind it, without gradients, float32 on a CPU.

    Args:
        conv: gives weights and geometry; zero padding.
        norm: batch norm whose statistics are folded into the weights.
        activation: what follows, one of :data:`mmvseg.ops.linear.ACTIVATIONS`.
        keep_weight: keep the weight as it was, too, for those who read it.

    Attributes:
        weight: that of ``conv``, None unless ``keep_weight``.
        bias: with the norm's in it, (C',) or None.
    """

    def __init__(
        self,
        conv: nn.Conv2d,
        norm: nn.BatchNorm2d | None = None,
        activation: str = 'none',
        keep_weight: bool = False,
    ) -> None:
        super().__init__()
        self.geometry = (conv.padding, conv.stride, conv.dilation, conv.groups)
        self.activation = activation
        # No parameters: what oneDNN packs can be neither saved nor moved to another device.
        self.weight = conv.weight.detach() if keep_weight else None
        weight, self.bias = _folded(conv, norm)
        self._weight = weight.contiguous(memory_format=torch.channels_last)
        self._packed = False

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H', W'), channels last in memory."""
        maps = self._prepared(maps)
        algorithm = ACTIVATIONS[self.activation][0]
        return torch.ops.mkldnn._convolution_pointwise(
            maps, self._weight, self.bias, *self.geometry, self.activation, [], algorithm
        )

    def add_to(self, sums: Tensor, maps: Tensor) -> Tensor:
        """Add what :meth:`forward` gives without activation to ``sums``, in place, then activate.

        Only ReLU can follow a sum.

        Args:
            sums: (N, C', H', W'), channels last.
            maps: (N, C, H, W).
        """
        activation = None if self.activation == 'none' else self.activation
        return torch.ops.mkldnn._convolution_pointwise_.binary(
            sums,
            self._prepared(maps),
            self._weight,
            self.bias,
            *self.geometry,
            'add',
            1.0,
            activation,
            [],
            ACTIVATIONS[self.activation][0],
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


class WinogradConv2d(nn.Module):
    """The same for a 3x3 convolution that keeps the size, by :mod:`.winograd`.

    Args:
        conv: the convolution, see :func:`winograd_pays`.
        norm: as of :class:`PackedConv2d`, as is the next.
        activation: what follows.
    """

    def __init__(
        self, conv: nn.Conv2d, norm: nn.BatchNorm2d | None = None, activation: str = 'none'
    ) -> None:
        super().__init__()
        self.activation = activation
        self._weight, self.bias = _folded(conv, norm)
        self._kernel: list[Tensor] | None = None

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H, W), channels last in memory."""
        output = winograd_conv(maps, self._products(), self.bias)
        return ACTIVATIONS[self.activation][1](output)

    def add_to(self, sums: Tensor, maps: Tensor) -> Tensor:
        """As of :class:`PackedConv2d`."""
        sums += winograd_conv(maps, self._products(), self.bias)
        return ACTIVATIONS[self.activation][1](sums)

    def _products(self) -> list[Tensor]:
        """The transformed kernel: made at the first call, since it is larger than the weight."""
        if self._kernel is None:
            self._kernel, self._weight = kernel_products(self._weight), None
        return self._kernel


def packed(
    conv: nn.Conv2d, norm: nn.BatchNorm2d | None = None, activation: str = 'none'
) -> PackedConv2d | WinogradConv2d:
    """The faster form of a convolution, with norm and activation in it."""
    kind = WinogradConv2d if winograd_pays(conv) else PackedConv2d
    return kind(conv, norm, activation)


def winograd_pays(conv: nn.Conv2d) -> bool:
    """Whether a convolution is one of 3x3 that keeps the size, with many channels."""
    geometry = (conv.kernel_size, conv.padding, conv.stride, conv.dilation, conv.groups)
    if geometry != ((3, 3), (1, 1), (1, 1), (1, 1), 1):
        return False
    return min(conv.in_channels, conv.out_channels) >= WINOGRAD_CHANNELS


def _folded(conv: nn.Conv2d, norm: nn.BatchNorm2d | None) -> tuple[Tensor, Tensor | None]:
    """Weight and bias of a convolution and the norm behind it."""
    weight, bias = conv.weight, conv.bias
    if norm is not None:
        statistics = (norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias)
        weight, bias = fuse_conv_bn_weights(weight, bias, *statistics)
    return weight.detach(), None if bias is None else bias.detach()
