"""Whether converted weights are those of a config's model, all of them and nothing else."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from mmvseg.checkpoints.class_heads import CLASS_HEADS
from mmvseg.checkpoints.conversion_note import ConversionNote
from mmvseg.checkpoints.published.layouts import BACKBONES
from mmvseg.checkpoints.weights import by_module, compare_weights
from mmvseg.errors import UserError

from .resampling import resample_bias_table, resample_patch_kernel, resample_positions
from .translate import Converted, to_theirs

_BIAS_TABLE, _BIAS_INDEX = 'relative_position_bias_table', 'relative_position_index'
_POSITIONS, _PATCH_KERNEL = 'backbone.pos_embed', 'backbone.patch_embed.weight'
#: What only EoMT's own training needs.
_ANNEALING = 'mask_probabilities'
#: Norms of the outputs of a backbone, which classifiers do not have.
_OUTPUT_NORMS = re.compile(r'backbone\.norm\d\..+')
_MAX_NAMES = 8


@dataclass
class Fit:
    """What is not filled, by intention, and what does not fit.

    Attributes:
        class_heads: layers for another number of classes, dropped from the weights.
        absent: our names that the source does not have and need not have.
        resized: tables of relative positions that were scaled to another window.
        resampled: our names of a ViT's positions or patches that were brought to another grid or
            size, with what was done.
        missing: our names that nothing fills.
        left_over: published names that fill nothing.
        misshaped: our names, with the shapes in the checkpoint and in the model.
        frozen: those of ``missing`` and ``misshaped`` that training could make, but keeps frozen.
    """

    class_heads: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    resized: list[str] = field(default_factory=list)
    resampled: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    misshaped: dict[str, tuple[tuple, tuple]] = field(default_factory=dict)
    frozen: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every parameter is filled as it came, and none is left over."""
        return self.whole and not self.resampled

    @property
    def whole(self) -> bool:
        """Whether the weights make a model that needs no training."""
        return not (self.class_heads or self.absent or self.resized) and self.possible

    def left_to_training(self, weights: Iterable[str]) -> list[str]:
        """The shortest prefixes of all dropped and absent names, and of none of ``weights``."""
        return shortest_prefixes(self.class_heads + self.absent, weights)

    @property
    def possible(self) -> bool:
        """Whether training can start from the weights."""
        return not (self.missing or self.left_over or self.misshaped)


def fit_to_model(
    converted: Converted, model: nn.Module, source: str, may_be_absent: Iterable[str] = ()
) -> Fit:
    """Compare converted weights with a model, and drop or scale what is of another size.

    What the model keeps frozen has to be filled, unless ``may_be_absent`` says otherwise.

    Args:
        converted: its ``weights`` are changed in place: class heads of another size are dropped,
            tables of relative positions are scaled, positions and patches of a ViT resampled.
        model: a skeleton will do.
        source: one of :data:`mmvseg.checkpoints.published.layouts.SOURCES`.
        may_be_absent: prefixes of our names that need not be filled, e.g. a ``tracker`` that the
            training adds.
    """
    fit, weights = Fit(), converted.weights
    wanted = model.state_dict()
    _scale_bias_tables(weights, wanted, fit)
    _resample_patches(weights, wanted, fit)
    _drop_annealing(converted, wanted)
    report = compare_weights(model, weights)
    frozen = {name for name, tensor in model.named_parameters() if not tensor.requires_grad}
    fit.misshaped = {name: report.shapes[name] for name in report.misshaped}
    for name in report.resized:
        is_head = CLASS_HEADS.fullmatch(name)
        if is_head and name not in frozen:
            fit.class_heads.append(name)
            del weights[name]
            continue
        fit.misshaped[name] = report.shapes[name]
        fit.frozen += [name] if is_head else []
    prefixes = tuple(may_be_absent)
    for name in report.missing:
        is_added = source in BACKBONES and (
            not name.startswith('backbone.') or _OUTPUT_NORMS.fullmatch(name)
        )
        if name.startswith(prefixes) or (is_added and name not in frozen):
            fit.absent.append(name)
            continue
        fit.missing.append(name)
        fit.frozen += [name] if is_added else []
    fit.left_over = [*converted.unknown]
    if report.unexpected:
        fit.left_over += to_theirs(
            {name: weights[name] for name in report.unexpected},
            ConversionNote(converted.layout.name),
        )[0]
    return fit


def shortest_prefixes(names: Iterable[str], others: Iterable[str]) -> list[str]:
    """Sub-modules, or names, that hold ``names`` and none of ``others``; as few as possible."""
    taken = {prefix for name in others for prefix in _prefixes(name)}
    found = (next(prefix for prefix in _prefixes(name) if prefix not in taken) for name in names)
    return list(dict.fromkeys(found))


def refuse_misfit(fit: Fit, where: str) -> None:
    """Say what does not fit.

    Args:
        fit: of the weights.
        where: checkpoint and config, for the message.

    Raises:
        UserError: something is missing, left over or of another shape.
    """
    if fit.possible:
        return
    lines = [f'{where}: checkpoint and model do not belong together']
    if fit.left_over:
        lines.append(f'in the checkpoint only, {len(fit.left_over)}:')
        lines += _indented(by_module(fit.left_over))
    if fit.missing:
        lines.append(f'in the model only, {len(fit.missing)}:')
        lines += _indented(by_module(fit.missing))
    if fit.misshaped:
        lines.append(f'of another shape, {len(fit.misshaped)}:')
        lines += [
            f'    {name}: {theirs} in the checkpoint, {ours} in the model'
            for name, (theirs, ours) in list(fit.misshaped.items())[:_MAX_NAMES]
        ]
    lines += _closest(fit)
    if fit.frozen:
        lines.append(
            f'{len(fit.frozen)} of them are frozen in this training, which therefore would not '
            'make them: train the stage before first, or start from a checkpoint that has them.'
        )
    lines.append('Check that --config names the model of the file, or one to train from it.')
    raise UserError('\n'.join(lines))


def refuse_start(fit: Fit, where: str, weights: Iterable[str]) -> None:
    """Say what a whole model needs and only training would make.

    Args:
        fit: of the weights, which are possible.
        where: checkpoint and config, for the message.
        weights: our names that are filled.

    Raises:
        UserError: something is left to training.
    """
    left = fit.left_to_training(weights)
    if left or fit.resized:
        reasons = [f'nothing fills {", ".join(left[:_MAX_NAMES])}'] if left else []
        reasons += ['its windows are of another size'] if fit.resized else []
        raise UserError(
            f'{where}: checkpoint and model do not belong together: {"; ".join(reasons)}. For a '
            'start of a training: mmvseg convert'
        )


def _indented(lines: Iterable[str]) -> list[str]:
    return [f'    {line}' for line in lines]


def _prefixes(name: str) -> list[str]:
    parts = name.split('.')
    return ['.'.join(parts[:length]) for length in range(1, len(parts) + 1)]


def _closest(fit: Fit) -> list[str]:
    """For the first names left over, the most similar one of those that nothing fills."""
    lines = []
    for name in fit.left_over[:_MAX_NAMES]:
        if close := difflib.get_close_matches(name, fit.missing, n=1, cutoff=0.75):
            lines.append(f'    {name}: closest is {close[0]}')
    return ['closest names:', *lines] if lines else []


def _scale_bias_tables(weights: dict[str, Tensor], wanted: Mapping[str, Tensor], fit: Fit) -> None:
    """Swin for another window."""
    for name, ours in wanted.items():
        theirs = weights.get(name)
        if not name.endswith(_BIAS_TABLE) or theirs is None or theirs.shape == ours.shape:
            continue
        if theirs.dim() != 2 or theirs.shape[1] != ours.shape[1]:
            continue  # another number of heads
        if not len(theirs) or (scaled := resample_bias_table(theirs, len(ours))) is None:
            continue
        weights[name] = scaled
        index = name.replace(_BIAS_TABLE, _BIAS_INDEX)
        weights[index] = wanted[index]
        fit.resized.append(name)


def _resample_patches(weights: dict[str, Tensor], wanted: Mapping[str, Tensor], fit: Fit) -> None:
    """A ViT for another grid of positions, or patches of another size."""
    theirs, ours = weights.get(_POSITIONS), wanted.get(_POSITIONS)
    if _differ_in({1}, theirs, ours):
        resampled = resample_positions(theirs, ours.shape[1])
        if resampled is not None:
            weights[_POSITIONS] = resampled
            old, new = (round(tensor.shape[1] ** 0.5) for tensor in (theirs, ours))
            fit.resampled[_POSITIONS] = f'positions of a grid of {old} x {old} to {new} x {new}'
    theirs, ours = weights.get(_PATCH_KERNEL), wanted.get(_PATCH_KERNEL)
    if _differ_in({2, 3}, theirs, ours) and theirs.shape[2] == theirs.shape[3]:
        old, new = theirs.shape[3], ours.shape[3]
        weights[_PATCH_KERNEL] = resample_patch_kernel(theirs, new)
        fit.resampled[_PATCH_KERNEL] = f'patches of {old} x {old} pixels to {new} x {new}'


def _differ_in(axes: set[int], theirs: Tensor | None, ours: Tensor | None) -> bool:
    """Whether both are there and their shapes differ along these axes alone."""
    if theirs is None or ours is None or theirs.dim() != ours.dim():
        return False
    sizes = zip(theirs.shape, ours.shape, strict=True)
    return axes == {axis for axis, (old, new) in enumerate(sizes) if old != new}


def _drop_annealing(converted: Converted, wanted: Mapping[str, Tensor]) -> None:
    """EoMT's masks are annealed in its own training; what starts from it has none."""
    if _ANNEALING in converted.weights and _ANNEALING not in wanted:
        tensor = converted.weights.pop(_ANNEALING)
        note = ConversionNote(converted.layout.name)
        converted.unused += to_theirs({_ANNEALING: tensor}, note)[0]
