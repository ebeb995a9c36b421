"""The table of formats that are written."""

from importlib import import_module
from types import ModuleType

#: Names of the formats on the command line, and their modules here.
FORMATS = {
    'cvat': 'cvat',
    'mots': 'mots',
    'davis': 'davis',
    'coco': 'coco',
    'labelme': 'labelme',
}


def exporter(name: str) -> ModuleType:
    """The module of a format; what it has to have says the package."""
    return import_module(f'{__package__}.{FORMATS[name]}')
