"""Linear layers and convolutions with what follows them fused in, for inference on a CPU.

Modules are replaced by others that give the same numbers up to rounding. Which layers may be is
decided by their exact kind: a sub-class may do more than its base.
"""

from mmcv.cnn import ConvModule
from mmcv.cnn.bricks import wrappers
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmvseg.ops.linear import linear
from mmvseg.ops.packed_conv import packed


class FusedLinear(nn.Module):
    """A linear layer with the activation behind it. Shares the layer's parameters.

    Args:
        layer: the linear layer.
        activation: ``none``, ``relu`` or ``gelu``.
    """

    def __init__(self, layer: nn.Linear, activation: str = 'none') -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.weight, self.bias = layer.weight, layer.bias
        self.activation = activation

    def forward(self, rows: Tensor) -> Tensor:
        """(..., K) -> (..., N)."""
        return linear(rows, self.weight, self.bias, self.activation)


def fuse_layers(root: nn.Module) -> None:
    """Replace linear layers, and convolutions of mmcv's ``ConvModule``, wherever below ``root``."""
    for parent in list(root.modules()):
        if isinstance(parent, nn.Sequential):
            fuse_sequence(parent)
        elif type(parent) is ConvModule:
            fuse_conv_module(parent)
        for name, child in list(parent.named_children()):
            if is_linear(child):
                setattr(parent, name, FusedLinear(child))


def fuse_sequence(sequence: nn.Sequential) -> None:
    """Fuse what follows each other in a sequence; the places of what is gone hold nothing.

    Convolutions are fused in sequences alone that hold nothing but them, norms and activations.
    """
    layers = list(sequence)
    convolutional = all(
        is_convolution(layer) or is_fixed_norm(layer) or activation_of(layer) == 'relu'
        for layer in layers
    )
    for place, layer in enumerate(layers):
        behind = layers[place + 1 :]
        if is_linear(layer):
            activation = activation_of(behind[0]) if behind else None
            sequence[place] = FusedLinear(layer, activation or 'none')
            gone = 1 if activation else 0
        elif convolutional and is_convolution(layer):
            norm = behind[0] if behind and is_fixed_norm(behind[0]) else None
            rest = behind[1:] if norm is not None else behind
            activation = activation_of(rest[0]) if rest else None
            sequence[place] = packed(layer, norm, activation or 'none')
            gone = (norm is not None) + (activation is not None)
        else:
            continue
        for number in range(place + 1, place + 1 + gone):
            sequence[number] = nn.Identity()


def fuse_conv_module(module: ConvModule) -> None:
    """Pack the convolution, with a fixed batch norm and a ReLU behind it where there are such."""
    if not is_convolution(module.conv) or module.order != ('conv', 'norm', 'act'):
        return
    if module.with_explicit_padding or module.with_spectral_norm:
        return
    norm = module.norm if module.with_norm and is_fixed_norm(module.norm) else None
    if module.with_norm and norm is None:  # a group norm stays, with what follows it
        module.conv = packed(module.conv)
        return
    relu = module.with_activation and activation_of(module.activate) == 'relu'
    module.conv = packed(module.conv, norm, 'relu' if relu else 'none')
    if norm is not None:
        setattr(module, module.norm_name, nn.Identity())
        module.with_norm = False
    if relu:
        module.with_activation = False


def is_linear(layer: nn.Module) -> bool:
    """Whether a layer is a linear one and nothing more."""
    kinds = (nn.Linear, wrappers.Linear, nn.modules.linear.NonDynamicallyQuantizableLinear)
    return type(layer) in kinds


def is_convolution(layer: nn.Module) -> bool:
    """Whether a layer is a convolution that can be packed."""
    if type(layer) not in (nn.Conv2d, wrappers.Conv2d):
        return False
    return layer.padding_mode == 'zeros' and not isinstance(layer.padding, str)


def is_fixed_norm(layer: nn.Module) -> bool:
    """Whether a layer is a batch norm that infers from statistics of its own."""
    return isinstance(layer, _BatchNorm) and not layer.training and layer.track_running_stats


def activation_of(layer: nn.Module) -> str | None:
    """The name of an activation that can be fused, None for any other layer."""
    if type(layer) is nn.ReLU:
        return 'relu'
    return 'gelu' if type(layer) is nn.GELU and layer.approximate == 'none' else None
