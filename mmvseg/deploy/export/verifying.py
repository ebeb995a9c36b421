"""Whether an exported network computes what torch computes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn


@torch.no_grad()
def largest_difference(path: Path, network: nn.Module, inputs: Sequence[Tensor]) -> float | None:
    """Largest absolute difference of any number that both compute.

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
        float(np.abs(found[name] - output.numpy()).max())
        for name, output in zip(network.outputs, outputs, strict=True)
    )
