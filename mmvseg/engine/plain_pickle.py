"""Reading pickles of arrays and tensors without running anything else that they ask for."""

import io
import pickle
import re
import warnings
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

_NUMBERS = re.compile(r'[<>=|]?([biufc]\d+|\?)')
_NATIVE = ('=', '|', '<' if np.little_endian else '>')


class RefusedPickleError(pickle.UnpicklingError):
    """A pickle asks for something other than data; the message names it."""


def load_plain_pickle(path: Path) -> Any:
    """Read a pickle of tensors, numpy arrays, numbers, strings and containers of them.

    Detectron2 publishes weights in this form. A pickle is a program that names functions for its
    reader to call; here it gets none but those below, which rebuild arrays and tensors.

    Args:
        path: a file written by ``pickle.dump`` of Python 2 or 3.

    Returns:
        What it holds, with numpy arrays as tensors.

    Raises:
        RefusedPickleError: it asks for any other function or class.
        pickle.UnpicklingError, EOFError: the file is cut off or is no pickle.
    """
    with open(path, 'rb') as file:
        return arrays_to_tensors(_PlainUnpickler(file).load())


def numpy_in_torch_files() -> AbstractContextManager:
    """Lets torch's safe mode read numpy arrays, as stand-ins for :func:`arrays_to_tensors`."""
    if not hasattr(torch.serialization, 'safe_globals'):  # torch < 2.5 refuses them
        return nullcontext()
    return torch.serialization.safe_globals(
        [(stand_in, name) for name, stand_in in _NUMPY.items()]
        + [(_no_bytes, 'builtins.bytes'), _Array, _Type]
    )


def arrays_to_tensors(value: Any) -> Any:
    """``value`` with the stand-ins of numpy arrays inside its containers as tensors."""
    if isinstance(value, _Array):
        return value.values()
    if isinstance(value, dict):
        return {key: arrays_to_tensors(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(arrays_to_tensors(item) for item in value)
    return value


class _Type:
    """Stands in for ``numpy.dtype``."""

    def __init__(self, code: str, *_: Any) -> None:
        self.code, self.order = code, '='

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]

    def numpy(self) -> np.dtype:
        """The type itself.

        Raises:
            RefusedPickleError: it is not one of numbers.
        """
        if not isinstance(self.code, str) or not _NUMBERS.fullmatch(self.code):
            raise RefusedPickleError(f'a numpy array of type {self.code!r:.40}')
        return np.dtype(self.code).newbyteorder(self.order)


class _Array:
    """Stands in for ``numpy.ndarray``, which a pickle first makes and then fills."""

    def __init__(self, *_: Any) -> None:
        self.data, self.type, self.shape, self.order = b'', _Type('f4'), (0,), 'C'

    def __setstate__(self, state: tuple) -> None:
        _, self.shape, self.type, is_fortran, self.data = state
        self.order = 'F' if is_fortran else 'C'

    @classmethod
    def from_buffer(
        cls, data: bytes, dtype: _Type, shape: tuple[int, ...], order: str = 'C'
    ) -> '_Array':
        """As ``numpy`` restores arrays since pickle protocol 5."""
        array = cls()
        array.data, array.type, array.shape, array.order = data, dtype, shape, order
        return array

    def values(self) -> Tensor:
        """The array; it shares the pickle's memory if it can and must not be written to."""
        data = self.data.encode('latin1') if isinstance(self.data, str) else self.data
        try:
            array = np.frombuffer(data, self.type.numpy()).reshape(self.shape, order=self.order)
        except (AttributeError, TypeError, ValueError) as error:
            raise RefusedPickleError(f'a malformed numpy array ({error})') from error
        if array.dtype.byteorder not in _NATIVE:
            array = array.astype(array.dtype.newbyteorder('='))
        with warnings.catch_warnings():
            warnings.filterwarnings('ignore', message='The given NumPy array is not writable')
            return torch.from_numpy(array)


def _scalar(dtype: _Type, data: bytes = b'') -> int | float | complex | bool:
    return _Array.from_buffer(data, dtype, ()).values().item()


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    """Bytes the way Python 3 writes them for Python 2."""
    if encoding not in ('latin1', 'latin-1'):
        raise RefusedPickleError(f'_codecs.encode to {encoding!r:.40}')
    return text.encode('latin1')


def _no_bytes() -> bytes:
    """Python 3 writes empty ``bytes`` for Python 2 as a call."""
    return b''


def _load_storage(data: bytes) -> torch.TypedStorage:
    """A tensor's values are a file of torch's inside the pickle."""
    return torch.load(io.BytesIO(data), map_location='cpu', weights_only=True)


def _rebuild_tensor(
    storage: torch.TypedStorage, offset: int, size: tuple, stride: tuple, *_: Any
) -> Tensor:
    return torch.empty(0, dtype=storage.dtype).set_(
        storage._untyped_storage, offset, tuple(size), tuple(stride)
    )


def _rebuild_parameter(tensor: Tensor, *_: Any) -> Tensor:
    return tensor


_NUMPY: dict[str, Callable] = {'numpy.ndarray': _Array, 'numpy.dtype': _Type}
for _core in ('numpy.core', 'numpy._core'):
    _NUMPY[f'{_core}.multiarray._reconstruct'] = _Array
    _NUMPY[f'{_core}.multiarray.scalar'] = _scalar
    _NUMPY[f'{_core}.numeric._frombuffer'] = _Array.from_buffer
_KNOWN: dict[str, Callable] = {
    **_NUMPY,
    'collections.OrderedDict': OrderedDict,
    '_codecs.encode': _encode,
    '__builtin__.bytes': _no_bytes,
    'builtins.bytes': _no_bytes,
    'torch._utils._rebuild_tensor_v2': _rebuild_tensor,
    'torch._utils._rebuild_parameter': _rebuild_parameter,
    'torch.storage._load_from_bytes': _load_storage,
}


class _PlainUnpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding='latin1')  # for the bytes of Python 2

    def find_class(self, module: str, name: str) -> Callable:
        try:
            return _KNOWN[f'{module}.{name}']
        except KeyError:
            raise RefusedPickleError(f'{module}.{name}') from None
