"""Learning rates that rise from zero and then fall by a power, the encoder's after the others."""

from typing import Any

from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from torch.optim import Optimizer

from mmvseg.errors import UserError
from mmvseg.registry import PARAM_SCHEDULERS

_POWER = 0.9


@PARAM_SCHEDULERS.register_module()
class WarmUpPolyLR(LRSchedulerMixin, _ParamScheduler):
    """Linear warm-up from 0, then a fall to 0 with the power 0.9.

    In S steps with a warm-up of w, step s has the base rate times s / w, and from w on times
    (1 - (s - w) / (S - w)) ** 0.9, which is 0 at S, after the last step. With ``encoder_warm_up``
    the encoder rests at 0 for w steps, and then goes through the same with its own warm-up in the
    S - w steps that are left.

    Args:
        optimizer: whose rates are set. Its parameter groups say under ``encoder`` whether they are
            the encoder's, as those of :class:`.LayerDecayOptimWrapperConstructor` do.
        warm_up: steps.
        end: step at which the schedule ends; the runner sets it to the length of the training.
        encoder_warm_up: steps; None lets the encoder go with the others.
        begin: step at which the schedule begins.
        by_epoch: whether steps are epochs instead of iterations.

    Raises:
        UserError: the warm-up is not shorter than the training, or no group is marked.
    """

    def __init__(
        self,
        optimizer: Optimizer | OptimWrapper,
        *,
        warm_up: int,
        end: int,
        encoder_warm_up: int | None = None,
        begin: int = 0,
        by_epoch: bool = True,
    ) -> None:
        _check_steps(warm_up, encoder_warm_up, end - begin)
        groups = optimizer.param_groups
        if encoder_warm_up is not None and not any('encoder' in group for group in groups):
            raise UserError(
                f'param_scheduler.encoder_warm_up = {encoder_warm_up}: no parameter group says '
                'what is the encoder; set optim_wrapper.constructor = '
                "'LayerDecayOptimWrapperConstructor', or encoder_warm_up = None"
            )
        self.warm_up = warm_up
        self.encoder_warm_up = encoder_warm_up
        super().__init__(optimizer, begin=begin, end=end, by_epoch=by_epoch)

    def _get_value(self) -> list[float]:
        total = self.end - self.begin
        others = encoder = _factor(self.last_step, self.warm_up, total)
        if self.encoder_warm_up is not None:
            step = self.last_step - self.warm_up
            encoder = _factor(step, self.encoder_warm_up, total - self.warm_up)
        return [
            base * (encoder if group.get('encoder', False) else others)
            for base, group in zip(self.base_values, self.optimizer.param_groups, strict=True)
        ]


def _factor(step: int, warm_up: int, total: int) -> float:
    if step < 0:
        return 0.0
    if step < warm_up:
        return step / warm_up
    return (1 - (step - warm_up) / (total - warm_up)) ** _POWER


def _check_steps(warm_up: Any, encoder_warm_up: Any, total: int) -> None:
    given = dict(warm_up=warm_up)
    if encoder_warm_up is not None:
        given['encoder_warm_up'] = encoder_warm_up
    for name, steps in given.items():
        if type(steps) is not int or steps < 0:
            raise UserError(f'param_scheduler.{name} = {steps!r}: must be a whole number from 0 on')
    if sum(given.values()) >= total:
        shown = ' and '.join(f'{name} = {steps}' for name, steps in given.items())
        raise UserError(
            f'param_scheduler: {shown} leave nothing of a schedule of {total} steps, by default '
            'train_cfg.max_iters; make them smaller, or set param_scheduler.end to the length of '
            'the whole schedule of which this training is the beginning'
        )
