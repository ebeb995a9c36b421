"""Trainings that are ended before their last iteration."""

import os
import signal

import pytest
import toy
from test_runner import EMA, assert_same_end
from two_processes import in_two_processes

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.checkpoints.latest import find_latest_checkpoint

EARLY = dict(type='EarlyStoppingHook', monitor='video_1', rule='greater', patience=1, min_delta=1.0)


class Kill(toy.Hook):
    """Sends a signal to this process after an iteration, or in the validation after it."""

    def __init__(self, iteration, number=signal.SIGTERM, in_validation=False):
        self.iteration, self.number, self.in_validation = iteration, number, in_validation

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if not self.in_validation and runner.iter + 1 == self.iteration:
            os.kill(os.getpid(), self.number)

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if self.in_validation and runner.iter == self.iteration and batch_idx == 1:
            os.kill(os.getpid(), self.number)


def train_until(config, work_dir, hook, **options):
    runner = toy.make_runner(config, work_dir, **options)
    if hook is not None:
        runner.register_hook(hook)
    runner.train()


def resume(config, work_dir, **options):
    checkpoint = str(find_latest_checkpoint(work_dir))
    toy.make_runner(config, work_dir, resume=True, load_from=checkpoint, **options).train()


@pytest.mark.parametrize(
    ('iteration', 'saved', 'options'),
    [
        (3, 3, dict(custom_hooks=EMA)),
        # at an optimizer step; with workers, which data loading is left to
        (3, 4, dict(optim_wrapper__accumulative_counts=2, train_dataloader__num_workers=1)),
    ],
    ids=['average', 'accumulation'],
)
def test_sigterm_saves_a_state_that_goes_on_alike(
    toy_config, tmp_path, capsys, iteration, saved, options
):
    options['default_hooks__checkpoint__interval'] = 100
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(SystemExit) as end:
        train_until(toy_config, tmp_path / 'stopped', Kill(iteration), **options)
    assert end.value.code == 128 + signal.SIGTERM
    assert handlers == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    line = f'training stopped by SIGTERM after iteration {saved} of 8. Its state is in'
    assert capsys.readouterr().err.count(line) == 1
    assert [p.name for p in (tmp_path / 'stopped').glob('*.pth')] == [f'iter_{saved}.pth']
    resume(toy_config, tmp_path / 'stopped', **options)
    train_until(toy_config, tmp_path / 'whole', None, **options)
    assert_same_end(tmp_path / 'whole', tmp_path / 'stopped')


def test_sigterm_ends_a_validation(toy_config, tmp_path):
    options = dict(validate=True, train_cfg__val_interval=3, custom_hooks=EMA)
    options['default_hooks__checkpoint__interval'] = 100
    hook = Kill(3, in_validation=True)
    with pytest.raises(SystemExit):
        train_until(toy_config, tmp_path / 'stopped', hook, **options)
    resume(toy_config, tmp_path / 'stopped', **options)
    train_until(toy_config, tmp_path / 'whole', None, **options)
    assert_same_end(tmp_path / 'whole', tmp_path / 'stopped')


def test_ctrl_c_saves_too(toy_config, tmp_path, capfd):
    with pytest.raises(KeyboardInterrupt):
        train_until(toy_config, tmp_path, Kill(5, signal.SIGINT))
    assert find_latest_checkpoint(tmp_path).name == 'iter_5.pth'
    shown = capfd.readouterr().err
    assert 'press again to stop at once' in shown
    assert 'training stopped by SIGINT after iteration 5 of 8' in shown


def test_a_signal_that_is_ignored_stays_ignored(toy_config, tmp_path):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        train_until(toy_config, tmp_path, Kill(5, signal.SIGINT))
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert find_latest_checkpoint(tmp_path).name == 'iter_8.pth'


def test_without_a_checkpoint_hook_it_is_said(toy_config, tmp_path, capsys):
    runner = toy.make_runner(toy_config, tmp_path)
    runner._hooks = [hook for hook in runner.hooks if type(hook).__name__ != 'CheckpointHook']
    runner.register_hook(Kill(2))
    with pytest.raises(SystemExit):
        runner.train()
    assert 'Nothing is saved: default_hooks.checkpoint' in capsys.readouterr().err


def test_early_stopping_saves_and_says_why(toy_config, tmp_path, capsys):
    options = dict(validate=True, custom_hooks=[EARLY], train_cfg__val_interval=2)
    options['default_hooks__checkpoint__interval'] = 100
    train_until(toy_config, tmp_path, None, **options)
    line = 'training stopped after iteration 4 of 8: EarlyStoppingHook, video_1: the monitored'
    assert capsys.readouterr().err.count(line) == 1
    checkpoint = load_checkpoint_file(find_latest_checkpoint(tmp_path))
    assert checkpoint['meta']['iter'] == 4
    assert checkpoint['message_hub']['runtime_info']['early_stopping']['wait_count'] == 1


def test_two_processes_stop_where_one_is_asked_to(toy_config, tmp_path):
    options = dict(train_dataloader__batch_size=1, default_hooks__checkpoint__interval=100)

    def work(rank):
        hook = Kill(3) if rank == 1 else None
        runner = toy.make_runner(toy_config, tmp_path, launcher='pytorch', **options)
        if hook:
            runner.register_hook(hook)
        with pytest.raises(SystemExit) as end:
            runner.train()
        return end.value.code, runner.iter

    assert in_two_processes(work) == [(143, 2)] * 2
    assert len(load_checkpoint_file(tmp_path / 'iter_3.pth')['rng']) == 2
