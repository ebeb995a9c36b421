from .base import VideoSegmentor
from .dvis_offline import DVISOffline
from .dvis_online import DVISOnline
from .minvis import MinVIS
from .semantic_mask2former import SemanticFusionHead, SemanticMask2Former
from .tevit import TeViT

__all__ = [
    'DVISOffline',
    'DVISOnline',
    'MinVIS',
    'SemanticFusionHead',
    'SemanticMask2Former',
    'TeViT',
    'VideoSegmentor',
]
