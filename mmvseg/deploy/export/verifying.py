"""Whether an exported network computes what torch computes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn


@torch.no_grad()
def largest_difference(path: Path, network: nn.Module, inputs: Sequence[Tensor]) -> float | None:
    """Largest difference of any number that both compute.

    Numbers above 1, such as boxes in pixels, are held against the largest of their output.

    Args:
        path: the .onnx file.
        network: what was exported.
        inputs: for both.

    Returns:
        None if onnxruntime is not installed.
    """
    try:
        from mmvseg.deploy.sessions import Network
    except ImportError:
        return None
    outputs = network(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    arrays = dict(zip(network.inputs, (tensor.numpy() for tensor in inputs), strict=True))
    found = Network(path)(**arrays)
    return max(
        _difference(found[name], output.numpy())
        for name, output in zip(network.outputs, outputs, strict=True)
    )


def _difference(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / max(1, np.abs(expected).max()))
