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
from .image_io import read_image, write_image
from .overlay import FrameObject, draw_objects, frame_objects, track_color
from .progress import ProgressReport
from .video_writer import VideoWriter

__all__ = [
    'DEFAULT_FPS',
    'DamagedVideoWarning',
    'Frame',
    'FrameObject',
    'FrameSource',
    'ImageFolder',
    'ImageSequence',
    'ProgressReport',
    'VideoFile',
    'VideoWriter',
    'draw_objects',
    'frame_objects',
    'open_source',
    'parse_fps',
    'read_image',
    'track_color',
    'write_image',
]
