"""Lists of the parameters of published checkpoints."""

import math
from pathlib import Path

import torch
from helpers import family_dir, reference_dir
from torch import Tensor

MANY_VALUES = 1000


def name_lists() -> list[Path]:
    """Files with name, shape and type of every parameter of a published model."""
    lists = sorted(reference_dir().glob('*/keys/*.tsv'))
    return [path for path in lists if not path.name.startswith('init_stats')]


def family_lists(family: str) -> list[Path]:
    """The same of a later family."""
    return sorted((family_dir(family) / 'keys').glob('*.tsv'))


def published_weights(path: Path, with_values: bool = False) -> dict[str, Tensor]:
    """A checkpoint with the names and shapes of a list.

    Args:
        path: the list.
        with_values: random ones; otherwise all but small tensors have no memory.
    """
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for line in path.read_text().splitlines():
        name, sizes, kind = line.split('\t')[:3]
        shape = [int(size) for size in sizes.split('x') if size.isdigit()]
        dtype = getattr(torch, kind)
        if not with_values:
            device = 'meta' if math.prod(shape) > MANY_VALUES else 'cpu'
            weights[name] = torch.zeros(shape, dtype=dtype, device=device)
        elif dtype.is_floating_point:
            weights[name] = torch.randn(shape, dtype=dtype, generator=generator)
        else:
            weights[name] = torch.randint(0, 99, shape, dtype=dtype, generator=generator)
    return weights


def shapes_of(weights: dict[str, Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    """Shape and type by name."""
    return {name: (tensor.shape, tensor.dtype) for name, tensor in weights.items()}
