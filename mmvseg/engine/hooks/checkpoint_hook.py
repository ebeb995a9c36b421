"""Saving checkpoints so that at every moment one is complete."""

from pathlib import Path
from typing import Any

from mmengine.hooks import CheckpointHook as MMEngineCheckpointHook
from mmengine.runner import Runner

from mmvseg.checkpoints.latest import LAST_CHECKPOINT
from mmvseg.engine.distributed import on_main_process
from mmvseg.errors import UserError
from mmvseg.files import file_errors, write_bytes
from mmvseg.registry import HOOKS


@HOOKS.register_module()
class CheckpointHook(MMEngineCheckpointHook):
    """mmengine's hook, except that an outdated file goes only after the new one is complete.

    mmengine removes first, so with ``max_keep_ckpts=1`` a crash while saving leaves nothing.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.args:  # mmengine would pass them on when saving
            unknown = ', '.join(self.args)
            raise TypeError(
                f"CheckpointHook.__init__() got an unexpected keyword argument '{unknown}'"
            )

    def before_train(self, runner: Runner) -> None:
        """Check that resuming from the checkpoints to come loses no accumulated gradients."""
        super().before_train(runner)
        counts = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        if not self.by_epoch and self.interval > 0 and self.interval % counts:
            raise UserError(
                f'default_hooks.checkpoint.interval = {self.interval} is no multiple of '
                f'optim_wrapper.accumulative_counts = {counts}: a checkpoint between two optimizer '
                'steps cannot hold the gradients accumulated so far; change one of the two'
            )

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        outdated = self._outdated_by(step) if self.max_keep_ckpts > 0 else None
        if self.max_keep_ckpts > 0:
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        filename = self.filename_tmpl.format(step)
        self.last_ckpt = str(Path(self.out_dir) / filename)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            filename,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
        )
        on_main_process(lambda: self._settle(Path(runner.work_dir), outdated))

    def _settle(self, work_dir: Path, outdated: int | None) -> None:
        """Name the checkpoint just saved as the last one, and remove what it supersedes."""
        write_bytes(work_dir / LAST_CHECKPOINT, self.last_ckpt.encode())
        if outdated is not None:
            old = Path(self.out_dir) / self.filename_tmpl.format(outdated)
            with file_errors(old):
                old.unlink(missing_ok=True)

    def _outdated_by(self, step: int) -> int | None:
        """Note the checkpoint of ``step`` as kept; the step whose file it supersedes, if any."""
        kept = self.keep_ckpt_ids
        if kept and kept[-1] == step:
            return None
        outdated = kept.popleft() if len(kept) == self.max_keep_ckpts else None
        kept.append(step)
        return outdated
