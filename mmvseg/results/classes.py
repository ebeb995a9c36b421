"""Classes by name."""

from collections.abc import Sequence

from mmvseg.errors import UserError, suggest


def class_indices(names: Sequence[str], classes: Sequence[str]) -> set[int]:
    """Indices of the classes of these names.

    Args:
        names: at least one.
        classes: class names by class index.

    Raises:
        UserError: if there is none of a name; the message states the closest.

    Example:
        >>> sorted(class_indices(['car', 'person'], ['person', 'dog', 'car']))
        [0, 2]
    """
    if not names or not all(isinstance(name, str) for name in names):
        raise UserError("classes are chosen by their names, such as 'person', 'car'")
    for name in names:
        if name not in classes:
            hint = suggest(name, classes) or f'; the model knows {_listed(classes)}'
            raise UserError(f'{name!r} is no class of the model{hint}')
    return {label for label, name in enumerate(classes) if name in names}


def _listed(classes: Sequence[str], limit: int = 20) -> str:
    more = f' and {len(classes) - limit} more' if len(classes) > limit else ''
    return ', '.join(classes[:limit]) + more
