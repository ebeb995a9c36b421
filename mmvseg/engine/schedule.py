"""Whether all of a training's schedule counts in the unit of its loop.

An iteration loop takes a whole training for one epoch, so what counts epochs would never act.
"""

import copy
import inspect
import math
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.registry import DefaultScope
from mmengine.runner import EpochBasedTrainLoop

from mmvseg.errors import UserError, say
from mmvseg.registry import HOOKS, LOOPS, PARAM_SCHEDULERS

from .runner import VideoRunner

#: Samplers that give indices for ever.
_ENDLESS = {
    *('ClipSampler', 'JointClipSampler', 'InfiniteSampler', 'MultiSourceSampler'),
    *('GroupMultiSourceSampler', 'MultiDataSampler'),
}
#: What to write instead of an argument that counts epochs.
_INSTEAD = dict(
    by_epoch='by_epoch=False, and its other numbers in iterations',
    begin_epoch='begin_iter instead',
)
#: Which arguments say for how long a learning rate falls; the first that is there counts.
_LENGTHS = dict(OneCycleLR=('total_steps',), CosineAnnealingLR=('T_max', 'end'), PolyLR=('end',))


def check_schedule(cfg: Config) -> None:
    """Refuse what counts epochs in a training by iterations, and epochs without an end.

    Hooks and log processor of which the config says nothing are set to iterations. A learning rate
    that falls for longer than the training is noted.

    Args:
        cfg: of a training, changed in place.

    Raises:
        UserError: a part counts in another unit than the loop, or a number is of no use.
    """
    loop = cfg.get('train_cfg') or {}
    if 'type' in loop and 'by_epoch' in loop:
        raise UserError(
            f'train_cfg.by_epoch: train_cfg.type = {loop["type"]!r} says already what is counted; '
            'leave by_epoch out'
        )
    kind = LOOPS.get(loop['type']) if isinstance(loop.get('type'), str) else loop.get('type')
    if 'type' not in loop and 'by_epoch' not in loop:
        raise UserError("train_cfg: needs type='VideoTrainLoop' and max_iters")
    if loop.get('by_epoch') or (isinstance(kind, type) and issubclass(kind, EpochBasedTrainLoop)):
        _check_that_epochs_end(cfg, loop)
        return
    _check_limits(cfg, loop)
    _set_unsaid_hooks(cfg)
    for where, hook in hooks_of(cfg):
        _check_hook(cfg, where, hook)
    for where, scheduler in schedulers_of(cfg):
        _check_scheduler(cfg, where, scheduler)
        _note_unfinished(where, scheduler, loop.get('max_iters', math.inf))


def hooks_of(cfg: Config) -> Iterator[tuple[str, dict]]:
    """The hooks of a config with their keys."""
    for name, hook in (cfg.get('default_hooks') or {}).items():
        if hook is not None:
            yield f'default_hooks.{name}', _a_dict(hook, f'default_hooks.{name}')
    hooks = cfg.get('custom_hooks') or []
    for index, hook in enumerate(hooks if isinstance(hooks, list | tuple) else [hooks]):
        yield f'custom_hooks.{index}', _a_dict(hook, f'custom_hooks.{index}')


def schedulers_of(cfg: Config) -> Iterator[tuple[str, dict]]:
    """The parameter schedulers of a config with their keys."""
    found = cfg.get('param_scheduler') or []
    if isinstance(found, Mapping) and 'type' not in found:  # a list for each of several optimizers
        groups = {f'param_scheduler.{name}': group for name, group in found.items()}
    else:
        groups = dict(param_scheduler=found)
    for where, group in groups.items():
        if isinstance(group, Mapping):
            yield where, _a_dict(group, where)
            continue
        for index, scheduler in enumerate(group if isinstance(group, list | tuple) else [group]):
            yield f'{where}.{index}', _a_dict(scheduler, f'{where}.{index}')


def _a_dict(part: Any, where: str) -> dict:
    if not isinstance(part, Mapping) or 'type' not in part:
        raise UserError(f"{where}: is {part!r}; dict(type='NAME', …) is needed")
    return part


def _check_that_epochs_end(cfg: Config, loop: Mapping[str, Any]) -> None:
    loader = cfg.train_dataloader
    for part in ('batch_sampler', 'sampler'):
        name = (loader.get(part) or {}).get('type')
        if name in _ENDLESS:
            epochs = loop.get('max_epochs')
            iterations = _iterations(cfg)
            total = f'{epochs} * {iterations}' if epochs else 'ITERATIONS'
            raise UserError(
                f'train_cfg: counts epochs, but train_dataloader.{part} = {name} gives clips '
                f"without end: write train_cfg = dict(type='VideoTrainLoop', max_iters={total}); "
                f'{iterations} iterations are about one epoch of these data'
            )


def _check_limits(cfg: Config, loop: Mapping[str, Any]) -> None:
    limit = loop.get('max_iters', math.inf)
    if cfg.get('val_cfg') and loop.get('val_begin', 1) > limit:
        raise UserError(
            f'train_cfg.val_begin = {loop["val_begin"]}: beyond train_cfg.max_iters = {limit}, so '
            'nothing would be validated; lower it, or use --no-validate'
        )
    for where, scheduler in schedulers_of(cfg):
        steps, begin = scheduler.get('total_steps'), scheduler.get('begin', 0)
        if scheduler.get('by_epoch', True) or not isinstance(steps, int):
            continue
        if min(scheduler.get('end', limit), limit) - begin > steps + 1:
            raise UserError(
                f'{where}.total_steps = {steps}: ends before train_cfg.max_iters = {limit}; make '
                f'both the same, or let the rest go on as it is with {where}.end={begin + steps}'
            )


def _note_unfinished(where: str, scheduler: Mapping[str, Any], limit: float) -> None:
    """Say that a learning rate will not have come down by the end of the training."""
    keys = _LENGTHS.get(str(scheduler['type']).rsplit('.', 1)[-1], ())
    key = next((key for key in keys if isinstance(scheduler.get(key), int)), None)
    if key is None or scheduler.get('by_epoch', True) or not is_main_process():
        return
    begin = scheduler.get('begin', 0)
    start = 0 if key == 'end' else begin  # of what the key counts
    end = start + scheduler[key]
    if end > limit:
        hint = f'set {where}.{key}={limit - start}' if begin < limit else f'lower {where}.begin'
        say(
            f'note: the learning rate is scheduled for {end} iterations, the training has {limit} '
            f'(train_cfg.max_iters), so it will not come down to its end: {hint}',
            sys.stderr,
        )


def _set_unsaid_hooks(cfg: Config) -> None:
    """mmengine would make them for epochs."""
    if 'log_processor' not in cfg:
        cfg.log_processor = dict(type='LogProcessor', by_epoch=False)
    if 'default_hooks' not in cfg:
        cfg.default_hooks = {}
    hooks = cfg.default_hooks
    if 'checkpoint' not in hooks:
        hooks['checkpoint'] = dict(type='CheckpointHook')
    if hooks['checkpoint'] and not {'by_epoch', 'interval'} & hooks['checkpoint'].keys():
        hooks['checkpoint']['by_epoch'] = False
    if 'logger' not in hooks:
        hooks['logger'] = dict(type='LoggerHook', log_metric_by_epoch=False)
    if cfg.log_processor.get('by_epoch', True):
        _refuse(cfg, 'log_processor', 'by_epoch', cfg.log_processor)


def _check_hook(cfg: Config, where: str, hook: Mapping[str, Any]) -> None:
    kind = HOOKS.get(hook['type']) if isinstance(hook.get('type'), str) else hook.get('type')
    for base in kind.__mro__ if isinstance(kind, type) else ():
        if '__init__' not in vars(base) or base is object:
            continue
        for name, parameter in inspect.signature(base).parameters.items():
            default = None if parameter.default is parameter.empty else parameter.default
            if 'epoch' in name and hook.get(name, default) not in (None, False, 0, -1):
                _refuse(cfg, where, name, hook)


def _check_scheduler(cfg: Config, where: str, scheduler: dict) -> None:
    kind = PARAM_SCHEDULERS.get(scheduler['type'])
    if not scheduler.get('by_epoch', True) or getattr(kind, 'need_val_args', False):
        return  # the latter steps after validations
    if not scheduler.get('convert_to_iter_based'):
        _refuse(cfg, where, 'by_epoch', scheduler)
    if 'end' not in scheduler:  # mmengine would take the training for a single epoch
        scheduler['end'] = max(1, math.ceil(cfg.train_cfg.max_iters / _iterations(cfg)))


def _refuse(cfg: Config, where: str, name: str, part: Mapping[str, Any]) -> None:
    value = f' = {part[name]!r}' if name in part else ' (by default)'
    instead = _INSTEAD.get(name, f'{name}=False')
    raise UserError(
        f'{where}.{name}{value} counts epochs, but this training counts iterations '
        f'(train_cfg.max_iters): write {instead}; {_iterations(cfg)} iterations are about one '
        'epoch of these data'
    )


def _iterations(cfg: Config) -> int:
    """Iterations in which each training clip occurs once."""
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmvseg')):
        return len(VideoRunner.build_dataloader(copy.deepcopy(cfg.train_dataloader), seed=0))
