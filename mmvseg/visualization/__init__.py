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
from .overlay_panoptic import PanopticPainter
from .overlay_semantic import SemanticPainter
from .painters import InstancePainter, Painter, build_painter
from .sources import FirstFrames, open_source
from .stream_source import CameraSource, StreamSource
from .text import DrawingStyle
from .video_writer import VideoWriter

__all__ = [
    'DEFAULT_FPS',
    'CameraSource',
    'DamagedVideoWarning',
    'DrawingStyle',
    'FirstFrames',
    'Frame',
    'FrameObject',
    'FrameSource',
    'ImageFolder',
    'ImageSequence',
    'InstancePainter',
    'Painter',
    'PanopticPainter',
    'SemanticPainter',
    'StreamSource',
    'VideoFile',
    'VideoWriter',
    'build_painter',
    'draw_objects',
    'frame_objects',
    'open_source',
    'parse_fps',
    'track_color',
    'without_password',
]
