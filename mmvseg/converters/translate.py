"""Weights from published names to ours and back."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mmvseg.checkpoints.conversion_note import ConversionNote
from mmvseg.checkpoints.published.layouts import LAYOUTS, SOURCES, Layout, recognise_ours
from mmvseg.checkpoints.published.parts import COUNTER, Part
from mmvseg.errors import UserError, counted

_EMPTY_WEIGHT = 'criterion.empty_weight'
#: Weight of the class "no object", the last, in the losses of those with :data:`_CLASS_BIAS`.
_NO_OBJECT_WEIGHT = 0.1
_CLASS_BIAS = re.compile(
    r'(sem_seg_head\.predictor\.class_embed|(backbone|network)\.(decoder\.)?class_head)\.bias'
)


@dataclass
class Converted:
    """Published weights by our names.

    Attributes:
        layout: what they came in.
        weights: by our name.
        unknown: published names that the layout does not have.
        unused: published names that no model here needs.
        noted: values of those unused tensors that the way back restores.
        added: our names of counters that the published checkpoint lacks.
    """

    layout: Layout
    weights: dict[str, Tensor] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    noted: dict[str, list] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)


def to_ours(weights: Mapping[str, Tensor], layout: Layout) -> Converted:
    """Translate published weights, also those of some parts of a model alone.

    Args:
        weights: by published name.
        layout: how they are named.
    """
    converted = Converted(layout)
    used = {}
    for name, tensor in weights.items():
        if layout.unused.fullmatch(name):
            converted.unused.append(name)
            if layout.noted.fullmatch(name):
                converted.noted[name] = tensor.tolist()
        else:
            used[name] = tensor
    for theirs, ours, part, group in _by_part(used, layout, lambda entry: entry[0]):
        with _layout_errors(layout, theirs):
            renamed, unknown = part.to_ours(group)
        converted.weights.update({ours + name: tensor for name, tensor in renamed.items()})
        converted.unknown += [theirs + name for name in unknown]
    for name in [name for name in converted.weights if name.endswith('.running_var')]:
        counter = name.removesuffix('running_var') + COUNTER
        if counter not in converted.weights:
            converted.weights[counter] = torch.tensor(0)
            converted.added.append(counter)
    return converted


def rename(weights: Mapping[str, Tensor], layout: Layout) -> dict[str, Tensor]:
    """Published weights, all of them known, by our names.

    Raises:
        UserError: some are not known.
    """
    converted = to_ours(weights, layout)
    if converted.unknown:
        raise UserError(
            f'weights: {", ".join(converted.unknown[:5])}: no such name in {layout.name}; '
            'are these weights of another model?'
        )
    return converted.weights


def to_theirs(
    weights: Mapping[str, Tensor], note: ConversionNote | None = None, source: str = 'auto'
) -> tuple[dict[str, Tensor], Layout]:
    """The way back: weights of ours by published names.

    Args:
        weights: by our name.
        note: of the conversion that they come from; None if they were trained here.
        source: whose names, one of :data:`mmvseg.checkpoints.published.layouts.SOURCES`;
            ``auto``: those of the note, or else those that belong to ours.

    Returns:
        The weights, and the layout that they are in.

    Raises:
        UserError: the published model has no such weights.
    """
    layout = layout_for_ours(weights, note, source)
    added = {name for name in note.added if name.endswith(COUNTER)} if note else set()
    weights = {name: tensor for name, tensor in weights.items() if name not in added}
    published, unknown = {}, []
    for theirs, ours, part, group in _by_part(weights, layout, lambda entry: entry[1]):
        with _layout_errors(layout, ours):
            renamed, strange = part.to_theirs(group)
        published.update({theirs + name: tensor for name, tensor in renamed.items()})
        unknown += [ours + name for name in strange]
    if unknown:
        raise UserError(
            f'no place in the published model ({layout.name}) for '
            f'{counted(len(unknown), "weights")}: '
            f'{", ".join(unknown[:5])}'
        )
    return published | _unused(published, layout, note), layout


def layout_for_ours(
    weights: Iterable[str], note: ConversionNote | None = None, source: str = 'auto'
) -> Layout:
    """The layout that :func:`to_theirs` writes.

    Raises:
        UserError: no published model has such weights.
    """
    layout = LAYOUTS.get(note.layout) if note else None
    if layout is None or (source != 'auto' and layout not in SOURCES[source]):
        layout = recognise_ours(weights, source)
    if layout is None:
        kind = 'none of the published models' if source == 'auto' else f'no model of {source}'
        raise UserError(
            f'the names of these weights are of {kind}: {", ".join(list(weights)[:3])}, …'
        )
    return layout


def _by_part(
    weights: Mapping[str, Tensor],
    layout: Layout,
    side: Callable[[tuple[str, str, Part]], str],
) -> Iterator[tuple[str, str, Part, dict[str, Tensor]]]:
    """Weights by the part that they belong to; a part without a prefix takes the rest."""
    left = dict(weights)
    for entry in layout.parts:
        prefix = side(entry)
        names = [name for name in left if name.startswith(prefix)]
        yield *entry, {name.removeprefix(prefix): left.pop(name) for name in names}
    if left:
        yield '', '', _NOTHING, left


class _NoPart(Part):
    def to_ours(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        return {}, list(weights)

    to_theirs = to_ours


_NOTHING = _NoPart()


def _unused(
    published: Mapping[str, Tensor], layout: Layout, note: ConversionNote | None
) -> dict[str, Tensor]:
    """What the published checkpoint holds besides: as noted, or the class weights of the loss."""
    if note:
        values = {name: v for name, v in note.values.items() if layout.noted.fullmatch(name)}
    else:
        values = {}
        for name, bias in published.items():
            if _CLASS_BIAS.fullmatch(name) and bias.dim() == 1:
                values[_EMPTY_WEIGHT] = [1.0] * (len(bias) - 1) + [_NO_OBJECT_WEIGHT]
    try:
        return {name: torch.tensor(value) for name, value in values.items()}
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise UserError(f'meta.conversion.values is malformed ({error})') from error


@contextmanager
def _layout_errors(layout: Layout, prefix: str) -> Iterator[None]:
    """Shapes that a part cannot have stop what lays its tensors out anew."""
    try:
        yield
    except (RuntimeError, IndexError, ValueError, TypeError) as error:
        raise UserError(
            f'the shapes of {prefix or "the weights"} are not those of {layout.name}: {error}'
        ) from error
