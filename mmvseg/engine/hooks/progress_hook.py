"""One line of progress instead of a log on the console."""

import sys
import time
from datetime import timedelta
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvseg.engine.console import log_to_file_only
from mmvseg.errors import printable, say
from mmvseg.progress import RecentRate
from mmvseg.registry import HOOKS


@HOOKS.register_module()
class ProgressHook(Hook):
    """Shows iteration, loss and remaining time of a training.

    On a terminal one line is rewritten every second; elsewhere a new line comes every
    ``interval_s`` seconds. The log of mmengine then goes to its file only; warnings stay visible.

    Args:
        interval_s: seconds between two lines when the output is not a terminal.
    """

    priority = 'BELOW_NORMAL'

    def __init__(self, interval_s: float = 15.0) -> None:
        self.rewrites = sys.stderr.isatty()
        self.interval_s = 1.0 if self.rewrites else interval_s

    def before_train(self, runner: Runner) -> None:
        """Silence the console log and start the clock."""
        log_to_file_only(runner.logger)
        self._shown_s, self._validation_s = time.monotonic(), 0.0
        self._rate = RecentRate(runner.iter, self._shown_s)
        if 0 < runner.iter < runner.max_iters:
            self._print(f'training: continues after iteration {runner.iter}', last=True)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Show the progress if it is time to."""
        done, last = runner.iter + 1, self.is_last_train_iter(runner)
        now_s = time.monotonic()
        per_iter_s = self._rate.update(done, now_s - self._validation_s)
        if now_s - self._shown_s < self.interval_s and not last:
            return
        self._shown_s = now_s
        losses = runner.message_hub.log_scalars.get('train/loss')  # None: all steps were skipped
        loss = f'{losses.mean(20):.3f}' if losses else '-'  # of the last 20 iterations
        left = timedelta(seconds=round(per_iter_s * (runner.max_iters - done)))
        self._print(
            f'training: iteration {done}/{runner.max_iters}, loss {loss}, '
            f'{per_iter_s:.2f} s each, {left} left',
            last,
        )

    def before_val(self, runner: Runner) -> None:
        """Leave the line to the progress of the validation."""
        self._val_start_s = time.monotonic()
        if self.rewrites and is_main_process():
            say('', sys.stderr)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Show the numbers; validation does not count as time of iterations."""
        shown = list((metrics or {}).items())[:3]  # AP, AP50, AP75
        numbers = ', '.join(f'{name} {value:.4g}' for name, value in shown)
        self._print(f'validation after iteration {runner.iter}: {numbers}', last=True)
        if hasattr(self, '_rate'):
            self._validation_s += time.monotonic() - self._val_start_s

    def _print(self, line: str, last: bool = False) -> None:
        if not is_main_process():
            return
        if self.rewrites:
            text = f'\r{printable(line)}\x1b[K'  # the whole line anew
            print(text, end='\n' if last else '', file=sys.stderr, flush=True)  # noqa: T201
        else:
            say(line, sys.stderr)
