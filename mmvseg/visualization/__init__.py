"""Drawing, imported when asked for: charts need no torch."""

from importlib import import_module
from typing import Any

_MODULES = dict(
    DrawingStyle='text',
    FrameObject='overlay',
    InstancePainter='painters',
    Painter='painters',
    PanopticPainter='overlay_panoptic',
    SemanticPainter='overlay_semantic',
    build_painter='painters',
    draw_objects='overlay',
    frame_objects='overlay',
    track_color='overlay',
)

__all__ = [*_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{_MODULES[name]}'), name)
