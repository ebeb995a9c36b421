from .msgshift import MsgShifT
from .vit import DINOViT

__all__ = ['DINOViT', 'MsgShifT']
