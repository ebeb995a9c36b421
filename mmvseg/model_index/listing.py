"""The models of the index as a table for the terminal."""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from .entries import TASKS, ModelEntry

_HEADER = ('name', 'task', 'backbone', 'data', 'published', 'licence', 'size', 'weights')
_NONE = '-'
#: How names of models write a data set: YouTube-VIS 2019 is ytvis19 there.
_YOUTUBE_VIS = re.compile(r'youtube-vis 20(\d\d)')


def describe_models(models: Iterable[ModelEntry], words: Sequence[str] = ()) -> list[str]:
    """Lines of a table: a header and a row a model, those without weights last.

    Args:
        models: of the index.
        words: what a model must have, all of them, in whatever case: in its row, in the name of
            its task, or in names of data sets as those of models write them (ytvis19).

    Returns:
        The header alone where no model has the words.
    """
    wanted = [word.lower() for word in words]
    found = [model for model in models if all(word in _text(model) for word in wanted)]
    found.sort(key=lambda model: model.weights is None)
    table = [_HEADER, *map(_row, found)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADER))]
    return [
        '  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _text(model: ModelEntry) -> str:
    """Where words are looked for."""
    text = ' '.join([*_row(model), TASKS[model.task]]).lower()
    return _YOUTUBE_VIS.sub(r'\g<0> ytvis\1 ytvis20\1', text)


def _row(model: ModelEntry) -> tuple[str, ...]:
    weights = model.weights
    numbers = model.numbers('weights') or model.numbers('paper')
    metric = next(iter(numbers), None)
    terms = 'non-commercial' if model.license.non_commercial else model.license.name
    return (
        model.name,
        model.task,
        model.backbone,
        ' + '.join(model.training_data),
        f'{metric} {numbers[metric]}' if metric else _NONE,
        terms if weights else _NONE,
        (weights.size if weights else None) or _NONE,
        _origin(model),
    )


def _origin(model: ModelEntry) -> str:
    weights = model.weights
    if weights is None:
        return 'none'
    hosts = ', '.join(str(urlsplit(place).hostname) for place in weights.places)
    return hosts if weights.kind == 'direct' else f'by {weights.kind}: {hosts}'
