from .clip import FlipClip, LoadClip, PackClip, ResizeClip
from .crop import CropClip
from .load_maps import LoadPanopticClip, LoadSemanticClip
from .rotate import RotateClip

__all__ = [
    'CropClip',
    'FlipClip',
    'LoadClip',
    'LoadPanopticClip',
    'LoadSemanticClip',
    'PackClip',
    'ResizeClip',
    'RotateClip',
]
