"""Whether what reads a backbone's maps is made for as many channels as they have."""

from collections.abc import Mapping
from typing import Any

from mmdet.models import ResNet, SwinTransformer
from torch import nn

from mmvseg.errors import UserError


def check_channels(backbone: nn.Module, key: str, reader: Mapping[str, Any]) -> None:
    """Refuse a reader for another backbone, which would fail in the first frame's convolution.

    Args:
        backbone: looked at if it is a ResNet or Swin of mmdet, which state the channels of their
            last map.
        key: of the reader in the model's config.
        reader: its config, with ``in_channels``, from stride 4 to 32.

    Raises:
        UserError: the last map has other channels.
    """
    expected = reader.get('in_channels')
    if isinstance(backbone, SwinTransformer):
        made = backbone.num_features[backbone.out_indices[-1]]
    elif isinstance(backbone, ResNet) and backbone.out_indices[-1] == backbone.num_stages - 1:
        made = backbone.feat_dim
    else:
        return
    if isinstance(expected, list | tuple) and expected and expected[-1] != made:
        raise UserError(
            f'model.backbone: the last map of this {type(backbone).__name__} has {made} channels, '
            f'but model.{key}.in_channels ends with {expected[-1]}: change one of the two; '
            'docs/configs.md, "Another backbone", says what fits'
        )
