"""The models of the index as a table for the terminal."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from .entries import ModelEntry

_HEADER = ('name', 'task', 'backbone', 'data', 'published', 'licence', 'size', 'weights')
_NONE = '-'


def describe_models(models: Iterable[ModelEntry], words: Sequence[str] = ()) -> list[str]:
    """Lines of a table: a header and a row a model.

    Args:
        models: of the index.
        words: what a row must have, all of them, in whatever case.

    Returns:
        The header alone where no model has the words.
    """
    wanted = [word.lower() for word in words]
    rows = [_row(model) for model in models]
    rows = [row for row in rows if all(word in ' '.join(row).lower() for word in wanted)]
    table = [_HEADER, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADER))]
    return [
        '  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


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
