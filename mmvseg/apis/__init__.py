"""What programs and commands call; imported when asked for, as scoring files needs no torch."""

from importlib import import_module
from typing import Any

__all__ = ['VideoSegInferencer', 'choose_device']


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.inferencer'), name)
