from .base import VideoSegmentor
from .dvis_offline import DVISOffline
from .dvis_online import DVISOnline
from .eomt import EoMT
from .image_eomt import ImageEoMT
from .minvis import MinVIS
from .pmt import PMT
from .semantic_mask2former import SemanticFusionHead, SemanticMask2Former
from .tevit import TeViT
from .videomt import VidEoMT

__all__ = [
    'PMT',
    'DVISOffline',
    'DVISOnline',
    'EoMT',
    'ImageEoMT',
    'MinVIS',
    'SemanticFusionHead',
    'SemanticMask2Former',
    'TeViT',
    'VidEoMT',
    'VideoSegmentor',
]
