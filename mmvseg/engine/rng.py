"""The state of all random number generators of a process, as plain values."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def get_rng_state() -> dict[str, Any]:
    """State of Python's, numpy's and torch's generators (the current GPU's if there is one)."""
    algorithm, keys, *rest = np.random.get_state()
    state = dict(
        python=random.getstate(),
        numpy=(algorithm, torch.from_numpy(keys.astype(np.int64)), *rest),
        torch=torch.get_rng_state(),
    )
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def set_rng_state(state: dict[str, Any]) -> None:
    """Restore what :func:`get_rng_state` returned."""
    random.setstate(state['python'])
    algorithm, keys, *rest = state['numpy']
    np.random.set_state((algorithm, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())


@contextmanager
def preserved_rng() -> Iterator[None]:
    """Leave the generators afterwards as they were before.

    Whether a validation took place then makes no difference to the training that follows: a run
    resumed after a validation equals one that went through it.
    """
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
