from .any_source import as_source, checked_frames
from .audio import AudioTracks
from .decoding import without_password
from .frame_clock import is_steady
from .frame_iterator import FrameIterator
from .frame_list import FrameList
from .frame_source import (
    DEFAULT_FPS,
    DamagedVideoWarning,
    Frame,
    FrameSource,
    ImageFolder,
    ImageSequence,
    Picture,
    VideoFile,
    parse_fps,
)
from .sources import FirstFrames, open_source
from .stream_source import CameraSource, StreamSource
from .video_folders import each_video
from .video_writer import VideoWriter

__all__ = [
    'DEFAULT_FPS',
    'AudioTracks',
    'CameraSource',
    'DamagedVideoWarning',
    'FirstFrames',
    'Frame',
    'FrameIterator',
    'FrameList',
    'FrameSource',
    'ImageFolder',
    'ImageSequence',
    'Picture',
    'StreamSource',
    'VideoFile',
    'VideoWriter',
    'as_source',
    'checked_frames',
    'each_video',
    'is_steady',
    'open_source',
    'parse_fps',
    'without_password',
]
