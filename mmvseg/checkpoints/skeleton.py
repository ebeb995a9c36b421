"""Models without memory for their parameters, to look at names and shapes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from mmengine.registry import init_default_scope
from torch import nn
from torch.overrides import TorchFunctionMode

from mmvseg.registry import MODELS


class _EmptyOnMeta(TorchFunctionMode):
    """Puts what ``torch.empty`` makes, as torch's layers do their parameters, on no device.

    Everything is not put there (``torch.device('meta')``), since some models read values of
    tensors while they are built.
    """

    def __torch_function__(
        self,
        func: Callable,
        types: Iterable[type],
        args: tuple = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.empty:
            kwargs['device'] = 'meta'
        return func(*args, **kwargs)


def build_skeleton(model: Mapping[str, Any]) -> nn.Module:
    """Build a model in well under a second and a few megabytes, whatever its size.

    Args:
        model: its config, as for ``MODELS.build``.

    Returns:
        The model; its large parameters are on the device ``meta``, that is, they have a shape
        and no values.
    """
    init_default_scope('mmvseg')  # in which parts of mmdet are found by their names alone
    with _EmptyOnMeta():
        return MODELS.build(dict(model))
