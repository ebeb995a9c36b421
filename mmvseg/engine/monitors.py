"""Whether the numbers that hooks and schedulers go by are some that the validation gives."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from mmvseg.errors import UserError, say
from mmvseg.registry import METRICS

from .schedule import hooks_of, schedulers_of

_RULES = ('greater', 'less')
#: Which argument of which hooks names numbers.
_ARGUMENTS = dict(save_best='CheckpointHook', monitor='EarlyStoppingHook')


def check_monitors(cfg: Config) -> None:
    """Refuse numbers that no metric gives before anything is trained for them.

    Where the metrics state their numbers, a rule that the config lacks is set: more is better.

    Args:
        cfg: of a training, changed in place.

    Raises:
        UserError: a number is none of those, or a rule is none.
    """
    numbers = numbers_of(cfg.get('val_evaluator'))
    users = [*monitoring_hooks(cfg)]
    users += [
        (where, 'monitor', scheduler)
        for where, scheduler in schedulers_of(cfg)
        if 'ReduceOnPlateau' in str(scheduler.get('type'))
    ]
    for where, key, part in users:
        if cfg.get('val_evaluator') is None:
            say(f'{where}.{key}: does nothing without validation', sys.stderr)
            part.setdefault('rule', 'greater')
        elif numbers is not None:
            _check_names(where, key, part, numbers)
        rules = part.get('rule')
        for rule in rules if isinstance(rules, list | tuple) else [rules]:
            if rule not in (None, *_RULES):
                raise UserError(f'{where}.rule = {rule!r}: it is one of {", ".join(_RULES)}')


def monitoring_hooks(cfg: Config) -> Iterator[tuple[str, str, dict]]:
    """The hooks that go by numbers of the validation: key, argument that names these, hook."""
    for where, hook in hooks_of(cfg):
        for argument, kind in _ARGUMENTS.items():
            if hook.get(argument) and kind in str(hook['type']):
                yield where, argument, hook


def numbers_of(evaluator: Any) -> list[str] | None:
    """Names of the numbers that a validation gives; None if its metrics do not state them."""
    if evaluator is None:
        return None
    if isinstance(evaluator, Mapping):
        evaluator = evaluator.get('metrics', evaluator)
    names = []
    for metric in [evaluator] if isinstance(evaluator, Mapping) else evaluator:
        kind = metric.get('type') if isinstance(metric, Mapping) else type(metric)
        kind = METRICS.get(kind) if isinstance(kind, str) else kind
        stated = kind.number_names() if hasattr(kind, 'number_names') else None
        if stated is None:
            return None
        prefix = (isinstance(metric, Mapping) and metric.get('prefix')) or kind.default_prefix
        names += [f'{prefix}/{name}' for name in stated]
    return names


def _check_names(where: str, key: str, part: dict, numbers: list[str]) -> None:
    wanted = part.get(key, 'loss')  # by which mmengine's schedulers go
    for name in wanted if isinstance(wanted, list | tuple) else [wanted]:
        if name not in numbers and not (key == 'save_best' and name == 'auto'):
            raise UserError(
                f'{where}.{key} = {name!r}: val_evaluator gives no such number; it gives '
                f'{", ".join(numbers)}'
            )
    part.setdefault('rule', 'greater')
