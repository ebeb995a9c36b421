"""Learning rates that fall from the last block of a ViT to its first."""

from collections.abc import Callable
from typing import Any

from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from mmvseg.errors import UserError
from mmvseg.registry import OPTIM_WRAPPER_CONSTRUCTORS

_NAME = 'LayerDecayOptimWrapperConstructor'
_OPTIONS = ('decay_rate', 'decay_final_norm', 'decay_query_blocks')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LayerDecayOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Gives each block of ``model.backbone`` a learning rate of its own.

    With D blocks, block i has the optimizer's rate times ``decay_rate ** (D - 1 - i)``. What comes
    before the blocks has the rate of the first, the final norm and all other parts of the model
    have the full rate. Weight decay is the optimizer's for every parameter. Frozen parameters are
    left out. Parameters of the same rate are one group, which says under ``encoder`` whether they
    are the backbone's, so that a scheduler can tell.

    Options in ``optim_wrapper.paramwise_cfg``:

    * ``decay_rate`` (float): in (0, 1].
    * ``decay_final_norm`` (bool, default False): the backbone's final norm has the rate of the
      first block. VidEoMT was published so with DINOv3.
    * ``decay_query_blocks`` (bool, default True): False gives the last ``model.num_query_blocks``
      blocks the full rate. EoMT was published so with DINOv3.

    Raises:
        UserError: an option is unknown or of no use, or the model has no such backbone.
    """

    def _validate_cfg(self) -> None:
        super()._validate_cfg()
        if unknown := [name for name in self.paramwise_cfg if name not in _OPTIONS]:
            raise UserError(
                f'optim_wrapper.paramwise_cfg.{unknown[0]}: {_NAME} knows only '
                f'{", ".join(_OPTIONS)}'
            )
        rate = self.paramwise_cfg.get('decay_rate')
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 1:
            raise UserError(
                f'optim_wrapper.paramwise_cfg.decay_rate = {rate!r}: {_NAME} needs a number above '
                '0, at most 1'
            )
        if self.base_lr is None:
            raise UserError(f'optim_wrapper.optimizer.lr: {_NAME} needs it')

    def add_params(self, params: list[dict[str, Any]], module: nn.Module, **kwargs: Any) -> None:
        """Append the groups of all trained parameters.

        Args:
            params: the groups, changed in place.
            module: the model.
            **kwargs: mmengine's interface; unused.
        """
        multiplier_of = self._multipliers(module)
        groups: dict[tuple[float, bool], dict[str, Any]] = {}
        for name, parameter in module.named_parameters():
            if not parameter.requires_grad:
                continue
            encoder = name.startswith('backbone.')
            multiplier = multiplier_of(name.removeprefix('backbone.')) if encoder else 1.0
            new = dict(params=[], lr=self.base_lr * multiplier, encoder=encoder)
            groups.setdefault((multiplier, encoder), new)['params'].append(parameter)
        params.extend(groups.values())

    def _multipliers(self, model: nn.Module) -> Callable[[str], float]:
        """What gives the multiplier of a parameter by its name inside the backbone."""
        depth, num_full = _num_blocks(model), 0
        if not self.paramwise_cfg.get('decay_query_blocks', True):
            num_full = _num_query_blocks(model)
        decay = self.paramwise_cfg['decay_rate']
        lowest = decay ** (depth - 1)
        final_norm = lowest if self.paramwise_cfg.get('decay_final_norm', False) else 1.0

        def multiplier(name: str) -> float:
            part, _, rest = name.partition('.')
            if part == 'norm':
                return final_norm
            if part != 'blocks':
                return lowest
            block = int(rest.partition('.')[0])
            return 1.0 if block >= depth - num_full else decay ** (depth - 1 - block)

        return multiplier


def _num_blocks(model: nn.Module) -> int:
    backbone = getattr(model, 'backbone', None)
    blocks = getattr(backbone, 'blocks', None)
    if not isinstance(blocks, nn.ModuleList) or not len(blocks):
        found = 'missing' if backbone is None else f'of type {type(backbone).__name__}'
        raise UserError(
            f'optim_wrapper.constructor: {_NAME} needs a ViT with its list of blocks as '
            f'model.backbone, such as DINOViT, but model.backbone is {found}; remove '
            'optim_wrapper.constructor and optim_wrapper.paramwise_cfg'
        )
    return len(blocks)


def _num_query_blocks(model: nn.Module) -> int:
    if not hasattr(model, 'num_query_blocks'):
        raise UserError(
            'optim_wrapper.paramwise_cfg.decay_query_blocks = False: needs a model with '
            f'num_query_blocks, such as EoMT, but model.type is {type(model).__name__}'
        )
    return model.num_query_blocks
