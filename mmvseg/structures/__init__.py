"""What passes between the rooms. Results need no torch; the rest loads it when asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .coded_maps import CodedMaps
from .video_instances import VideoInstances
from .video_panoptic import Segment, VideoPanoptic
from .video_semantic import VideoSemantic

if TYPE_CHECKING:
    from .clip_queries import ClipQueries
    from .frame_queries import FrameQueries
    from .video_data_sample import VideoDataSample
    from .video_window import VideoWindow

#: What a model says of a video, by task: vis, vps, vss.
VideoResult = VideoInstances | VideoPanoptic | VideoSemantic

_NEED_TORCH = {
    'ClipQueries': 'clip_queries',
    'FrameQueries': 'frame_queries',
    'VideoDataSample': 'video_data_sample',
    'VideoWindow': 'video_window',
}

__all__ = [
    'ClipQueries',
    'CodedMaps',
    'FrameQueries',
    'Segment',
    'VideoDataSample',
    'VideoInstances',
    'VideoPanoptic',
    'VideoResult',
    'VideoSemantic',
    'VideoWindow',
]


def __getattr__(name: str) -> Any:
    if name not in _NEED_TORCH:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'.{_NEED_TORCH[name]}', __name__), name)
