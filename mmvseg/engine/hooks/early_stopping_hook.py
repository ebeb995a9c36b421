"""Early stopping that says why, and goes on counting when a training is resumed."""

from typing import Any

from mmengine.hooks import EarlyStoppingHook as MMEngineEarlyStoppingHook
from mmengine.runner import Runner

from mmvseg.errors import UserError
from mmvseg.registry import HOOKS

_INFO = 'early_stopping'


@HOOKS.register_module()
class EarlyStoppingHook(MMEngineEarlyStoppingHook):
    """mmengine's hook with its state in the checkpoints; ``reason`` says why it has stopped."""

    reason = ''

    def before_run(self, runner: Runner) -> None:
        """Nothing: mmengine's hook wants a training loop, which tests do not have."""

    def before_train(self, runner: Runner) -> None:
        """Take up what was counted before the training was interrupted."""
        info = runner.message_hub.get_info(_INFO) or {}
        self.best_score = info.get('best_score', self.best_score)
        self.wait_count = info.get('wait_count', self.wait_count)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Decide whether to stop; not by a validation without any numbers.

        Raises:
            UserError: there are numbers, but not the one that decides.
        """
        if not metrics:
            runner.logger.warning(f'no numbers: EarlyStoppingHook waits for {self.monitor}')
            return
        if self.monitor not in metrics:
            raise UserError(
                f'custom_hooks: EarlyStoppingHook.monitor = {self.monitor!r} is none of the '
                f'numbers of the validation: {", ".join(metrics)}'
            )
        super().after_val_epoch(runner, metrics)
        info = dict(best_score=float(self.best_score), wait_count=self.wait_count)
        runner.message_hub.update_info(_INFO, info)

    def _check_stop_condition(self, current_score: float) -> tuple[bool, str]:
        stops, message = super()._check_stop_condition(current_score)
        if stops:
            self.reason = f'EarlyStoppingHook, {self.monitor}: {message.strip()}'
        return stops, message

    def _init_rule(self, monitor: str) -> Any:
        try:
            return super()._init_rule(monitor)
        except ValueError as error:
            raise UserError(f'custom_hooks: EarlyStoppingHook: {error}; add rule=…') from error
