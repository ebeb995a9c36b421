"""Which parts of a model leave half precision under autocast."""

import torch
from torch import Tensor


def full_precision(tensor: Tensor) -> Tensor:
    """A half-precision tensor as float32; float32 and float64 tensors as they are.

    Coordinates, matching costs and losses pass through here: float16 cannot tell the pixels of a
    large frame apart.
    """
    half = tensor.dtype in (torch.float16, torch.bfloat16)
    return tensor.float() if half else tensor
