from .base import VideoSegmentor
from .dvis_offline import DVISOffline
from .dvis_online import DVISOnline
from .minvis import MinVIS
from .tevit import TeViT

__all__ = ['DVISOffline', 'DVISOnline', 'MinVIS', 'TeViT', 'VideoSegmentor']
