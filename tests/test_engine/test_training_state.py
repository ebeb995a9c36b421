"""Damaged training states in checkpoints, and the message that each of them gets."""

import copy

import pytest
import torch
import toy
from torch import nn

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.engine.rng import get_rng_state
from mmvseg.engine.training_state import (
    StateChecker,
    check_average,
    check_message_hub,
    check_meta,
    check_schedulers,
    checked_optimizer_state,
    restore_rng,
)
from mmvseg.errors import UserError

CHECK = StateChecker('a.pth')
META = dict(iter=3, epoch=0, seed=1, world_size=1)
HISTORY = dict(log_history=[0.5], count_history=[1])
HUB = dict(log_scalars={'train/loss': HISTORY}, runtime_info={}, resumed_keys={'train/loss': True})


def changed(value, path, new):
    """A copy with the value under the keys of ``path`` replaced, or removed where it is ``...``."""
    value = copy.deepcopy(value)
    *parents, last = path
    part = value
    for key in parents:
        part = part[key]
    if new is ...:
        del part[last]
    else:
        part[last] = new
    return value


@pytest.mark.parametrize('name', ['iter', 'epoch', 'seed', 'world_size'])
@pytest.mark.parametrize('value', ['x', -5, 1.5, True, [3], float('nan')])
def test_meta(name, value):
    check_meta(CHECK, META)
    with pytest.raises(UserError, match=rf'^checkpoint a\.pth: meta\.{name} is .* is needed'):
        check_meta(CHECK, changed(META, [name], value))


@pytest.mark.parametrize('meta', [None, {}, [], 'x', dict(META, seed=2**32), dict(META, iter=None)])
def test_meta_that_is_none(meta):
    with pytest.raises(UserError, match=r'^checkpoint a\.pth: meta'):
        check_meta(CHECK, meta)


@pytest.mark.parametrize(
    ('path', 'value'),
    [
        (['log_scalars'], ...),
        (['log_scalars'], 5),
        (['log_scalars', 'train/loss'], [1]),
        (['log_scalars', 'train/loss', 'log_history'], 'x'),
        (['log_scalars', 'train/loss', 'log_history'], ['x']),
        (['log_scalars', 'train/loss', 'log_history'], [10**400]),
        (['log_scalars', 'train/loss', 'count_history'], [1, 2]),
        (['resumed_keys', 'train/loss'], 'x'),
        (['runtime_info', 'keep_ckpt_ids'], ['../../a']),
        (['runtime_info', 'keep_ckpt_ids'], 5),
        (['runtime_info', 'best_score'], 'x'),
        (['runtime_info', 'best_ckpt'], 5),
        (['runtime_info', 'early_stopping'], 5),
    ],
)
def test_message_hub(path, value):
    check_message_hub(CHECK, HUB)
    with pytest.raises(UserError, match=r'^checkpoint a\.pth: message_hub\.'):
        check_message_hub(CHECK, changed(HUB, path, value))


@pytest.fixture
def optimizer():
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return optimizer


@pytest.mark.parametrize(
    ('path', 'value', 'key'),
    [
        (['state', 0, 'exp_avg'], torch.zeros(3), r'state\[0\]\.exp_avg'),
        (['state', 0, 'exp_avg'], torch.zeros(3, 2), r'state\[0\]\.exp_avg'),
        (['state', 0, 'exp_avg'], torch.zeros(2, 3, dtype=torch.int64), r'state\[0\]\.exp_avg'),
        (['state', 0, 'exp_avg'], torch.zeros(2, 3).to_sparse(), r'state\[0\]\.exp_avg'),
        (['state', 0, 'exp_avg'], torch.full((2, 3), torch.nan), r'state\[0\]\.exp_avg'),
        (['state', 0, 'exp_avg_sq'], torch.full((2, 3), torch.inf), r'state\[0\]\.exp_avg_sq'),
        (['state', 0, 'exp_avg'], 0.5, r'state\[0\]\.exp_avg'),
        (['state', 0, 'exp_avg_sq'], ..., r'state\[0\]\.exp_avg_sq'),
        (['state', 0, 'step'], 'x', r'state\[0\]\.step'),
        (['state', 0, 'step'], torch.zeros(3), r'state\[0\]\.step'),
        (['state', 0], [1], r'state\[0\]'),
        (['state', 7], {}, r'state\[7\]'),
        (['state'], [1], 'state'),
        (['param_groups'], 5, 'param_groups'),
        (['param_groups', 0], 5, r'param_groups\[0\]'),
        (['param_groups', 0, 'params'], ..., r'param_groups\[0\]\.params'),
        (['param_groups', 0, 'params'], ['a', 'b'], r'param_groups\[0\]\.params'),
        (['param_groups', 0, 'lr'], 'x', r'param_groups\[0\]\.lr'),
        (['param_groups', 0, 'lr'], float('nan'), r'param_groups\[0\]\.lr'),
        (['param_groups', 0, 'lr'], 10**400, r'param_groups\[0\]\.lr'),
        (['param_groups', 0, 'betas'], (0.9,), r'param_groups\[0\]\.betas'),
        (['param_groups', 0, 'betas'], (5, 7), r'param_groups\[0\]'),
        (['param_groups', 0, 'eps'], -1.0, r'param_groups\[0\]'),
        (['param_groups', 0, 'fused'], 'x', r'param_groups\[0\]\.fused'),
    ],
)
def test_optimizer(optimizer, path, value, key):
    damaged = changed(optimizer.state_dict(), path, value)
    with pytest.raises(UserError, match=rf'^checkpoint a\.pth: optimizer\.{key}'):
        checked_optimizer_state(CHECK, damaged, optimizer, optimizer.param_groups)


def test_optimizer_of_other_parameters(optimizer):
    for number in (1, 3):
        other = torch.optim.AdamW([nn.Parameter(torch.zeros(2)) for _ in range(number)])
        with pytest.raises(UserError, match='another optimizer set-up'):
            checked_optimizer_state(CHECK, other.state_dict(), optimizer, optimizer.param_groups)


@pytest.mark.parametrize('kind', ['AdamW', 'SGD', 'Adagrad', 'RMSprop', 'Adafactor', 'Rprop'])
def test_optimizer_states_come_through_in_memory_of_their_own(kind):
    model = nn.Linear(3, 2)
    options = dict(momentum=0.9) if kind == 'SGD' else {}
    optimizer = getattr(torch.optim, kind)(model.parameters(), lr=0.1, **options)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    state = optimizer.state_dict()
    checked = checked_optimizer_state(CHECK, state, optimizer, optimizer.param_groups)
    for number, values in state['state'].items():
        for name, value in values.items():
            torch.testing.assert_close(checked['state'][number][name], value)
    state['state'][0] = {
        name: torch.ones(1).expand(value.shape) if value is not None and value.dim() else value
        for name, value in state['state'][0].items()
    }
    checked = checked_optimizer_state(CHECK, state, optimizer, optimizer.param_groups)
    tensors = [value for value in checked['state'][0].values() if torch.is_tensor(value)]
    if kind != 'Adafactor':
        assert all(0 not in value.stride() for value in tensors)
    assert len({value.data_ptr() for value in tensors}) == len(tensors)


@pytest.mark.parametrize(
    'states',
    [
        *(5, None, [], [5], [{}], [dict(last_step='x')], [dict(last_step=3, base_values=[1])]),
        *([dict(last_step=step, base_values=[0.1, 0.2])] for step in (10**12, 5, -2)),
    ],
)
def test_schedulers(states):
    known = [dict(last_step=0, base_values=[0.1, 0.1])]
    check_schedulers(CHECK, [dict(last_step=3, base_values=[0.1, 0.2], end=8)], known, 3)
    with pytest.raises(UserError, match=r'^checkpoint a\.pth: param_schedulers'):
        check_schedulers(CHECK, states, known, 3)


@pytest.mark.parametrize(
    'change',
    [
        dict(numpy=None),
        dict(python=5),
        dict(python=(3, (1, 2), None)),
        dict(torch=torch.zeros(5)),
        dict(torch='x'),
        'position',
    ],
)
def test_rng(change):
    state = get_rng_state()
    restore_rng(CHECK, [state], 1, 0)
    if change == 'position':  # numpy would read 10**6 words behind its own
        change = dict(numpy=(*state['numpy'][:2], 10**6, *state['numpy'][3:]))
    with pytest.raises(UserError, match=r'^checkpoint a\.pth: rng\[0\]'):
        restore_rng(CHECK, [state | change], 1, 0)
    with pytest.raises(UserError, match=r'^checkpoint a\.pth: rng is \[\]'):
        restore_rng(CHECK, [], 1, 0)


def test_average():
    model = nn.Linear(3, 2)
    state = {f'module.{name}': value for name, value in model.state_dict().items()}
    check_average(CHECK, state | dict(steps=torch.tensor(3)), model)
    for damaged in (
        5,
        {},
        state | {'module.weight': torch.zeros(2)},
        state | {'module.a': torch.zeros(2)},
        state | dict(steps='x'),
    ):
        with pytest.raises(UserError, match=r'^checkpoint a\.pth: ema_state_dict'):
            check_average(CHECK, damaged, model)


@pytest.fixture(scope='module')
def checkpoint(toy_config, tmp_path_factory):
    folder = tmp_path_factory.mktemp('state')
    toy.make_runner(toy_config, folder, train_cfg__max_iters=2).train()
    return folder / 'iter_2.pth'


def resume(toy_config, path, work_dir, **options):
    runner = toy.make_runner(toy_config, work_dir, resume=True, load_from=str(path), **options)
    runner.train()
    return runner


@pytest.mark.parametrize(
    ('path', 'value', 'message'),
    [
        (['meta'], None, 'meta is missing'),
        (['meta', 'seed'], 'x', r"meta\.seed is 'x'"),
        (['meta', 'iter'], 2**70, r'beyond train_cfg\.max_iters = 8: nothing is left to train'),
        (['param_schedulers'], ..., 'param_schedulers is missing'),
        (['optimizer', 'state', 0, 'exp_avg'], torch.zeros(3), r'exp_avg is a tensor \(3,\)'),
        (['ema_state_dict'], {}, 'averaged weights, but custom_hooks has no EMAHook'),
        (['meta', 'dataset_meta', 'classes'], 5, r'dataset_meta\.classes is no list of names'),
        (['meta', 'dataset_meta', 'category_ids'], 'ab', r'dataset_meta\.category_ids is no list'),
    ],
)
def test_resume_refuses_them(toy_config, checkpoint, tmp_path, path, value, message):
    damaged = tmp_path / 'damaged.pth'
    torch.save(changed(load_checkpoint_file(checkpoint), path, value), damaged)
    with pytest.raises(UserError, match=rf'checkpoint {damaged}: .*{message}|{message}'):
        resume(toy_config, damaged, tmp_path / 'work')
    assert not list((tmp_path / 'work').glob('*.pth'))


def test_a_finished_training_says_so(toy_config, checkpoint, tmp_path):
    runner = resume(toy_config, checkpoint, tmp_path, train_cfg__max_iters=2)
    assert runner.iter == 2
    log = next(tmp_path.rglob('*.log')).read_text()
    assert 'meta.iter is 2, the last of train_cfg.max_iters = 2: nothing is left to train' in log


def test_schedules_follow_a_config_that_goes_on_longer(toy_config, checkpoint, tmp_path):
    runner = resume(toy_config, checkpoint, tmp_path, train_cfg__max_iters=4)
    # the learning rate is halved after iteration 3, although the run before was to end at 2
    assert runner.optim_wrapper.get_lr()['lr'] == [pytest.approx(0.005)]
