"""ResNet for inference on a CPU: batch norms in the weights, ReLU and sum in the convolutions."""

from mmdet.models.backbones.resnet import BasicBlock, Bottleneck, ResNet
from torch import Tensor, nn

from mmvseg.ops.packed_conv import packed

from .layers import fuse_sequence, is_convolution, is_fixed_norm


class PreparedBlock(nn.Module):
    """A residual block, ``relu(shortcut(x) + branch(x))``, in as many passes as convolutions.

    Args:
        block: mmdet's; see :func:`can_be_prepared`.
    """

    def __init__(self, block: BasicBlock | Bottleneck) -> None:
        super().__init__()
        convolutions = [packed(conv, norm, 'relu') for conv, norm in _convolutions(block)]
        self.branch = nn.Sequential(*convolutions[:-1])
        self.last = convolutions[-1]
        self.shortcut = block.downsample
        if self.shortcut is not None:
            fuse_sequence(self.shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H', W'). Without a shortcut of its own it overwrites ``x``."""
        branch = self.branch(x)
        sums = x if self.shortcut is None else self.shortcut(x)
        return self.last.add_to(sums, branch)


def prepare_resnet(backbone: ResNet) -> None:
    """Replace blocks and stem; every stage but the first begins with a shortcut of its own."""
    for name in backbone.res_layers:
        stage = getattr(backbone, name)
        for number, block in enumerate(stage):
            if can_be_prepared(block):
                stage[number] = PreparedBlock(block)
    if backbone.deep_stem:
        fuse_sequence(backbone.stem)
    elif is_convolution(backbone.conv1) and is_fixed_norm(backbone.norm1):
        backbone.conv1 = packed(backbone.conv1, backbone.norm1, 'relu')
        setattr(backbone, backbone.norm1_name, nn.Identity())
        backbone.relu = nn.Identity()


def can_be_prepared(block: nn.Module) -> bool:
    """Whether a block is a plain one of ResNet: no deformable convolutions, no plugins."""
    if type(block) not in (BasicBlock, Bottleneck):
        return False
    if getattr(block, 'with_plugins', False):
        return False
    return all(is_convolution(conv) and is_fixed_norm(norm) for conv, norm in _convolutions(block))


def _convolutions(block: BasicBlock | Bottleneck) -> list[tuple[nn.Module, nn.Module]]:
    """The block's convolutions, each with the norm behind it."""
    numbers = (1, 2, 3) if type(block) is Bottleneck else (1, 2)
    return [(getattr(block, f'conv{i}'), getattr(block, f'norm{i}')) for i in numbers]
