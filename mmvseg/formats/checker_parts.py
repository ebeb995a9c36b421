"""What the checkers of all data set forms share: problems, categories, values."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

from .pictures import bare_rule, check_png, picture_size  # noqa: F401
from .problems import Level, Problem


def no_annotations(file: str) -> Problem:
    """The note that a file or list comes without annotations, as released test splits do."""
    return Problem(file, 'annotations', 'it has no annotations', level=Level.NOTE)


def check_categories(categories: list, file: str, panoptic: bool = False) -> Iterator[Problem]:
    """Yields problems; returns the well-formed entries by id.

    Args:
        categories: content of the file.
        file: for messages.
        panoptic: whether entries must say whether they are of things, ``isthing``.
    """
    by_id: dict[int, dict] = {}
    names: set[str] = set()
    for position, category in enumerate(categories):
        field = f'categories[{position}]'
        if not isinstance(category, dict) or not {'id', 'name'} <= set(category):
            yield Problem(file, field, 'needs an id and a name')
            continue
        if not is_whole(category['id']) or not isinstance(category['name'], str):
            yield Problem(file, field, 'id is not an integer or name not a text')
            continue
        for kind, known in (('id', by_id), ('name', names)):
            if category[kind] in known:
                yield Problem(file, field, f'duplicate {kind} {category[kind]!r}')
        by_id[category['id']] = category
        names.add(category['name'])
        if panoptic and (rule := _panoptic_rule(category)):
            yield Problem(file, field, rule)
    if not categories:
        yield Problem(file, 'categories', 'is empty')
    return by_id


def _panoptic_rule(category: dict) -> str | None:
    if not is_flag(category.get('isthing')):
        return f'isthing is {category.get("isthing")!r}, not 0 or 1'
    color = category.get('color')
    if color is not None and not (
        isinstance(color, list)
        and len(color) == 3
        and all(is_whole(value) and 0 <= value <= 255 for value in color)
    ):
        return f'color {color!r} is not [red, green, blue], each 0..255'
    return None


def is_whole(value: Any) -> bool:
    """Whether a value of a json file is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value of a json file is a finite number."""
    return is_whole(value) or (isinstance(value, float) and isfinite(value))


def is_flag(value: Any) -> bool:
    """Whether a value of a json file is 0 or 1."""
    return is_whole(value) and value in (0, 1)
