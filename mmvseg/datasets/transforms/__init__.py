from .clip import FlipClip, LoadClip, PackClip, ResizeClip
from .crop import CropClip
from .rotate import RotateClip

__all__ = ['CropClip', 'FlipClip', 'LoadClip', 'PackClip', 'ResizeClip', 'RotateClip']
