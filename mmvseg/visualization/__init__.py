from .overlay import FrameObject, draw_objects, frame_objects, track_color
from .overlay_panoptic import PanopticPainter
from .overlay_semantic import SemanticPainter
from .painters import InstancePainter, Painter, build_painter
from .text import DrawingStyle

__all__ = [
    'DrawingStyle',
    'FrameObject',
    'InstancePainter',
    'Painter',
    'PanopticPainter',
    'SemanticPainter',
    'build_painter',
    'draw_objects',
    'frame_objects',
    'track_color',
]
