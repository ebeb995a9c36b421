"""How EoMT's training gives up its attention masks, one query block after the other."""

from collections.abc import Sequence
from typing import Any, NoReturn

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mmvseg.engine.distributed import bare_model
from mmvseg.errors import UserError
from mmvseg.registry import HOOKS

_POWER = 0.9


@HOOKS.register_module()
class MaskAnnealingHook(Hook):
    """Sets ``model.mask_probabilities``: how likely a query keeps its mask, by query block.

    The probability of a block is 1 before its start and 0 from its end on; in between it is
    (1 - progress) ** 0.9. It goes by the iteration of the run, so a resumed training goes on as it
    would have, and a training from the weights of a finished one begins with all masks.

    Args:
        starts: the iteration from which masks are dropped, for each query block.
        ends: the iteration from which there are none, for each query block.

    Raises:
        UserError: the iterations are of no use, or not as many as the model has query blocks.
    """

    def __init__(self, starts: Sequence[int], ends: Sequence[int]) -> None:
        for name, steps in dict(starts=starts, ends=ends).items():
            if not isinstance(steps, list | tuple) or any(type(s) is not int for s in steps):
                _refuse(f'{name} = {steps!r}: must be a list of iterations, one a query block')
        if len(starts) != len(ends):
            _refuse(f'has {len(starts)} starts and {len(ends)} ends; as many are needed')
        for start, end in zip(starts, ends, strict=True):
            if not 0 <= start < end:
                _refuse(f'has the start {start} and the end {end}; 0 <= start < end is needed')
        self.starts, self.ends = starts, ends

    def before_train(self, runner: Runner) -> None:
        """Check that the model is such a one, and set where the training stands.

        Raises:
            UserError: it has no such probabilities, or of other blocks.
        """
        model = bare_model(runner.model)
        known = getattr(model, 'mask_probabilities', None)
        if not isinstance(known, Tensor):
            _refuse(
                'needs a model with mask_probabilities, such as EoMT, but model.type is '
                f'{type(model).__name__}; remove the hook'
            )
        if len(known) != len(self.starts):
            _refuse(
                f'has the iterations of {len(self.starts)} query blocks, but the model has '
                f'{len(known)} (model.num_query_blocks); give starts and ends one of each'
            )
        if max(self.ends) > runner.max_iters:
            runner.logger.warning(
                f'custom_hooks: MaskAnnealingHook ends at {max(self.ends)}, after train_cfg.'
                f'max_iters = {runner.max_iters}: the model will not have learnt to do without '
                'masks, and at test there are none'
            )
        self._set(runner, runner.iter)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Set what the next iteration takes, and a checkpoint that is saved before it."""
        self._set(runner, runner.iter + 1)

    def _set(self, runner: Runner, step: int) -> None:
        pairs = zip(self.starts, self.ends, strict=True)
        values = [_probability(step, start, end) for start, end in pairs]
        known = bare_model(runner.model).mask_probabilities
        known.copy_(known.new_tensor(values))


def _probability(step: int, start: int, end: int) -> float:
    if step < start:
        return 1.0
    return 0.0 if step >= end else (1 - (step - start) / (end - start)) ** _POWER


def _refuse(what: str) -> NoReturn:
    raise UserError(f'custom_hooks: MaskAnnealingHook {what}')
