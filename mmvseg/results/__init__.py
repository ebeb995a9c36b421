from .segmented_video import SegmentedVideo
from .track import Track

__all__ = ['SegmentedVideo', 'Track']
