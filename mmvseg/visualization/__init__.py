from .decoding import without_password
from .frame_source import (
    DEFAULT_FPS,
    DamagedVideoWarning,
    Frame,
    FrameSource,
    ImageFolder,
    ImageSequence,
    VideoFile,
    parse_fps,
)
from .overlay import FrameObject, draw_objects, frame_objects, track_color
from .sources import FirstFrames, open_source
from .stream_source import CameraSource, StreamSource
from .video_writer import VideoWriter

__all__ = [
    'DEFAULT_FPS',
    'CameraSource',
    'DamagedVideoWarning',
    'FirstFrames',
    'Frame',
    'FrameObject',
    'FrameSource',
    'ImageFolder',
    'ImageSequence',
    'StreamSource',
    'VideoFile',
    'VideoWriter',
    'draw_objects',
    'frame_objects',
    'open_source',
    'parse_fps',
    'track_color',
    'without_password',
]
