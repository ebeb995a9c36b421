from .clip_queries import ClipQueries
from .coded_maps import CodedMaps
from .frame_queries import FrameQueries
from .video_data_sample import VideoDataSample
from .video_instances import VideoInstances
from .video_panoptic import Segment, VideoPanoptic
from .video_semantic import VideoSemantic
from .video_window import VideoWindow

#: What a model says of a video, by task: vis, vps, vss.
VideoResult = VideoInstances | VideoPanoptic | VideoSemantic

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
