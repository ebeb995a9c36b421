"""Published files without an encoder of their own, and the weights that complete them.

EoMT with DINOv3 is published as differences to DINOv3's weights, and PMT for images without its
frozen encoder: the licence of DINOv3 lets nobody pass it on otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.checkpoints.published.layouts import SOURCES, Layout, recognise
from mmvseg.checkpoints.weights import by_module, weights_of
from mmvseg.errors import UserError, counted
from mmvseg.files import file_hash, user_path

from .translate import Converted, rename

_PREFIX = 'backbone.'
_SOURCES = ('dinov3', 'dinov2')
_HOLDS = dict(
    difference='holds its encoder as differences to the weights of DINOv3, as all published files '
    'of EoMT with DINOv3 do',
    absent='holds no encoder, as all published files of PMT for images',
)
_MAX_LINES = 4


@dataclass(frozen=True)
class Base:
    """Weights of an encoder before a training.

    Attributes:
        name: of their file.
        sha256: of the file, in hexadecimal digits.
        layout: what they came in.
        weights: by our names in a whole model.
    """

    name: str
    sha256: str
    layout: Layout
    weights: dict[str, Tensor]


def read_base(path: Path) -> Base:
    """Read DINOv2's or DINOv3's weights as published.

    Raises:
        UserError: there are none in the file.
    """
    path = user_path(path)
    if not path.is_file():
        raise UserError(f'--base {path}: no such file')
    weights = weights_of(load_checkpoint_file(path, mmap=True), str(path))
    layouts = (recognise(weights, source) for source in _SOURCES)
    layout = next((layout for layout in layouts if layout), None)
    if layout is None:
        known = ', '.join(one.name for source in _SOURCES for one in SOURCES[source])
        raise UserError(
            f'--base {path}: does not hold the names of {known}, but e.g. '
            f'{", ".join(list(weights)[:4])}'
        )
    return Base(path.name, file_hash(path), layout, rename(weights, layout))


def add_encoder(converted: Converted, base: Base | None) -> list[str]:
    """Give weights the encoder that their file holds not, or not whole.

    Args:
        converted: its ``weights`` are changed in place.
        base: what completes it.

    Returns:
        What was done, in lines for the user.

    Raises:
        UserError: the base is missing, not needed, or of another network.
    """
    kind, weights = converted.layout.encoder, converted.weights
    _check_need(kind, base)
    if kind == 'whole':
        return []
    if kind == 'absent':
        weights |= base.weights
        return [f'encoder: of {base.name}']
    _check_names(weights, base)
    if _are_weights(weights, base.weights):
        return [f'encoder: whole in the file, so nothing of {base.name} is added']
    for name, tensor in base.weights.items():
        weights[name] = tensor.to(weights[name].dtype) + weights[name]
    return [f'encoder: of {base.name}, and the differences in the file']


def take_encoder_off(
    weights: Mapping[str, Tensor], layout: Layout, base: Base | None
) -> dict[str, Tensor]:
    """The way back: what a published file holds of whole weights.

    Args:
        weights: by our names.
        layout: whose files hold not the whole encoder.
        base: what they are differences to.

    Returns:
        All of them, the encoder's as differences or left out.

    Raises:
        UserError: the base is missing, not needed, or of another network.
    """
    if layout.encoder == 'absent':
        return {name: tensor for name, tensor in weights.items() if not name.startswith(_PREFIX)}
    if layout.encoder == 'difference' and base is None:
        raise UserError(
            f'{layout.name} has its encoder as differences to the weights of DINOv3; '
            'name these with --base'
        )
    _check_need(layout.encoder, base)
    if base is None:
        return dict(weights)
    _check_names(weights, base)
    before = {name: tensor.to(weights[name].dtype) for name, tensor in base.weights.items()}
    return dict(weights) | {name: weights[name] - tensor for name, tensor in before.items()}


def _check_need(kind: str, base: Base | None) -> None:
    if kind == 'whole' and base:
        raise UserError(
            'holds its whole encoder, so --base is not needed; it is for the files of '
            'EoMT with DINOv3 and of PMT for images'
        )
    if kind != 'whole' and base is None:
        raise UserError(
            f'{_HOLDS[kind]}; convert it with mmvseg convert and name the weights of '
            'DINOv3 (dinov3_*.pth, or model.safetensors of transformers) with --base'
        )


def _check_names(weights: Mapping[str, Tensor], base: Base) -> None:
    ours = {name: tensor.shape for name, tensor in weights.items() if name.startswith(_PREFIX)}
    theirs = {name: tensor.shape for name, tensor in base.weights.items()}
    if ours == theirs:
        return
    names = [name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)]
    raise UserError(
        '\n'.join(
            [
                f'its encoder and --base {base.name} differ in name or shape of '
                f'{counted(len(names), "tensors")}; is the base of another size?',
                *(f'    {line}' for line in by_module(sorted(names))[:_MAX_LINES]),
            ]
        )
    )


def _are_weights(stored: Mapping[str, Tensor], base: Mapping[str, Tensor]) -> bool:
    """Whether what is stored of an encoder comes nearer to its base than to zero.

    A training of the original code ends with weights, under the names of published differences.
    """
    to_base = sum(
        (stored[name] - tensor).square().sum(dtype=torch.float64) for name, tensor in base.items()
    )
    return bool(to_base < sum(stored[name].square().sum(dtype=torch.float64) for name in base))
