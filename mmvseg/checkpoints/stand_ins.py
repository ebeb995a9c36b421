"""What pickles get instead of objects of numpy and torch, and what becomes of it.

A stand-in only notes what it is told. Arrays and tensors are made of it when everything is read,
and no more of them than the file can hold.
"""

import math
import re
import reprlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .pickle_errors import MalformedPickleError, RefusedPickleError

#: So many times the bytes of a file may tensors take: weights that share memory count each.
_MAX_GROWTH, _SPARE_BYTES = 10, 2**20
#: What a string of an array of strings takes at least.
_STRING_BYTES = 64
_NUMBERS_OR_TEXT = re.compile(r'[<>=|]?([biufcUS]\d+|\?)')
_NATIVE = ('=', '|', '<' if np.little_endian else '>')


class StandIn:
    """What pickles get instead of objects of numpy and torch; they cannot change it afterwards."""

    def __setstate__(self, state: Any) -> None:
        raise RefusedPickleError(f'a change of {type(self).__name__}')


class Known(StandIn):
    """A function that pickles may call."""

    def __init__(self, function: Callable) -> None:
        self._function = function

    def __call__(self, *args: Any) -> Any:
        """What the function makes."""
        return self._function(*args)


class ArrayType(StandIn):
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
            raise MalformedPickleError(f'an array of type {reprlib.repr(self.code)}')
        return np.dtype(self.code).newbyteorder(self.order)


class Array(StandIn):
    """Stands in for ``numpy.ndarray``, which a pickle first makes and then fills."""

    def __init__(self, *_: Any) -> None:
        self.data, self.type, self.shape, self.order = b'', ArrayType('f4'), (0,), 'C'

    def __setstate__(self, state: tuple) -> None:
        _, self.shape, self.type, is_fortran, self.data = state
        self.order = 'F' if is_fortran else 'C'

    @classmethod
    def from_buffer(
        cls, data: bytes, dtype: ArrayType, shape: tuple[int, ...], order: str = 'C'
    ) -> 'Array':
        """As ``numpy`` restores arrays since pickle protocol 5."""
        array = cls()
        array.data, array.type, array.shape, array.order = data, dtype, shape, order
        return array

    def num_bytes(self) -> int:
        """What :meth:`values` takes at most."""
        dtype = self.type.numpy()
        return len(self.data) * (1 if dtype.kind not in 'US' else 1 + _STRING_BYTES)

    def values(self) -> Tensor | list | str | bytes:
        """The array; it shares the pickle's memory if it can and must not be written to."""
        data = self.data.encode('latin1') if isinstance(self.data, str) else self.data
        try:
            array = np.frombuffer(data, self.type.numpy()).reshape(self.shape, order=self.order)
        except (AttributeError, TypeError, ValueError) as error:
            raise MalformedPickleError(f'a numpy array cannot be read: {error}') from error
        if array.dtype.kind in 'US':
            try:
                return array.tolist() if array.size else []
            except SystemError as error:  # of numbers that no character has
                raise MalformedPickleError(f'text that is none: {error}') from error
        if array.dtype.byteorder not in _NATIVE:
            array = array.astype(array.dtype.newbyteorder('='))
        with warnings.catch_warnings():
            warnings.filterwarnings('ignore', message='The given NumPy array is not writable')
            try:
                return torch.from_numpy(array)
            except TypeError as error:
                raise MalformedPickleError(f'torch has no such array: {error}') from error


class StorageType(StandIn):
    """Stands in for classes such as ``torch.FloatStorage``."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype


class Storage(StandIn):
    """A tensor's values.

    Attributes:
        dtype: of the values, where the tensor does not say.
        memory: the values; None until the file has come to them.
    """

    def __init__(self, dtype: torch.dtype, memory: torch.UntypedStorage | None = None) -> None:
        self.dtype, self.memory = dtype, memory


class Strided(StandIn):
    """Stands in for a tensor, a view of a storage; without gradient and hooks."""

    def __init__(
        self,
        storage: Storage,
        offset: int,
        size: tuple[int, ...],
        stride: tuple[int, ...],
        requires_grad: bool = False,
        hooks: Any = None,
        metadata: Any = None,
    ) -> None:
        if metadata:  # that the values are to be negated or conjugated
            raise MalformedPickleError('a tensor with metadata')
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride
        self.dtype = None

    @classmethod
    def of_type(cls, *args: Any) -> 'Strided':
        """As torch restores the types that came without a storage class of their own."""
        *view, dtype = args[:7]
        tensor = cls(*view, *args[7:])
        tensor.dtype = dtype
        return tensor

    def _type(self) -> torch.dtype:
        return self.storage.dtype if self.dtype is None else self.dtype

    def num_bytes(self) -> int:
        """What the tensor's values take where none of them are shared."""
        return math.prod(self.size) * self._type().itemsize

    def values(self) -> Tensor:
        """The tensor, which lies within its storage."""
        try:
            flat = torch.empty(0, dtype=self._type()).set_(self.storage.memory)
            return flat.as_strided(self.size, self.stride, self.offset)
        except (AttributeError, TypeError, RuntimeError) as error:
            reason = str(error).split('\n')[0]
            raise MalformedPickleError(f'a tensor cannot be read: {reason:.200}') from error


class Restorer:
    """Makes values of what was unpickled.

    Args:
        num_bytes: size of the file, which bounds what is made of it.
    """

    def __init__(self, num_bytes: int) -> None:
        self._size = num_bytes
        self._left = _MAX_GROWTH * num_bytes + _SPARE_BYTES
        # by the identity of what they are made from, as containers may hold another many times
        self._known: dict[int, tuple[Any, Any]] = {}

    def restore(self, value: Any) -> Any:
        """``value`` with what stands in for arrays and tensors inside its containers as tensors.

        Raises:
            MalformedPickleError: an array or tensor cannot be.
            RefusedPickleError: a stand-in is left as a value.
        """
        if isinstance(value, StandIn | dict | list | tuple):
            if id(value) not in self._known:
                # an object that is kept alive keeps its identity
                self._known[id(value)] = self._restored(value), value
            return self._known[id(value)][0]
        return value

    def _restored(self, value: Any) -> Any:
        if isinstance(value, Array | Strided):
            self._left -= self._bytes_of(value)
            if self._left < 0:
                raise MalformedPickleError(
                    f'tensors of far more bytes than the {self._size:,} that it holds'
                )
            return value.values()
        if isinstance(value, StandIn):
            raise RefusedPickleError(f'{value!r} as a value')
        if isinstance(value, dict):  # not by its own methods, which a pickle may hide
            return {key: self.restore(item) for key, item in dict.items(value)}
        items = [self.restore(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items

    @staticmethod
    def _bytes_of(value: Array | Strided) -> int:
        try:
            return value.num_bytes()
        except (AttributeError, TypeError, ValueError) as error:
            raise MalformedPickleError(f'a tensor cannot be read: {error}') from error


def scalar(dtype: ArrayType, data: bytes = b'') -> int | float | complex | bool | str | bytes:
    """A single value of ``numpy``."""
    value = Array.from_buffer(data, dtype, ()).values()
    return value.item() if isinstance(value, Tensor) else value
