from .frame_source import (
    DEFAULT_FPS,
    DamagedVideoWarning,
    Frame,
    FrameSource,
    ImageFolder,
    ImageSequence,
    VideoFile,
    open_source,
    parse_fps,
)
from .overlay import FrameObject, draw_objects, frame_objects, track_color
from .video_writer import VideoWriter

__all__ = [
    'DEFAULT_FPS',
    'DamagedVideoWarning',
    'Frame',
    'FrameObject',
    'FrameSource',
    'ImageFolder',
    'ImageSequence',
    'VideoFile',
    'VideoWriter',
    'draw_objects',
    'frame_objects',
    'open_source',
    'parse_fps',
    'track_color',
]
