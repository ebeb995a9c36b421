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

_NUMBERS_OR_TEXT = re.compile(r'[<>=|]?([biufcUS]\d+|\?)')
_NATIVE = ('=', '|', '<' if np.little_endian else '>')
_ASKED_FOR = re.compile(r'GLOBAL (\S+)')


class RefusedPickleError(pickle.UnpicklingError):
    """A pickle asks for something other than data; the message names it."""


class MalformedPickleError(pickle.UnpicklingError):
    """A pickle describes an array or tensor that cannot be."""


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
        MalformedPickleError, pickle.UnpicklingError, EOFError: the file is cut off or is no pickle.
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


def arrays_to_tensors(value: Any, known: dict[int, Any] | None = None) -> Any:
    """``value`` with what stands in for arrays and tensors inside its containers as tensors.

    Args:
        value: what was unpickled.
        known: results by the identity of what they are made from; containers may hold another
            many times.

    Raises:
        MalformedPickleError: an array or tensor cannot be.
    """
    known = {} if known is None else known
    if isinstance(value, _Array | _Tensor):
        return value.values()
    if isinstance(value, _StandIn):
        raise RefusedPickleError(f'{value!r} as a value')
    if not isinstance(value, dict | list | tuple):
        return value
    if id(value) not in known:
        if isinstance(value, dict):
            result = {key: arrays_to_tensors(item, known) for key, item in value.items()}
        else:
            result = [arrays_to_tensors(item, known) for item in value]
        # an object that is kept alive keeps its identity
        known[id(value)] = tuple(result) if isinstance(value, tuple) else result, value
    return known[id(value)][0]


class _StandIn:
    """What pickles get instead of objects of numpy and torch; they cannot change it afterwards."""

    def __setstate__(self, state: Any) -> None:
        raise RefusedPickleError(f'a change of {type(self).__name__}')


class _Known(_StandIn):
    """A function that pickles may call."""

    def __init__(self, function: Callable) -> None:
        self._function = function

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)


class _Type(_StandIn):
    """Stands in for ``numpy.dtype``."""

    def __init__(self, code: str, *_: Any) -> None:
        self.code, self.order = code, '='

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]

    def numpy(self) -> np.dtype:
        """The type itself.

        Raises:
            MalformedPickleError: it is not one of numbers or text.
        """
        if not isinstance(self.code, str) or not _NUMBERS_OR_TEXT.fullmatch(self.code):
            raise MalformedPickleError(f'an array of type {self.code!r:.40}')
        return np.dtype(self.code).newbyteorder(self.order)


class _Array(_StandIn):
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

    def values(self) -> Tensor | list | str | bytes:
        """The array; it shares the pickle's memory if it can and must not be written to."""
        data = self.data.encode('latin1') if isinstance(self.data, str) else self.data
        try:
            array = np.frombuffer(data, self.type.numpy()).reshape(self.shape, order=self.order)
        except (AttributeError, TypeError, ValueError) as error:
            raise MalformedPickleError(f'a numpy array cannot be read: {error}') from error
        if array.dtype.kind in 'US':
            return array.tolist()
        if array.dtype.byteorder not in _NATIVE:
            array = array.astype(array.dtype.newbyteorder('='))
        with warnings.catch_warnings():
            warnings.filterwarnings('ignore', message='The given NumPy array is not writable')
            try:
                return torch.from_numpy(array)
            except TypeError as error:
                raise MalformedPickleError(f'torch has no such array: {error}') from error


class _Storage(_StandIn):
    """A tensor's values, which are a file of torch's inside the pickle."""

    def __init__(self, data: bytes) -> None:
        try:
            self.content = torch.load(io.BytesIO(data), map_location='cpu', weights_only=True)
        except pickle.UnpicklingError as error:
            asked = _ASKED_FOR.search(str(error))
            raise RefusedPickleError(asked[1] if asked else 'an unknown storage') from error


class _Tensor(_StandIn):
    """Stands in for a tensor, a view of a storage; without gradient and hooks."""

    def __init__(self, storage: _Storage, offset: int, size: tuple, stride: tuple, *_: Any) -> None:
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def values(self) -> Tensor:
        """The tensor, which lies within its storage."""
        try:
            storage = self.storage.content
            flat = torch.empty(0, dtype=storage.dtype).set_(storage._untyped_storage)
            return flat.as_strided(self.size, self.stride, self.offset)
        except (AttributeError, TypeError, RuntimeError) as error:
            reason = str(error).split('\n')[0]
            raise MalformedPickleError(f'a tensor cannot be read: {reason:.200}') from error


def _scalar(dtype: _Type, data: bytes = b'') -> int | float | complex | bool | str | bytes:
    value = _Array.from_buffer(data, dtype, ()).values()
    return value.item() if isinstance(value, Tensor) else value


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    """Bytes the way Python 3 writes them for Python 2."""
    if encoding not in ('latin1', 'latin-1'):
        raise RefusedPickleError(f'_codecs.encode to {encoding!r:.40}')
    return text.encode('latin1')


def _no_bytes() -> bytes:
    """Python 3 writes empty ``bytes`` for Python 2 as a call."""
    return b''


def _parameter(tensor: _Tensor, *_: Any) -> _Tensor:
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
    'torch._utils._rebuild_tensor_v2': _Tensor,
    'torch._utils._rebuild_parameter': _parameter,
    'torch.storage._load_from_bytes': _Storage,
}


class _PlainUnpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding='latin1')  # for the bytes of Python 2

    def find_class(self, module: str, name: str) -> Callable:
        try:
            return _Known(_KNOWN[f'{module}.{name}'])
        except KeyError:
            raise RefusedPickleError(f'{module}.{name}') from None
