"""Values of a training as tensors and plain Python types, which torch reads in its safe mode."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer, MessageHub
from torch import Tensor

_PLAIN_TYPES = (bool, int, float, str, bytes)


def to_plain(value: Any, where: str = 'checkpoint') -> Any:
    """``value`` with tensors on the CPU and everything else as built-in Python types.

    Args:
        value: what to convert, containers included.
        where: name of the value for the error message.

    Raises:
        TypeError: a value has no plain form; the message says which.
    """
    if value is None or type(value) in _PLAIN_TYPES:
        return value
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {to_plain(k, where): to_plain(v, f'{where}.{k}') for k, v in value.items()}
    if isinstance(value, tuple):
        return tuple(to_plain(v, where) for v in value)
    if isinstance(value, set | frozenset):
        return sorted(to_plain(v, where) for v in value)
    if isinstance(value, str | Path):
        return str(value)
    if hasattr(value, '__iter__') and hasattr(value, '__len__'):
        return [to_plain(v, where) for v in value]
    for plain_type in _PLAIN_TYPES:  # subclasses, e.g. an IntEnum
        if isinstance(value, plain_type):
            return plain_type(value)
    raise TypeError(f'{where}: a {type(value).__name__} has no plain form')


def plain_items(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of ``mapping`` that have a plain form, e.g. all but bound methods."""
    plain = {}
    for key, value in mapping.items():
        try:
            plain[key] = to_plain(value, key)
        except TypeError:
            continue
    return plain


def message_hub_to_plain(hub: MessageHub) -> dict[str, dict]:
    """The log history and runtime information of mmengine's message hub in plain types."""
    state = hub.state_dict()
    scalars = {
        name: dict(zip(('log_history', 'count_history'), map(to_plain, buffer.data), strict=True))
        for name, buffer in state['log_scalars'].items()
    }
    info = plain_items(state['runtime_info'])
    kept = scalars.keys() | info.keys()
    resumed = {key: flag for key, flag in state['resumed_keys'].items() if key in kept}
    return dict(log_scalars=scalars, runtime_info=info, resumed_keys=resumed)


def message_hub_from_plain(hub: MessageHub, plain: Mapping[str, Mapping]) -> None:
    """Load what :func:`message_hub_to_plain` saved into ``hub``."""
    scalars = {name: HistoryBuffer(**history) for name, history in plain['log_scalars'].items()}
    hub.load_state_dict(dict(plain, log_scalars=scalars))
