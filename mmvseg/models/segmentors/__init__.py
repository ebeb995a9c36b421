from .base import VideoSegmentor
from .tevit import TeViT

__all__ = ['TeViT', 'VideoSegmentor']
