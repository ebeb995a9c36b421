"""The one call that prepares a model for inference."""

from mmdet.models.backbones.resnet import ResNet
from torch import nn

from mmvseg.ops.linear import onednn_is_faster, use_onednn

from .layers import fuse_layers
from .pixel_decoder import prepare_pixel_decoder
from .resnet import prepare_resnet


def prepare_for_inference(model: nn.Module) -> nn.Module:
    """Make a model faster on a CPU, in place and for good: it can be neither trained nor saved.

    On other devices, and where torch has no oneDNN or MKL is clearly faster, nothing changes.
    Results change by rounding alone.

    Args:
        model: in eval mode, with its final weights, on its device.

    Returns:
        The same model.
    """
    device = next(model.parameters()).device
    if device.type != 'cpu' or not onednn_is_faster():
        return model
    use_onednn(True)
    for parent in list(model.modules()):
        if isinstance(parent, ResNet):
            prepare_resnet(parent)
        if hasattr(parent, 'pixel_decoder'):
            parent.pixel_decoder = prepare_pixel_decoder(parent.pixel_decoder)
    fuse_layers(model)
    return model
