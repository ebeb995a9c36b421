"""Filling a model from a checkpoint, with an account by sub-module of what did not fit."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

import torch
from mmengine.logging import MMLogger
from torch import Tensor, nn

from mmvseg.checkpoints.published.layouts import recognise, sources_of
from mmvseg.errors import UserError, counted, printable

from .conversion_note import note_of

#: Sub-modules that a line names.
_MAX_MODULES = 6


@dataclass
class WeightReport:
    """How a checkpoint's tensors met the model's, each by its full name.

    Attributes:
        filled: loaded.
        missing: in the model alone; they keep their initial values.
        unexpected: in the checkpoint alone; ignored.
        resized: in both, but only the first dimension differs (number of classes or queries); they
            keep their initial values.
        misshaped: in both, of different shape otherwise.
        shapes: ``(checkpoint, model)`` shapes of what is resized or misshaped.
        unfilled_modules: sub-modules of the first or second level none of whose tensors is filled
            or resized.
    """

    filled: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    resized: list[str] = field(default_factory=list)
    misshaped: list[str] = field(default_factory=list)
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)
    unfilled_modules: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f'{counted(len(self.filled), "tensors")} loaded']
        for kind, title in (
            ('missing', 'not in the checkpoint'),
            ('unexpected', 'in the checkpoint only'),
            ('resized', 'of another first dimension (classes or queries)'),
            ('misshaped', 'of another shape'),
        ):
            names = getattr(self, kind)
            if names:
                lines.append(f'  {title}: {len(names)}')
                lines += [f'    {line}' for line in self._by_module(names)]
        return '\n'.join(lines)

    def _by_module(self, names: Sequence[str]) -> list[str]:
        details = {
            name: f'{theirs} in the checkpoint, {ours} in the model'
            for name, (theirs, ours) in self.shapes.items()
        }
        return by_module(names, details)


def by_module(names: Iterable[str], details: Mapping[str, str] | None = None) -> list[str]:
    """A line for each sub-module, with the number of names and the first of them.

    Args:
        names: of tensors.
        details: what to say of a name that is shown.
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_module_of(name), []).append(name)
    lines = []
    for module, group in groups.items():
        count = f'{module}: {len(group)} tensors, e.g. ' if len(group) > 1 else ''
        lines.append(f'{count}{group[0]} {(details or {}).get(group[0], "")}'.rstrip())
    return lines


def compare_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> WeightReport:
    """What loading ``weights`` into ``model`` would fill and what not."""
    report = WeightReport()
    wanted = model.state_dict()
    for name, tensor in wanted.items():
        if name not in weights:
            report.missing.append(name)
            continue
        theirs, ours = tuple(weights[name].shape), tuple(tensor.shape)
        if theirs == ours:
            report.filled.append(name)
            continue
        report.shapes[name] = (theirs, ours)
        only_first_differs = len(theirs) == len(ours) > 0 and theirs[1:] == ours[1:]
        (report.resized if only_first_differs else report.misshaped).append(name)
    report.unexpected = [name for name in weights if name not in wanted]
    met = report.filled + report.resized
    report.unfilled_modules = [
        module
        for module in _sub_modules(model)
        if not any(name.startswith(f'{module}.') for name in met)
    ]
    return report


def load_model_weights(
    model: nn.Module,
    checkpoint: Mapping,
    source: str,
    strict: bool = False,
    allow_missing: Iterable[str] = (),
) -> WeightReport:
    """Fill ``model`` from a loaded checkpoint and log what did not fit.

    Frozen parameters have to be filled in any case, since no training would change what they start
    from: that is how a stage that builds upon the one before refuses the weights of another.

    Args:
        model: without a DDP wrapper.
        checkpoint: with ``state_dict``, or bare weights by name; a leading ``module.`` is dropped.
        source: the file's name, for messages.
        strict: every tensor of the model must be filled, as testing and resuming need it.
            Otherwise, as when training starts from other weights, single missing tensors and
            another number of classes are accepted, but no unfilled sub-module except those that a
            conversion left to training.
        allow_missing: name prefixes of what may stay unfilled, e.g. ``roi_head.mask_head``; the
            empty string allows everything.

    Raises:
        UserError: the file holds no weights, or something stays unfilled that must not.
    """
    weights = weights_of(checkpoint, source)
    report = compare_weights(model, weights)
    if report.missing:
        _refuse_published_names(weights, source)
    frozen = {name for name, tensor in model.named_parameters() if not tensor.requires_grad}
    unfilled = report.missing + report.resized
    refused = report.misshaped + [name for name in unfilled if strict or name in frozen]
    refused = [name for name in refused if not name.startswith(tuple(allow_missing))]
    note = note_of(checkpoint, source)
    left = tuple(note.left_to_training) if note else ()
    modules = [
        name
        for name in report.unfilled_modules
        if not name.startswith((*allow_missing, *(() if strict else left)))
    ]
    if refused or modules:
        advice = _start_of_training(left) if strict and left else _allow(refused, modules)
        raise UserError(_refusal(source, report, refused, modules, frozen) + advice)
    model.load_state_dict({name: weights[name] for name in report.filled}, strict=False)
    logger = MMLogger.get_current_instance()
    if len(report.filled) == len(model.state_dict()) and not report.unexpected:
        logger.info(f'{printable(source)}: all {len(report.filled)} tensors loaded')
    else:
        logger.warning(printable(f'{source}: {report}'))
    return report


def weights_of(checkpoint: Mapping, source: str) -> dict[str, Tensor]:
    """The weights by name in a checkpoint, without the ``module.`` of a DDP wrapper.

    Raises:
        UserError: there are none, or some cannot be a model's.
    """
    state = checkpoint
    for key in ('state_dict', 'model'):
        if isinstance(checkpoint.get(key), Mapping):
            state = checkpoint[key]
            break
    weights: dict[str, Tensor] = {}
    for key, tensor in state.items():
        if not isinstance(tensor, Tensor):
            continue
        name = str(key).removeprefix('module.')
        if name in weights or not name.isprintable():
            problem = 'stands there twice' if name in weights else 'is no name'
            raise UserError(f'checkpoint {source}: the parameter {name!r} {problem}')
        is_plain = tensor.layout is torch.strided and not tensor.is_meta
        if not is_plain or tensor.is_quantized or tensor.is_complex():
            kind = f'{tensor.layout} of {tensor.dtype} on {tensor.device}'
            raise UserError(f'checkpoint {source}: {name} is no plain tensor ({kind})')
        weights[name] = tensor
    if not weights:
        found = ', '.join(map(str, list(checkpoint)[:5])) or 'nothing'
        raise UserError(f'checkpoint {source}: holds no weights (found: {found})')
    return weights


def weights_of_parts(checkpoint: Mapping, parts: Iterable[str], source: str) -> dict[str, Tensor]:
    """The weights of some sub-modules alone, by their names in the whole model.

    Args:
        checkpoint: as for :func:`weights_of`.
        parts: names of sub-modules, e.g. ``backbone``.
        source: the file's name, for messages.

    Raises:
        UserError: the checkpoint has no weights of one of them.
    """
    weights = weights_of(checkpoint, source)
    chosen: dict[str, Tensor] = {}
    for part in parts:
        found = {name: value for name, value in weights.items() if name.startswith(f'{part}.')}
        if not found:
            has = ', '.join(sorted({name.split('.')[0] for name in weights})[:_MAX_MODULES])
            raise UserError(
                f'checkpoint {source}: has no weights of {part!r}, which load_parts asks for; '
                f'it has {has}'
            )
        chosen |= found
    return chosen


def non_finite(weights: Mapping[str, Tensor]) -> list[str]:
    """A line for the user where weights are NaN or infinite, as those of a diverged training."""
    names = [name for name, tensor in weights.items() if not _is_finite(tensor)]
    if not names:
        return []
    few = by_module(names)[:_MAX_MODULES]
    return [
        f'warning: not finite (NaN or infinity) are values of {counted(len(names), "tensors")}:',
        *few,
    ]


def _is_finite(tensor: Tensor) -> bool:
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return True
    # torch cannot tell for its types of 8 bits
    return bool((tensor.float() if tensor.itemsize == 1 else tensor).isfinite().all())


def _sub_modules(model: nn.Module) -> list[str]:
    """Names of the first- and second-level sub-modules that hold parameters."""
    names = []
    for name, child in model.named_children():
        if next(child.parameters(), None) is None:
            continue
        names.append(name)
        names += [
            f'{name}.{grandchild_name}'
            for grandchild_name, grandchild in child.named_children()
            if next(grandchild.parameters(), None) is not None
        ]
    return names


def _module_of(name: str) -> str:
    """First two parts of a tensor's name, or fewer if the tensor itself is that shallow."""
    return '.'.join(name.split('.')[:-1][:2]) or name


def _refusal(
    source: str,
    report: WeightReport,
    refused: Sequence[str],
    modules: Sequence[str],
    frozen: Set[str],
) -> str:
    roots = _roots(modules)
    reasons = []
    if roots:
        reasons.append(f'nothing fills the sub-module{"s"[: len(roots) > 1]} {", ".join(roots)}')
    if refused:
        count = counted(len(refused), 'tensors')
        verb = 'is' if len(refused) == 1 else 'are'
        reasons.append(f'{count} of the model {verb} missing or of another shape')
    if count := len(frozen & set(refused)):
        reasons.append(f'{count} frozen ones of them would never be trained')
    return f'checkpoint {source} does not fit the model: {"; ".join(reasons)}.\n{report}\n'


def _allow(refused: Sequence[str], modules: Sequence[str]) -> str:
    """How to go on where the refused tensors and sub-modules may stay unfilled."""
    roots = _roots(modules)
    others = {
        _module_of(name) if name.count('.') > 1 else name
        for name in refused
        if not name.startswith(tuple(roots))
    }
    prefixes = roots + sorted(others)
    return (
        'Check that config and checkpoint belong together. If this is intended, allow it with '
        f'--allow-missing {" ".join(prefixes)} (in a config: allow_missing = {prefixes})'
    )


def _start_of_training(left: Sequence[str]) -> str:
    return (
        'This checkpoint was converted as a start for training (load_from), which makes '
        f'{", ".join(left)} anew; test what comes out of the training.'
    )


def _roots(modules: Sequence[str]) -> list[str]:
    return [name for name in modules if name.split('.')[0] not in modules or '.' not in name]


def _refuse_published_names(weights: Mapping[str, Tensor], source: str) -> None:
    layout = recognise(weights)
    if layout and not layout.has_our_names:
        raise UserError(
            f'checkpoint {source}: its parameters have their published names, those of '
            f'{sources_of(layout)}; make it a checkpoint of this package first: '
            f'mmvseg convert {source} OUT.pth --config CONFIG'
        )
