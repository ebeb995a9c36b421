from .clip import FlipClip, LoadClip, PackClip, ResizeClip
from .crop import CropClip
from .image_clip import LoadImageSegments, PackImageClip
from .load_maps import LoadPanopticClip, LoadSemanticClip, LoadSTEPClip
from .rotate import RotateClip

__all__ = [
    'CropClip',
    'FlipClip',
    'LoadClip',
    'LoadImageSegments',
    'LoadPanopticClip',
    'LoadSTEPClip',
    'LoadSemanticClip',
    'PackClip',
    'PackImageClip',
    'ResizeClip',
    'RotateClip',
]
