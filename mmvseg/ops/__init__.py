"""Operators in plain PyTorch, for installations of mmcv without compiled ops; transfers."""

from .multi_scale_deformable_attention import multi_scale_deformable_attention
from .roi_align import RoIAlign, roi_align
from .sigmoid_focal_loss import sigmoid_focal_loss
from .transfers import upload
from .weighted_bag import weighted_bag

__all__ = [
    'RoIAlign',
    'multi_scale_deformable_attention',
    'roi_align',
    'sigmoid_focal_loss',
    'upload',
    'weighted_bag',
]
