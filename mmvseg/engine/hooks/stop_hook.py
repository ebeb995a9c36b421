"""A training that ends before its last iteration leaves its state, and says why it ended."""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import torch
from mmengine.dist import all_reduce, is_main_process
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from mmvseg.errors import say

from .checkpoint_hook import CheckpointHook

#: Cluster and terminal ask with these; a launcher passes them on.
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: One Ctrl-C may come twice within moments: from the terminal and from a launcher.
_SAME_PRESS_S = 2.0
_HINT = b'\nCtrl-C: saves after this iteration; press again to stop at once\n'


class StopHook(Hook):
    """Ends a training on SIGTERM (status 143) and Ctrl-C (130), and saves where it ended.

    All processes stop after the same iteration, at an optimizer step. What was trained is saved by
    the :class:`CheckpointHook` under the regular name, also where early stopping ends a training.
    ``runner.stop_signal`` is the signal that has come, 0 if none has.
    """

    priority = 'LOWEST'  # when all others are done with the iteration

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._since_s = 0.0

    def before_train(self, runner: Runner) -> None:
        """Listen to signals."""
        if threading.current_thread() is not threading.main_thread():
            return

        def receive(number: int, frame: FrameType | None) -> None:
            if not runner.stop_signal:
                runner.stop_signal, self._since_s = number, time.monotonic()
                if number == signal.SIGINT and is_main_process():
                    os.write(2, _HINT)
            elif number == signal.SIGINT and time.monotonic() - self._since_s > _SAME_PRESS_S:
                raise KeyboardInterrupt

        watch_workers = signal.getsignal(signal.SIGCHLD)  # torch's: an error where one dies

        def miss(number: int, frame: FrameType | None) -> None:
            if callable(watch_workers) and not runner.stop_signal:  # which may have reached them
                watch_workers(number, frame)

        for number in _SIGNALS:
            # a script may have started this in the background, where Ctrl-C is not meant for it
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, receive)
        self._handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, miss)

    def release(self) -> None:
        """Let signals do again what they did before the training."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Stop if a signal has come to any of the processes."""
        counts = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        if (runner.iter + 1) % counts == 0 and _received(runner):
            self._stop(runner, runner.iter + 1)

    def after_val_windows(self, runner: Runner) -> None:
        """Stop a validation, in which averaged weights may stand in the model's place."""
        if _received(runner):
            for hook in runner.hooks:
                if isinstance(hook, EMAHook):
                    hook.after_val_epoch(runner)
            self._stop(runner, runner.iter)

    def after_lost_workers(self, runner: Runner) -> None:
        """Stop where the signal has ended the workers that load data."""
        self._stop(runner, runner.iter)

    def after_train(self, runner: Runner) -> None:
        """Save and say where, if another hook has ended the training."""
        loop = runner.train_loop
        if loop.stop_training and runner.iter < runner.max_iters:
            reasons = [getattr(hook, 'reason', '') for hook in runner.hooks]
            reason = ' '.join(filter(None, reasons)) or 'a hook has asked for it'
            where = self._save(runner, runner.iter)
            _say(f'training stopped after iteration {_of(runner, runner.iter)}: {reason} {where}')

    def _stop(self, runner: Runner, iteration: int) -> NoReturn:
        number = runner.stop_signal
        where = self._save(runner, iteration)
        name = signal.Signals(number).name
        _say(f'training stopped by {name} after iteration {_of(runner, iteration)}. {where}')
        runner.call_hook('after_run')
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    def _save(self, runner: Runner, iteration: int) -> str:
        hooks = [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            return 'An epoch is saved at its end only; --resume goes on from the last one'
        path: Path | None = hooks[0].save_state(runner, iteration) if hooks else None
        if path is None:
            return 'Nothing is saved: default_hooks.checkpoint saves no iterations'
        return f'Its state is in {path}' + ('; --resume goes on' if hooks[0].save_optimizer else '')


def _received(runner: Runner) -> int:
    """The signal that has come to any of the processes, on all of them; 0 if none has."""
    if runner.distributed:
        number = torch.tensor(runner.stop_signal)
        all_reduce(number, 'max')
        runner.stop_signal = int(number)
    return runner.stop_signal


def _of(runner: Runner, iteration: int) -> str:
    return f'{iteration} of {runner.max_iters}'


def _say(line: str) -> None:
    if is_main_process():
        start = '\n' if sys.stderr.isatty() else ''  # a line of progress may stand there
        say(f'{start}{line}', sys.stderr, flush=True)
