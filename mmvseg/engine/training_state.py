"""What a checkpoint says of a training, checked before any of it is used.

A checkpoint may be damaged or somebody else's. Optimizers write through the memory that its tensors
name, and hooks remove the files that it names, so nothing is taken on trust.
"""

import functools
import inspect
import sys
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NoReturn

import torch
from mmengine.optim import _ParamScheduler
from torch import Tensor, nn
from torch.optim import Optimizer

from mmvseg.checkpoints.plain_values import plain_items
from mmvseg.errors import UserError

from .rng import set_rng_state

#: The largest seed that numpy takes.
_MOST_SEED = 2**32 - 1
_MOST = sys.float_info.max
#: Options of a parameter group that no later version of torch would have to fill in.
_NEEDED_OPTIONS = {'lr', 'initial_lr', 'betas', 'momentum', 'weight_decay', 'eps', 'params'}
#: What random generators raise for a state that is none.
_DAMAGE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
#: What schedulers count their steps with.
_STEPS = ('last_step', '_global_step')
#: What mmengine's schedulers and ours count.
_PROGRESS = {
    *(*_STEPS, '_last_value', 'base_values'),
    *('best', 'num_bad_epochs', 'cooldown_counter'),
}


class StateChecker:
    """Checks the values of a checkpoint by their keys.

    Args:
        source: the file's name, for messages.
    """

    def __init__(self, source: str) -> None:
        self.source = source

    def refuse(self, key: str, needed: str, *found: Any) -> NoReturn:
        """Raise a UserError that names file and key."""
        shown = f' is {_shown(found[0])}, but' if found else ':'
        raise UserError(
            f'checkpoint {self.source}: {key}{shown} {needed}. Its training state is damaged '
            'or belongs to another training: continue from another checkpoint, or start a new '
            f'training from its weights with --cfg-options load_from={self.source} instead of '
            '--resume'
        )

    def mapping(self, value: Any, key: str) -> Mapping:
        """``value``, which has to be a dict with texts or whole numbers as keys."""
        if not isinstance(value, Mapping):
            self.refuse(key, 'a dict is needed', value)
        return value

    def sequence(self, value: Any, key: str, length: int | None = None) -> Sequence:
        """``value``, which has to be a list, if need be of some length."""
        if not isinstance(value, list | tuple):
            self.refuse(key, 'a list is needed', value)
        if length is not None and len(value) != length:
            self.refuse(key, f'a list of {length} is needed', value)
        return value

    def whole_number(self, value: Any, key: str, most: int | None = None) -> int:
        """``value``, which has to be a whole number from 0 on."""
        needed = 'a whole number from 0 on is needed'
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self.refuse(key, needed, value)
        if most is not None and value > most:
            self.refuse(key, f'at most {most} is possible', value)
        return value

    def like(self, value: Any, known: Any, key: str) -> None:
        """Refuse a value of another kind than the one that this training has for it."""
        if isinstance(known, bool) or known is None:
            if not (value is None or isinstance(value, bool | Real | Tensor | list | tuple)):
                self.refuse(key, 'a value of another kind is needed', value)
            if isinstance(known, bool) and not (value is None or isinstance(value, bool)):
                self.refuse(key, 'true or false is needed', value)
        elif isinstance(known, Real):
            if not _is_number(value):
                self.refuse(key, 'a number is needed', value)
        elif isinstance(known, str):
            if not isinstance(value, str):
                self.refuse(key, 'a text is needed', value)
        elif isinstance(known, list | tuple):
            for index, item in enumerate(self.sequence(value, key, len(known))):
                self.like(item, known[index], f'{key}[{index}]')
        elif isinstance(known, Mapping):
            for name in known.keys() - self.mapping(value, key).keys():
                self.refuse(f'{key}.{name}', 'it has to be there', None)
            for name, item in value.items():
                self.like(item, known.get(name, 0), f'{key}.{name}')


def check_meta(check: StateChecker, meta: Any) -> None:
    """Refuse iteration, epoch, seed or number of processes of a wrong kind.

    Raises:
        UserError: a value is missing or of no use.
    """
    meta = check.mapping(meta, 'meta')
    for name in ('iter', 'epoch'):
        if name not in meta:
            check.refuse(f'meta.{name}', 'it has to be there', None)
        check.whole_number(meta[name], f'meta.{name}')
    if meta.get('seed') is not None:
        check.whole_number(meta['seed'], 'meta.seed', _MOST_SEED)
    if 'world_size' in meta and not check.whole_number(meta['world_size'], 'meta.world_size'):
        check.refuse('meta.world_size', 'there is at least one process', 0)


def check_message_hub(check: StateChecker, hub: Any) -> None:
    """Refuse a log history that is none, and notes for hooks that they would stumble over."""
    hub = check.mapping(hub, 'message_hub')
    for part in ('log_scalars', 'runtime_info', 'resumed_keys'):
        if part not in hub:
            check.refuse(f'message_hub.{part}', 'it has to be there', None)
        for name in check.mapping(hub[part], f'message_hub.{part}'):
            if not isinstance(name, str):
                check.refuse(f'message_hub.{part}', 'names are needed', name)
    for name, history in hub['log_scalars'].items():
        key = f'message_hub.log_scalars.{name}'
        if set(check.mapping(history, key)) != {'log_history', 'count_history'}:
            check.refuse(key, 'log_history and count_history are needed', list(history))
        length = len(check.sequence(history['log_history'], f'{key}.log_history'))
        for column in ('log_history', 'count_history'):
            values = check.sequence(history[column], f'{key}.{column}', length)
            if not all(_can_be_averaged(value) for value in values):
                check.refuse(f'{key}.{column}', 'numbers are needed', values)
    for name, flag in hub['resumed_keys'].items():
        check.like(flag, True, f'message_hub.resumed_keys.{name}')
    info = hub['runtime_info']
    for step in check.sequence(info.get('keep_ckpt_ids', []), 'message_hub.keep_ckpt_ids'):
        check.whole_number(step, 'message_hub.keep_ckpt_ids')
    for name, value in info.items():
        if name.startswith('best_score'):
            check.like(value, 0.0, f'message_hub.{name}')
        elif name.startswith('best_ckpt'):
            check.like(value, '', f'message_hub.{name}')
        elif name == 'early_stopping':
            for key, number in check.mapping(value, f'message_hub.{name}').items():
                if not isinstance(number, Real):
                    check.refuse(f'message_hub.{name}.{key}', 'a number is needed', number)


def checked_optimizer_state(
    check: StateChecker, state: Any, optimizer: Optimizer, param_groups: Sequence[dict]
) -> dict[str, Any]:
    """The state of an optimizer in memory of its own, laid out like the parameters.

    Args:
        check: names the file.
        state: as the optimizer's ``state_dict`` gives it, perhaps with more.
        optimizer: to be filled, with the parameters.
        param_groups: its groups with the options that a training has given them.

    Returns:
        What ``load_state_dict`` takes.

    Raises:
        UserError: a value is of another shape or kind than the parameters need.
    """
    state = dict(check.mapping(state, 'optimizer'))
    for part in ('state', 'param_groups'):
        if part not in state:
            check.refuse(f'optimizer.{part}', 'it has to be there', None)
    saved = check.sequence(state['param_groups'], 'optimizer.param_groups')
    if len(saved) != len(param_groups):
        _other_optimizer(check, f'{len(saved)} parameter groups, here are {len(param_groups)}')
    parameters: dict[int, nn.Parameter] = {}
    for index, (group, ours) in enumerate(zip(saved, param_groups, strict=True)):
        key = f'optimizer.param_groups[{index}]'
        _check_options(check, group, ours, key)
        _check_accepted(check, optimizer, group, key)
        if len(group['params']) != len(ours['params']):
            found = f'{len(group["params"])} parameters in {key}, here are {len(ours["params"])}'
            _other_optimizer(check, found)
        parameters.update(zip(group['params'], ours['params'], strict=True))
    expected = functools.cache(
        lambda index, dims: _expected_state(optimizer, param_groups[index], dims)
    )
    group_of = {number: index for index, group in enumerate(saved) for number in group['params']}
    filled = {}
    for number, values in check.mapping(state['state'], 'optimizer.state').items():
        key = f'optimizer.state[{_shown(number)}]'
        if number not in parameters:
            check.refuse(key, 'this training has no such parameter')
        known = expected(group_of[number], parameters[number].dim())
        values = check.mapping(values, key)
        if known and (lacking := known.keys() - values.keys()):
            check.refuse(f'{key}.{min(lacking)}', 'it has to be there', None)
        filled[number] = {
            name: _checked_value(check, value, parameters[number], known, f'{key}.{name}')
            for name, value in values.items()
        }
    return dict(state, state=filled)


def progress_of(scheduler: _ParamScheduler) -> dict[str, Any]:
    """What a scheduler has come to, in plain types, without what its config says.

    Of schedulers from elsewhere all of the state, since only they know.
    """
    state = plain_items(scheduler.state_dict())
    if type(scheduler).__module__.split('.')[0] not in ('mmengine', 'mmdet', 'mmvseg'):
        return state
    return {key: value for key, value in state.items() if key in _PROGRESS}


def check_schedulers(check: StateChecker, states: Any, known: Sequence[Mapping], done: int) -> None:
    """Refuse states of schedulers that are not those of this training.

    Args:
        check: names the file.
        states: of the checkpoint.
        known: states of this training's schedulers, in plain types.
        done: iterations of the training that is continued; schedulers have taken no more steps.
    """
    states = check.sequence(states, 'param_schedulers', len(known))
    for index, (state, ours) in enumerate(zip(states, known, strict=True)):
        key = f'param_schedulers[{index}]'
        check.mapping(state, key)
        for name, value in ours.items():
            if name not in state:
                check.refuse(f'{key}.{name}', 'it has to be there', None)
            check.like(state[name], value, f'{key}.{name}')
            if name in _STEPS and not -1 <= state[name] <= done + 1:
                check.refuse(f'{key}.{name}', f'{done} iterations are done', state[name])


def catch_up(scheduler: _ParamScheduler) -> None:
    """Take the steps that a shorter training left out at its end."""
    done, taken = scheduler._global_step, scheduler.last_step
    due = min(done, scheduler.end - 1) - scheduler.begin
    if scheduler.by_epoch or not 0 <= taken < due:
        return
    scheduler._global_step = scheduler.begin + taken
    while scheduler._global_step < done:
        scheduler.step()


def check_average(check: StateChecker, state: Any, model: nn.Module) -> None:
    """Refuse averaged weights that are not those of the model."""
    state, weights = check.mapping(state, 'ema_state_dict'), model.state_dict()
    known = {'steps', *(f'module.{name}' for name in weights)}
    if foreign := [name for name in state if name not in known]:
        check.refuse(f'ema_state_dict.{_shown(foreign[0])}', 'the model has no such part')
    for name, tensor in weights.items():
        value = state.get(f'module.{name}')
        if not isinstance(value, Tensor) or value.shape != tensor.shape:
            check.refuse(
                f'ema_state_dict.module.{name}', f'a tensor {tuple(tensor.shape)} is needed', value
            )
    if 'steps' in state and not _is_number(state['steps']):
        check.refuse('ema_state_dict.steps', 'a number is needed', state['steps'])


def restore_rng(check: StateChecker, states: Any, saved_by: int, rank: int | None) -> None:
    """Restore the random generators of a process.

    Args:
        check: names the file.
        states: of all processes.
        saved_by: number of processes that saved them.
        rank: of this process; None where their number has changed, and nothing is restored.

    Raises:
        UserError: the states are not those of so many processes, or are damaged.
    """
    states = check.sequence(states, 'rng')
    if len(states) != saved_by:
        check.refuse('rng', f'the states of {saved_by} processes are needed', states)
    if rank is None:
        return
    try:
        position = states[rank]['numpy'][2]
        if not 0 <= position <= 624:  # of 624 words; numpy would read beyond them
            raise ValueError(f'position {position}')
        set_rng_state(states[rank])
    except _DAMAGE as error:
        check.refuse(f'rng[{rank}]', f'no states of random generators ({error})')


def _check_options(check: StateChecker, group: Any, ours: Mapping[str, Any], key: str) -> None:
    check.mapping(group, key)
    for name in _NEEDED_OPTIONS & ours.keys() - group.keys():
        check.refuse(f'{key}.{name}', 'it has to be there', None)
    for number in check.sequence(group['params'], f'{key}.params'):
        check.whole_number(number, f'{key}.params')
    for name in ours.keys() & group.keys() - {'params'}:
        check.like(group[name], ours[name], f'{key}.{name}')
    if 'lr' in group and float(group['lr']) < 0:
        check.refuse(f'{key}.lr', 'a rate from 0 on is needed', group['lr'])


def _check_accepted(
    check: StateChecker, optimizer: Optimizer, group: Mapping[str, Any], key: str
) -> None:
    """Let the optimizer itself judge the saved options, such as betas that lie in [0, 1)."""
    options = _accepted(optimizer, group)
    try:
        type(optimizer)(**(options | dict(params=[nn.Parameter(torch.zeros(1))])))
    except ValueError as error:
        check.refuse(key, f'options that {type(optimizer).__name__} takes are needed ({error})')
    except (RuntimeError, TypeError, NotImplementedError):
        pass  # it cannot be tried


def _accepted(optimizer: Optimizer, group: Mapping[str, Any]) -> dict[str, Any]:
    names = inspect.signature(type(optimizer)).parameters
    return {name: value for name, value in group.items() if name in names}


def _other_optimizer(check: StateChecker, found: str) -> NoReturn:
    raise UserError(
        f'checkpoint {check.source}: its optimizer state does not fit ({found}); it belongs to '
        'another optimizer set-up: undo the change of optim_wrapper, or start a new training from '
        f'its weights with --cfg-options load_from={check.source} instead of --resume'
    )


def _expected_state(
    optimizer: Optimizer, group: Mapping[str, Any], num_dims: int
) -> dict[str, Any]:
    """What the optimizer keeps of a parameter of so many dimensions, tried with a small one.

    Returns:
        True by name where it has the parameter's shape, False where it is a single number and None
        where it is something else; empty if the optimizer cannot be tried.
    """
    options = _accepted(optimizer, group)
    parameter = nn.Parameter(torch.zeros([*range(2, 2 + num_dims)]))
    parameter.grad = torch.zeros_like(parameter)
    try:
        twin = type(optimizer)(**(options | dict(params=[parameter])))
        twin.step()
    except (RuntimeError, TypeError, ValueError, NotImplementedError):
        return {}
    kinds = {}
    for name, value in twin.state[parameter].items():
        if isinstance(value, Tensor) and value.shape == parameter.shape:
            kinds[name] = True
        else:
            kinds[name] = False if _is_number(value) else None
    return kinds


def _checked_value(
    check: StateChecker, value: Any, parameter: nn.Parameter, known: Mapping[str, Any], key: str
) -> Any:
    name = key.rpartition('.')[2]
    kind = known.get(name)
    if kind is False:
        if not _is_number(value) or float(value) < 0:
            check.refuse(key, 'a number from 0 on is needed', value)
        return value.clone().reshape(()) if isinstance(value, Tensor) else value
    if not isinstance(value, Tensor):
        if kind is True:
            check.refuse(key, f'a tensor {tuple(parameter.shape)} is needed', value)
        return value
    if value.layout is not torch.strided or value.is_quantized or value.is_meta:
        check.refuse(key, 'a plain tensor is needed', value)
    if kind is None and name in known:  # of a shape that only the optimizer knows
        return value.clone()
    if value.numel() > 1 or kind is True:
        if value.shape != parameter.shape:
            check.refuse(key, f'the parameter is {tuple(parameter.shape)}', value)
        if value.is_floating_point() != parameter.is_floating_point() or value.is_complex():
            check.refuse(key, f'the parameter is {parameter.dtype}', value)
        if not torch.isfinite(value).all():
            check.refuse(key, 'finite numbers are needed', value)
        # in the layout of the parameter and in memory that nothing else has
        return torch.empty_like(parameter, dtype=value.dtype, device='cpu').copy_(value)
    return value.clone()


def _can_be_averaged(value: Any) -> bool:
    """Whether a history may hold it: losses may have been NaN or infinite."""
    return isinstance(value, float) or (isinstance(value, Real) and abs(value) <= _MOST)


def _is_number(value: Any) -> bool:
    """Whether this is a finite number, or a tensor of one."""
    if isinstance(value, Tensor):
        if value.numel() != 1 or value.is_complex() or value.is_meta:
            return False
        value = value.item()
    # compared, since whole numbers may be beyond what a float can hold
    return isinstance(value, Real) and not isinstance(value, bool) and abs(value) <= _MOST


def _shown(value: Any) -> str:
    if isinstance(value, Tensor):
        return f'a tensor {tuple(value.shape)} of {str(value.dtype).removeprefix("torch.")}'
    if isinstance(value, Mapping | list | tuple) and value:
        return f'a {type(value).__name__} of {len(value)}'
    if value is None:
        return 'missing'
    if isinstance(value, int) and abs(value) >= 10**30:
        return 'a huge number'
    return repr(value)[:80]
