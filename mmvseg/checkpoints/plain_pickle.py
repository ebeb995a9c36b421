"""Reading pickles of arrays and tensors without running anything else that they ask for.

A pickle is a program that names functions for its reader to call. Here it gets none but those
below, which note what arrays and tensors are made of.
"""

import io
import pickle
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, BinaryIO, ClassVar

import torch

from .pickle_errors import MalformedPickleError, RefusedPickleError
from .stand_ins import Array, ArrayType, Known, Restorer, Storage, StorageType, Strided, scalar

#: What files of ``torch.save`` began with before torch 1.6, and still may.
SERIAL_FILE = b'\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.'
_MAX_ITEMS = 10**7
_SERIAL_HEADER = (0x1950A86A20F9469CFC6C, 1001)  # magic number, version


def load_plain_pickle(path: Path) -> Any:
    """Read a pickle of tensors, numpy arrays, numbers, strings and containers of them.

    Detectron2 publishes weights in this form.

    Args:
        path: a file written by ``pickle.dump`` of Python 2 or 3.

    Returns:
        What it holds, with numpy arrays as tensors.

    Raises:
        RefusedPickleError: it asks for any other function or class.
        MalformedPickleError, pickle.UnpicklingError, EOFError: the file is cut off or is no pickle.
    """
    with open(path, 'rb') as file:
        return Restorer(path.stat().st_size).restore(PlainUnpickler(file).load())


def load_serial_file(path: Path) -> Any:
    """The same of a file of ``torch.save`` in its form of before torch 1.6."""
    with open(path, 'rb') as file:
        return Restorer(path.stat().st_size).restore(_read_serial(file))


class PlainUnpickler(pickle._Unpickler):
    """Gives pickles nothing to call but what rebuilds arrays and tensors.

    It is Python's own in Python: that in C takes memory for whatever number of notes, and for
    whatever length of bytes, a damaged file states.

    Args:
        file: read to the end of the pickle.
        storage_of: the storage of a type, key and number of elements.
    """

    def __init__(
        self,
        file: BinaryIO,
        storage_of: Callable[[torch.dtype, str, int], Storage] | None = None,
    ) -> None:
        super().__init__(file, encoding='latin1')  # for the bytes of Python 2
        self._storage_of = storage_of

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a class or function.

        Raises:
            MalformedPickleError: its name is cut off.
            RefusedPickleError: there is none.
        """
        if not name:
            raise MalformedPickleError(f'a name that is cut off: {module!r:.40}')
        if module == 'torch' and isinstance(found := getattr(torch, name, None), torch.dtype):
            return found
        if (module, name) in _STORAGES:
            return StorageType(_STORAGES[module, name])
        try:
            return Known(_KNOWN[f'{module}.{name}'])
        except KeyError:
            raise RefusedPickleError(f'{module}.{name}') from None

    def persistent_load(self, pid: Any) -> Storage:
        """The values of a tensor, which lie outside of the pickle.

        Raises:
            MalformedPickleError: it names none.
        """
        try:
            kind, storage_type, key, _, count, *view = pid
            if kind != 'storage' or self._storage_of is None or any(view):
                raise MalformedPickleError(f'an unknown reference {shortened(pid)}')
            if not isinstance(key, str) or type(count) is not int or count < 0:
                raise MalformedPickleError(
                    f'a storage {shortened(key)} of {shortened(count)} elements'
                )
            return self._storage_of(storage_type.dtype, key, count)
        except (AttributeError, TypeError, ValueError) as error:
            raise MalformedPickleError(f'an unknown reference {shortened(pid)}') from error

    def load_bytearray8(self) -> None:
        """Bytes of numpy arrays, for which memory is taken as they are read."""
        (count,) = struct.unpack('<Q', self.read(8))
        self.append(bytearray(self.read(count)))

    def load_tuple(self) -> None:
        """Any number of items."""
        items = self.pop_mark()  # changes what is appended to
        self.append(_Tuple(items))

    def load_last(self, count: int) -> None:
        """A tuple of the last items."""
        self.stack[-count:] = [_Tuple(self.stack[-count:])]

    dispatch: ClassVar[dict[int, Callable]] = {
        **pickle._Unpickler.dispatch,
        pickle.BYTEARRAY8[0]: load_bytearray8,
        pickle.TUPLE[0]: load_tuple,
        pickle.TUPLE1[0]: lambda self: self.load_last(1),
        pickle.TUPLE2[0]: lambda self: self.load_last(2),
        pickle.TUPLE3[0]: lambda self: self.load_last(3),
    }


class _Tuple(tuple):
    """Counts all that is in it, since a hash looks at everything as often as it is held.

    Sixty tuples that hold the one before twice are a file of some bytes and a hash of years.
    """

    def __init__(self, items: Iterable[Any]) -> None:
        self.count = len(self) + sum(item.count for item in self if type(item) is _Tuple)
        if self.count > _MAX_ITEMS:
            raise MalformedPickleError(f'tuples in tuples of {self.count:,} items')


def read_bytes(file: BinaryIO, count: int) -> torch.UntypedStorage:
    """So many bytes of a file that has them; memory is taken only then.

    Raises:
        MalformedPickleError: it has not so many.
    """
    start = file.tell()
    if count > file.seek(0, io.SEEK_END) - start:
        raise MalformedPickleError('values that are cut off')
    file.seek(start)
    values = torch.empty(count, dtype=torch.uint8)
    if file.readinto(values.numpy()) != count:
        raise MalformedPickleError('values that are cut off')
    return values.untyped_storage()


def _read_serial(file: BinaryIO) -> Any:
    """Several pickles one after the other, then the values of all storages."""
    if tuple(PlainUnpickler(file).load() for _ in _SERIAL_HEADER) != _SERIAL_HEADER:
        raise MalformedPickleError('an unknown form of torch.save')
    system = PlainUnpickler(file).load()
    if not isinstance(system, dict) or not system.get('little_endian', True):
        raise MalformedPickleError('values of a big-endian machine')
    storages: dict[str, tuple[Storage, int]] = {}

    def storage_of(dtype: torch.dtype, key: str, count: int) -> Storage:
        storage, known = storages.setdefault(key, (Storage(dtype), count))
        if (storage.dtype, known) != (dtype, count):
            raise MalformedPickleError(f'two kinds of the storage {key!r:.40}')
        return storage

    content = PlainUnpickler(file, storage_of).load()
    for key in PlainUnpickler(file).load():
        storage, count = storages[key]
        if file.read(8) != struct.pack('<q', count):
            raise MalformedPickleError(f'another length of the storage {key!r:.40}')
        storage.memory = read_bytes(file, count * storage.dtype.itemsize)
    if any(storage.memory is None for storage, _ in storages.values()):
        raise MalformedPickleError('a tensor without values')
    return content


def _nested_storage(data: bytes) -> Storage:
    """A tensor's values inside a pickle, which are a file of ``torch.save``."""
    storage = _read_serial(io.BytesIO(data))
    if not isinstance(storage, Storage):
        raise MalformedPickleError('a storage that is none')
    return storage


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    """Bytes the way Python 3 writes them for Python 2."""
    if encoding not in ('latin1', 'latin-1'):
        raise RefusedPickleError(f'_codecs.encode to {shortened(encoding)}')
    return text.encode('latin1')


def _no_bytes() -> bytes:
    """Python 3 writes empty ``bytes`` for Python 2 as a call."""
    return b''


def _parameter(tensor: Strided, *_: Any) -> Strided:
    return tensor


def _device(*parts: str | int) -> str:
    return ':'.join(map(str, parts))


#: Types of values by the class of their storage.
_STORAGES = {
    ('torch', f'{name}Storage'): getattr(torch, dtype)
    for name, dtype in dict(
        Double='float64',
        Float='float32',
        Half='float16',
        BFloat16='bfloat16',
        Long='int64',
        Int='int32',
        Short='int16',
        Char='int8',
        Byte='uint8',
        Bool='bool',
        ComplexDouble='complex128',
        ComplexFloat='complex64',
    ).items()
} | {('torch.storage', 'UntypedStorage'): torch.uint8}
_KNOWN: dict[str, Callable] = {
    'collections.OrderedDict': OrderedDict,
    'collections.Counter': Counter,
    '_codecs.encode': _encode,
    'torch.Size': tuple,
    'torch.device': _device,
    'torch._utils._rebuild_tensor': Strided,
    'torch._utils._rebuild_tensor_v2': Strided,
    'torch._utils._rebuild_tensor_v3': Strided.of_type,
    'torch._utils._rebuild_parameter': _parameter,
    'torch.storage._load_from_bytes': _nested_storage,
    'numpy.ndarray': Array,
    'numpy.dtype': ArrayType,
}
for _builtins in ('builtins', '__builtin__'):
    _KNOWN |= {f'{_builtins}.bytes': _no_bytes, f'{_builtins}.set': set}
for _core in ('numpy.core', 'numpy._core'):
    _KNOWN[f'{_core}.multiarray._reconstruct'] = Array
    _KNOWN[f'{_core}.multiarray.scalar'] = scalar
    _KNOWN[f'{_core}.numeric._frombuffer'] = Array.from_buffer
