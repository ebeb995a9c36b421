from .msgshift import MsgShifT
from .pyramid_vit import PyramidViT
from .vit import DINOViT

__all__ = ['DINOViT', 'MsgShifT', 'PyramidViT']
