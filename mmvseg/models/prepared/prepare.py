"""The one call that prepares a model for inference."""

import torch
from mmdet.models.backbones.resnet import ResNet
from torch import nn

from mmvseg.models.backbones.msgshift import MsgShifT
from mmvseg.models.heads.tevit_roi_head import TeViTRoIHead
from mmvseg.ops.allocator import keep_freed_memory
from mmvseg.ops.linear import onednn_is_faster

from .layers import fuse_layers
from .msgshift import prepare_msgshift
from .pixel_decoder import prepare_pixel_decoder
from .resnet import prepare_resnet


def prepare_for_inference(model: nn.Module, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Make a model faster on a CPU, in place and for good: it can be neither trained nor saved.

    Parts that only training uses are let go.

    On other devices, in float64, and where torch has no oneDNN or MKL is clearly faster, nothing
    changes. Of a model that computes in half precision, what stays in float32 is prepared: the
    pixel decoder. Results change by rounding alone. Run it within
    :func:`mmvseg.models.precision.inference`.

    Args:
        model: in eval mode, with its final weights, on its device.
        dtype: that the model will compute with.

    Returns:
        The same model.
    """
    parameter = next(model.parameters(), None)
    if parameter is None or parameter.device.type != 'cpu' or parameter.dtype != torch.float32:
        return model
    if not onednn_is_faster():
        return model
    keep_freed_memory()
    for parent in list(model.modules()):
        if isinstance(getattr(parent, 'pixel_decoder', None), nn.Module):
            fuse_layers(parent.pixel_decoder)
            parent.pixel_decoder = prepare_pixel_decoder(parent.pixel_decoder)
        if isinstance(parent, TeViTRoIHead):
            parent.mask_head = parent.mask_head[-1:]  # those of earlier stages have losses only
        if isinstance(parent, ResNet) and dtype == torch.float32:
            prepare_resnet(parent)
        if isinstance(parent, MsgShifT) and dtype == torch.float32:
            prepare_msgshift(parent)
    if dtype == torch.float32:
        fuse_layers(model)
    return model
