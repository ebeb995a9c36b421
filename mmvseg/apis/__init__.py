from .inferencer import VideoSegInferencer, choose_device

__all__ = ['VideoSegInferencer', 'choose_device']
