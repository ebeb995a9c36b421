"""When DVIS takes its matches from the stage before, and when it makes its own (section 3.4)."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvseg.engine.distributed import bare_model
from mmvseg.errors import UserError
from mmvseg.registry import HOOKS


@HOOKS.register_module()
class GuidedMatchingHook(Hook):
    """Sets ``model.guided_matching`` in the first part of a training, and unsets it in the rest.

    It goes by the iteration of the run, so a resumed training goes on as it would have. (The
    published code counts from zero after each start.)

    Args:
        fraction: of the training's iterations that are guided, 0..1.
    """

    def __init__(self, fraction: float = 0.5) -> None:
        if not 0 <= fraction <= 1:
            raise UserError(f'GuidedMatchingHook(fraction={fraction}): must be from 0 to 1')
        self.fraction = fraction

    def before_train(self, runner: Runner) -> None:
        """Check that the model can be guided.

        Raises:
            UserError: it cannot.
        """
        model = bare_model(runner.model)
        if not hasattr(model, 'guided_matching'):
            raise UserError(
                f'custom_hooks: GuidedMatchingHook needs a model with guided_matching, such as '
                f'DVISOnline or DVISOffline, but model.type is {type(model).__name__}; remove the '
                'hook'
            )

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any | None = None
    ) -> None:
        """Tell the model."""
        bare_model(runner.model).guided_matching = runner.iter < self.fraction * runner.max_iters
