"""In what precision a model infers, and which of its parts stay in float32 all the same."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor

from mmvseg.errors import UserError
from mmvseg.ops.linear import onednn, onednn_is_faster

#: ``fp16`` is for GPUs; ``auto``: fp16 on a GPU, bf16 on a CPU.
PRECISIONS = ('fp32', 'auto', 'fp16', 'bf16')
#: Why outputs are not finite and what to do, to end a message with.
WHY_NOT_FINITE = (
    'the weights may be damaged, or the model needs float32 instead of half precision '
    '(--precision fp32; in training, no --amp)'
)


def dtype_of(precision: str, device: torch.device) -> torch.dtype:
    """The type that a model on a device computes with.

    Raises:
        UserError: the precision is unknown, or the device has none of the kind.
    """
    on_gpu = device.type == 'cuda'
    if precision == 'auto':
        precision = 'fp16' if on_gpu else 'bf16'
    if precision == 'fp16' and not on_gpu:
        raise UserError('--precision fp16 (test_cfg.precision): needs a GPU; use bf16 on a CPU')
    types = dict(fp32=torch.float32, fp16=torch.float16, bf16=torch.bfloat16)
    if precision not in types:
        raise UserError(
            f'test_cfg.precision = {precision!r}: must be one of {", ".join(PRECISIONS)}'
        )
    return types[precision]


@contextmanager
def inference(dtype: torch.dtype, device: torch.device) -> Iterator[None]:
    """How models infer: without gradients, by the faster library for products on a CPU.

    In half precision, if ``dtype`` is of that kind, under autocast.
    """
    with ExitStack() as contexts:
        contexts.enter_context(torch.inference_mode())
        contexts.enter_context(onednn(device.type == 'cpu' and onednn_is_faster()))
        if dtype != torch.float32:
            contexts.enter_context(torch.autocast(device.type, dtype))
        yield


def full_precision(tensor: Tensor) -> Tensor:
    """A half-precision tensor as float32; float32 and float64 tensors as they are.

    Coordinates, matching costs and losses pass through here: float16 cannot tell the pixels of a
    large frame apart.
    """
    half = tensor.dtype in (torch.float16, torch.bfloat16)
    return tensor.float() if half else tensor
