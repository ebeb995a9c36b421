from .decoding import without_password
from .frame_clock import is_steady
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
from .video_writer import VideoWriter

__all__ = [
    'DEFAULT_FPS',
    'CameraSource',
    'DamagedVideoWarning',
    'FirstFrames',
    'Frame',
    'FrameSource',
    'ImageFolder',
    'ImageSequence',
    'Picture',
    'StreamSource',
    'VideoFile',
    'VideoWriter',
    'is_steady',
    'open_source',
    'parse_fps',
    'without_password',
]
