from .textures import STUFF_CLASSES, THING_CLASSES
from .world import ShapesFrame, ShapesOptions, ShapesWorld
from .writer import ShapesRequest, write_shapes

__all__ = [
    'STUFF_CLASSES',
    'THING_CLASSES',
    'ShapesFrame',
    'ShapesOptions',
    'ShapesRequest',
    'ShapesWorld',
    'write_shapes',
]
