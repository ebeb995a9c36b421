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
    Nothing is removed but what the hook has written in its own folder.
    """

    _saved_iter: int | None = None

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
        self._forget_foreign_files()
        counts = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        if not self.by_epoch and self.interval > 0 and self.interval % counts:
            raise UserError(
                f'default_hooks.checkpoint.interval = {self.interval} is no multiple of '
                f'optim_wrapper.accumulative_counts = {counts}: a checkpoint between two optimizer '
                'steps cannot hold the gradients accumulated so far; change one of the two'
            )

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Save the best checkpoint.

        Raises:
            UserError: the validation has numbers, but not the one that decides; what was trained
                is saved before.
        """
        wanted = [name for name in self.save_best or () if name != 'auto']
        missing = [name for name in wanted if metrics and name not in metrics]
        if missing:
            where = '' if self.by_epoch else f' ({self.save_state(runner, runner.iter)} is saved)'
            raise UserError(
                f'default_hooks.checkpoint.save_best = {missing[0]!r} is none of the numbers of '
                f'the validation: {", ".join(metrics)}{where}'
            )
        super().after_val_epoch(runner, metrics)

    def save_state(self, runner: Runner, iteration: int) -> Path | None:
        """Save the state after an iteration, unless that was done already.

        Args:
            runner: of the training.
            iteration: number of iterations that are done.

        Returns:
            The file; None if the hook counts epochs.
        """
        if self.by_epoch:
            return None
        if self._saved_iter != iteration:
            meta = dict(epoch=runner.epoch, iter=iteration)
            self._save_checkpoint_with_step(runner, iteration, meta)
        return Path(self.last_ckpt)

    def _forget_foreign_files(self) -> None:
        """Keep to files of its own folder what a better one replaces: a checkpoint names them."""

        def own(path: str | None) -> str | None:
            found = path and Path(self.out_dir, Path(path).name)
            return str(found) if found and found.name.startswith('best_') else None

        if getattr(self, 'best_ckpt_path', None):
            self.best_ckpt_path = own(self.best_ckpt_path)
        for name, path in getattr(self, 'best_ckpt_path_dict', {}).items():
            self.best_ckpt_path_dict[name] = own(path)

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
        self._saved_iter = meta['iter']
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
