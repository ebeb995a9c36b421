"""The remaining time of a training from what iterations have taken lately."""

from typing import Any

from mmengine.hooks import IterTimerHook as MMEngineIterTimerHook
from mmengine.runner import Runner

from mmvseg.registry import HOOKS

_RECENT_ITERATIONS = 50


@HOOKS.register_module()
class IterTimerHook(MMEngineIterTimerHook):
    """mmengine's hook, whose remaining time is by the mean since the start."""

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Note the time of the iteration and the remaining time."""
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        started = runner.iter + 1 - self.start_iter  # iterations of an earlier run do not count
        times = runner.message_hub.get_scalar('train/time')
        per_iter_s = times.mean(min(_RECENT_ITERATIONS, started))
        runner.message_hub.update_info('eta', per_iter_s * (runner.max_iters - runner.iter - 1))
