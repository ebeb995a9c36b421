"""Models of the index by name."""

import difflib
from functools import lru_cache
from pathlib import Path

import mmvseg
from mmvseg.errors import UserError

from .entries import ModelEntry
from .reading import load_model_index

_MAX_NAMES = 4


def index_file() -> Path:
    """Where the index lies: at the root of a clone, in the package where it was installed.

    Raises:
        UserError: it is in neither place.
    """
    package = Path(mmvseg.__file__).parent
    places = [package / '.mim' / 'model-index.yml', package.parent / 'model-index.yml']
    for path in places:
        if path.is_file():
            return path
    raise UserError(f'{places[0]}: the model index is missing; install mmvseg again')


def known_models() -> dict[str, ModelEntry]:
    """All models of the index by name, in its order."""
    return _read(index_file())


def find_entry(name: str) -> ModelEntry:
    """The model of a name.

    Raises:
        UserError: there is none; the message has the closest ones.
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
