from .video_data_sample import VideoDataSample
from .video_instances import VideoInstances
from .video_window import VideoWindow

__all__ = ['VideoDataSample', 'VideoInstances', 'VideoWindow']
