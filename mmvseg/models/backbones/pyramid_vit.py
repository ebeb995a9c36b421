"""A plain Vision Transformer for models that need maps at several strides (ViTDet, ECCV 2022).

All maps are made of the last one of the transformer; no map sees another.
"""

from collections import OrderedDict
from typing import Any

from torch import Tensor, nn

from mmvseg.errors import UserError
from mmvseg.models.channel_norm import ChannelNorm
from mmvseg.registry import MODELS

from .vit import DINOViT

_PATCH_SIZE = 16
_LARGEST_STRIDE = 32


@MODELS.register_module()
class PyramidViT(DINOViT):
    """:class:`DINOViT` with maps at strides 4, 8, 16 and 32, a backbone for MinVIS, DVIS and TeViT.

    Transposed convolutions enlarge the last map, pooling shrinks it; a 1x1 and a 3x3 convolution
    follow, each with LayerNorm.

    Args:
        out_channels: of every map, C'.
        frozen: whether the transformer is not trained; what follows it always is.
        **transformer: other arguments of :class:`DINOViT`, but ``out_indices``.

    Raises:
        UserError: patches are not of 16 pixels, or see :class:`DINOViT`.

    Example:
        >>> import torch
        >>> backbone = PyramidViT(8, embed_dims=16, depth=1, num_heads=2, grid_size=4)
        >>> [tuple(features.shape) for features in backbone(torch.rand(1, 3, 64, 96))]
        [(1, 8, 16, 24), (1, 8, 8, 12), (1, 8, 4, 6), (1, 8, 2, 3)]
    """

    def __init__(self, out_channels: int, **transformer: Any) -> None:
        super().__init__(**transformer)
        if self.patch_size != _PATCH_SIZE or len(self.out_indices) > 1:
            raise UserError(
                f'backbone: PyramidViT makes its maps of one map of stride {_PATCH_SIZE}; leave '
                'patch_size and out_indices out'
            )
        C = self.embed_dims
        quarter = OrderedDict(
            deconv1=nn.ConvTranspose2d(C, C // 2, 2, stride=2),
            norm=ChannelNorm(C // 2),
            gelu=nn.GELU(),
            deconv2=nn.ConvTranspose2d(C // 2, C // 4, 2, stride=2),
        )
        half = nn.ConvTranspose2d(C, C // 2, 2, stride=2)
        self.pyramid = nn.ModuleList(
            [
                _level(nn.Sequential(quarter), C // 4, out_channels),
                _level(half, C // 2, out_channels),
                _level(nn.Identity(), C, out_channels),
                _level(nn.MaxPool2d(2), C, out_channels),
            ]
        )

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Maps of images (N, 3, H, W).

        Returns:
            (N, C', H / s, W / s) for s = 4, 8, 16, 32.

        Raises:
            UserError: a side is not a multiple of 32.
        """
        if any(side % _LARGEST_STRIDE for side in images.shape[-2:]):
            raise UserError(
                f'backbone: maps of stride {_LARGEST_STRIDE} need images of multiples of it, not '
                f'of {images.shape[-2]} x {images.shape[-1]} pixels; set '
                f'model.data_preprocessor.pad_size_divisor={_LARGEST_STRIDE}'
            )
        (features,) = super().forward(images)
        return tuple(level(features) for level in self.pyramid)


def _level(resize: nn.Module, channels: int, out_channels: int) -> nn.Sequential:
    """From the transformer's map to one of another size, of ``channels`` after ``resize``."""
    return nn.Sequential(
        OrderedDict(
            resize=resize,
            conv1=nn.Conv2d(channels, out_channels, 1, bias=False),
            norm1=ChannelNorm(out_channels),
            conv2=nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            norm2=ChannelNorm(out_channels),
        )
    )
