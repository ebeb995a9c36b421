from .layouts import LAYOUTS
from .textures import STUFF_CLASSES, THING_CLASSES
from .world import ShapesFrame, ShapesOptions, ShapesWorld
from .writer import ShapesRequest, write_shapes

__all__ = [
    'LAYOUTS',
    'STUFF_CLASSES',
    'THING_CLASSES',
    'ShapesFrame',
    'ShapesOptions',
    'ShapesRequest',
    'ShapesWorld',
    'write_shapes',
]
