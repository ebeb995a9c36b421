from .clip import FlipClip, LoadClip, PackClip, ResizeClip

__all__ = ['FlipClip', 'LoadClip', 'PackClip', 'ResizeClip']
