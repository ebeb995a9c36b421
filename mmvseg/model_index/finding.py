"""Models of the index by name."""

import difflib
from functools import lru_cache
from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.shipped import shipped_folder

from .entries import ModelEntry
from .reading import load_model_index

_MAX_NAMES = 4


def index_file() -> Path:
    """Where the index lies that comes with the package."""
    return shipped_folder() / 'model-index.yml'


def known_models() -> dict[str, ModelEntry]:
    """All models of the index by name, in its order.

    Example:
        >>> 'tevit_msgshift' in known_models()
        True
    """
    return _read(index_file())


def find_entry(name: str) -> ModelEntry:
    """The model of a name.

    Raises:
        UserError: there is none; the message has the closest ones.

    Example:
        >>> entry = find_entry('tevit_msgshift')
        >>> entry.collection.name, entry.task, entry.config
        ('TeViT', 'vis', 'configs/tevit/tevit_msgshift.py')
    """
    models = known_models()
    if name in models:
        return models[name]
    close = difflib.get_close_matches(name, models, n=_MAX_NAMES, cutoff=0.5)
    hint = f'did you mean {" or ".join(close)}?' if close else 'mmvseg models lists them'
    raise UserError(f'{name!r} is no model of the index: {hint}')


@lru_cache(maxsize=4)
def _read(path: Path) -> dict[str, ModelEntry]:
    return {model.name: model for model in load_model_index(path)}
