"""From a module of tensors to the bytes of an .onnx file."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from mmvseg.errors import UserError, short

#: GridSample, Resize and GELU of the networks are in it.
OPSET = 20
#: Bytes from which protobuf, which .onnx files are made of, refuses a message.
LARGEST = 2**31 - 1
#: Of the sides of frames, in units of the divisor, and of numbers of frames and objects.
_SMALLEST, _LARGEST_SIDE, _MOST = 2, 512, 4096


def require_exporter() -> None:
    """Make sure that what torch needs to write ONNX is there.

    Raises:
        UserError: a package is missing.
    """
    for name in ('onnx', 'onnxscript'):
        try:
            __import__(name)
        except ImportError as error:
            raise UserError(
                f'mmvseg export needs the package {name}, which is not installed; run: pip install '
                'onnx onnxscript'
            ) from error


def sides(divisor: int) -> dict[int, Any]:
    """Dynamic height and width of images (..., H, W) that are multiples of the divisor."""
    return {
        axis: divisor * Dim(name, min=_SMALLEST, max=_LARGEST_SIDE)
        for axis, name in ((2, 'rows'), (3, 'columns'))
    }


def number(name: str) -> Any:
    """A dynamic axis of frames or objects."""
    return Dim(name, min=_SMALLEST, max=_MOST)


def trace(
    network: nn.Module,
    example: Sequence[Tensor],
    dynamic: Sequence[Mapping[int, Any] | None] | None = None,
) -> torch.export.ExportedProgram:
    """The operations of a network, for inputs like the example.

    Args:
        network: in inference mode.
        example: its inputs.
        dynamic: the axes of each input whose sizes may change.
    """
    shapes = None
    if dynamic is not None:
        # a network that takes *tensors has one parameter
        shapes = tuple(dynamic) if _named(network) else (tuple(dynamic),)
    # Grad mode, since without gradients some models work through their input in pieces; no
    # parameter needs any.
    with torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return torch.export.export(network, tuple(example), dynamic_shapes=shapes, strict=False)


def to_onnx(
    program: torch.export.ExportedProgram,
    network: nn.Module,
    metadata: Mapping[str, str],
    defaults: Mapping[str, Tensor],
) -> bytes:
    """The bytes of an .onnx file.

    Args:
        program: of :func:`trace`.
        network: names inputs and outputs.
        metadata: texts to note in the file.
        defaults: values of inputs that need not be given.

    Raises:
        UserError: the file would be larger than one can be.
    """
    import onnx

    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        # says of every operator of torchvision that torchvision is not there
        logging.getLogger('torch.onnx._internal.exporter._registration').setLevel(logging.ERROR)
        written = torch.onnx.export(
            program,
            dynamo=True,
            input_names=list(network.inputs),
            output_names=list(network.outputs),
            opset_version=OPSET,
            # onnxruntime does better, and onnxscript's fails for dynamic sizes
            optimize=False,
            verbose=False,
        )
    model = written.model_proto
    for name, value in defaults.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value.numpy(), name))
    onnx.helper.set_model_props(model, dict(metadata))
    with suppress(ValueError):  # protobuf's, for too large a message
        data = model.SerializeToString()
        if len(data) <= LARGEST:
            return data
    raise UserError('the network has more than 2 GiB of weights, which one .onnx file cannot hold')


def reason(error: Exception) -> str:
    """What a failed trace says first, for a message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return short(lines[0] if lines else type(error).__name__, 200)


def _named(network: nn.Module) -> bool:
    return network.forward.__code__.co_flags & 0x04 == 0
