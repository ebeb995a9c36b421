"""Mixed precision in bfloat16, on GPU and CPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from torch import nn

from mmvseg.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Forward passes under bfloat16 autocast; parameters and gradients stay in float32.

    bfloat16 has the exponent range of float32, so unlike fp16 (mmengine's ``AmpOptimWrapper``) it
    needs no gradient scaler, and it also works on a CPU.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Context of one forward pass."""
        with (
            super().optim_context(model),
            torch.autocast(get_device(), dtype=torch.bfloat16),
        ):
            yield
