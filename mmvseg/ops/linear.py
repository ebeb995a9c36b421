"""Matrix products for inference on a CPU, with what follows them fused in.

torch sends products of float32 to MKL, which runs slower on processors of other makers than Intel,
writes the bias first and leaves an activation to a pass of its own. oneDNN, which torch carries as
well, does all in one pass. Which of the two is faster here is measured, not assumed.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

#: What the products are followed by, as oneDNN names it and its algorithm, and as torch does it.
ACTIVATIONS: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    'none': ('', lambda output: output),
    'relu': ('', torch.relu_),
    'gelu': ('none', F.gelu),  # the exact one
}
#: oneDNN is left only where MKL is faster by more than this factor, which noise does not reach.
_CLEARLY_FASTER = 1.1
_REPEATS = 5

#: Of each thread its own, so that two that infer at a time do not switch each other.
_onednn: ContextVar[bool] = ContextVar('onednn', default=False)


@contextmanager
def onednn(use: bool) -> Iterator[None]:
    """Let :func:`linear` compute with oneDNN, or as torch does, in the block."""
    token = _onednn.set(use)
    try:
        yield
    finally:
        _onednn.reset(token)


def uses_onednn() -> bool:
    """Whether :func:`linear` computes with oneDNN where it can."""
    return _onednn.get()


@cache
def onednn_is_faster() -> bool:
    """Measure some milliseconds of products on one thread's clock, by oneDNN and by MKL.

    Returns:
        False also where this torch has no oneDNN.
    """
    if not torch.backends.mkldnn.is_available():
        return False
    rows, weight, bias = torch.rand(512, 256), torch.rand(1024, 256), torch.rand(1024)
    ours, theirs = [], []
    with torch.no_grad():
        try:
            product(rows, weight, bias, 'relu')
        except (AttributeError, RuntimeError):  # another torch has other operators
            return False
        for _ in range(_REPEATS):
            start = time.thread_time()
            product(rows, weight, bias, 'relu')
            middle = time.thread_time()
            torch.relu_(F.linear(rows, weight, bias))
            ours.append(middle - start)
            theirs.append(time.thread_time() - middle)
    return min(ours) < _CLEARLY_FASTER * min(theirs)


def linear(
    rows: Tensor, weight: Tensor, bias: Tensor | None = None, activation: str = 'none'
) -> Tensor:
    """``activation(rows @ weight.T + bias)``, by oneDNN where that was chosen and can be.

    Args:
        rows: (..., K).
        weight: (N, K).
        bias: (N,).
        activation: one of :data:`ACTIVATIONS`.

    Returns:
        (..., N).

    Example:
        >>> weight = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
        >>> linear(torch.tensor([[1.0, 2.0]]), weight, None, 'relu')
        tensor([[3., 0.]])
    """
    compiling = torch.compiler.is_compiling()  # the compiler fuses by itself
    if not compiling and uses_onednn() and _can_be_fused(rows, weight):
        return product(rows, weight, bias, activation)
    return ACTIVATIONS[activation][1](F.linear(rows, weight, bias))


def _can_be_fused(rows: Tensor, weight: Tensor) -> bool:
    """oneDNN's operators know float32 on a CPU, neither gradients nor autocast."""
    return (
        rows.dtype == torch.float32 == weight.dtype
        and weight.is_contiguous()  # else oneDNN is a hundred times slower
        and rows.device.type == 'cpu'
        and rows.numel() > 0
        and not torch.is_grad_enabled()
        and not torch.is_autocast_enabled('cpu')
    )


def product(
    rows: Tensor, weight: Tensor, bias: Tensor | None = None, activation: str = 'none'
) -> Tensor:
    """What :func:`linear` computes, by oneDNN in any case; the weight may be packed."""
    algorithm = ACTIVATIONS[activation][0]
    return torch.ops.mkldnn._linear_pointwise(rows, weight, bias, activation, [], algorithm)
