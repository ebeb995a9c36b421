"""What a conversion did, in lines for the user."""

from mmvseg.checkpoints.published.layouts import sources_of
from mmvseg.errors import counted

from .configs import Target
from .fit import Fit, shortest_prefixes
from .translate import Converted

_MAX_NAMES = 6


def describe_conversion(
    converted: Converted, targets: list[Target], fit: Fit, number: int, has_classes: bool
) -> list[str]:
    """Lines for the user.

    Args:
        converted: the weights as they are written.
        targets: the configs that they were compared with.
        fit: the comparison.
        number: of tensors in the published file.
        has_classes: whether class names are noted.
    """
    weights = converted.weights
    lines = [f'{counted(number, "tensors")} with the names of {sources_of(converted.layout)}']
    if converted.unused:
        lines.append(f'not used by the model: {_few(converted.unused)}')
    if converted.added:
        lines.append(f'added: {len(converted.added)} counters of batches, which the file lacks')
    if fit.resized:
        lines.append(f'scaled to another window: {len(fit.resized)} tables of relative positions')
    lines += [f'resampled: {what}' for what in fit.resampled.values()]
    if fit.class_heads:
        heads = shortest_prefixes(fit.class_heads, weights)
        lines.append(
            f'for another number of classes, initialised anew when training starts: {_few(heads)}'
        )
    if fit.absent:
        absent = shortest_prefixes(fit.absent, [*weights, *fit.class_heads])
        lines.append(f'not in the file, left to training: {_few(absent)}')
    if fit.class_heads or fit.absent:
        lines.append('this is a start for training (load_from); tests and demos refuse it')
    else:
        lines.append(f'all {len(weights)} tensors of the model are filled, none left over')
    if terms := converted.layout.terms:
        lines.append(f'licence: {terms}')
    lines.append(f'config: {_few([target.name for target in targets])}')
    if not (has_classes or fit.class_heads or fit.absent) and targets[0].classes:
        lines.append('class names are not noted, since these differ in them: give --config')
    return lines


def _few(names: list[str]) -> str:
    shown = names if len(names) <= _MAX_NAMES else [*names[:3], f'… ({len(names)} in all)']
    return ', '.join(shown)
