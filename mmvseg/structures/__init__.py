from .clip_queries import ClipQueries
from .frame_queries import FrameQueries
from .video_data_sample import VideoDataSample
from .video_instances import VideoInstances
from .video_window import VideoWindow

__all__ = ['ClipQueries', 'FrameQueries', 'VideoDataSample', 'VideoInstances', 'VideoWindow']
