"""Files of ``torch.save`` since torch 1.6: zip archives of a pickle and the values of its tensors.

``torch.load`` unpacks compressed records however large they become, maps them as they are, and
compares no checksum, so that a flipped bit or a re-packed file gives other weights without a word.
"""

import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import torch

from .pickle_errors import ChangedBytesError, CompressedFileError, MalformedPickleError
from .plain_pickle import PlainUnpickler, read_bytes
from .stand_ins import Restorer, Storage

_LOCAL_HEADER, _LOCAL_HEADER_BYTES = b'PK\x03\x04', 30
_CHUNK_BYTES = 2**22
#: Where values may lie for any type of them to be used in place.
_ALIGNMENT = 16


class Record(NamedTuple):
    """Where a record lies in the file, and the checksum of its bytes; None if none was taken."""

    start: int
    size: int
    crc: int | None


def load_zip(path: Path, mmap: bool) -> Any:
    """Read a file of ``torch.save``.

    Args:
        path: the file.
        mmap: leave the values of tensors on disk until they are used.

    Raises:
        MalformedPickleError, zipfile.BadZipFile: the file is damaged.
        ChangedBytesError, CompressedFileError: it was changed, or packed anew.
        RefusedPickleError: it holds something other than data.
    """
    with open(path, 'rb') as file:
        records = _find_records(file)
        if 'data.pkl' not in records:
            raise MalformedPickleError('a zip archive without data.pkl')
        for name, record in records.items():
            if not name.startswith('data/'):
                _check(file, name, record)
        storages = _Storages(path, file, records, mmap)
        start, size, _ = records['data.pkl']
        file.seek(start)
        content = PlainUnpickler(BytesIO(file.read(size)), storages.get).load()
        return Restorer(path.stat().st_size).restore(content)


def _find_records(file: BinaryIO) -> dict[str, Record]:
    """The records of an archive by name, without the folder that all of them are in."""
    with zipfile.ZipFile(file) as archive:
        entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    # torch can be told to take no checksums; then it notes 0 for all
    has_checksums = any(entry.CRC for entry in entries)
    records: dict[str, Record] = {}
    end, total = 0, file.seek(0, SEEK_END)
    for entry in entries:
        name = entry.filename.partition('/')[2] or entry.filename
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise CompressedFileError(name)
        if name in records:
            raise MalformedPickleError(f'the record {name!r:.60} twice')
        file.seek(entry.header_offset)
        header = file.read(_LOCAL_HEADER_BYTES)
        if entry.header_offset < end or not header.startswith(_LOCAL_HEADER):
            raise MalformedPickleError(f'no record {name!r:.60} where it should be')
        start = file.tell() + sum(struct.unpack('<HH', header[26:]))  # name and extra field
        end = start + entry.file_size
        if end > total:
            raise MalformedPickleError(f'the record {name!r:.60} cut off')
        records[name] = Record(start, entry.file_size, entry.CRC if has_checksums else None)
    return records


class _Storages:
    """The values of the tensors of an archive, read or mapped."""

    def __init__(self, path: Path, file: BinaryIO, records: dict[str, Record], mmap: bool) -> None:
        self._file, self._records = file, records
        self._memories: dict[str, torch.UntypedStorage] = {}
        self._is_foreign = False
        if 'byteorder' in records:
            file.seek(records['byteorder'].start)
            order = file.read(records['byteorder'].size)
            if order not in (b'little', b'big'):
                raise MalformedPickleError(f'the byte order {order!r:.40}')
            self._is_foreign = order.decode() != sys.byteorder
        self._mapped = None
        if mmap and not self._is_foreign:
            status = path.stat()
            _check_values(path, status.st_size, status.st_mtime_ns)
            self._mapped = torch.UntypedStorage.from_file(str(path), False, status.st_size)

    def get(self, dtype: torch.dtype, key: str, count: int) -> Storage:
        """The values of a key.

        Raises:
            MalformedPickleError, ChangedBytesError: they are not there, fewer, or damaged.
        """
        if key not in self._memories:
            self._memories[key] = self._read(dtype, key)
        memory = self._memories[key]
        if count * dtype.itemsize > memory.nbytes():
            raise MalformedPickleError(
                f'tensors of {count * dtype.itemsize} bytes in {memory.nbytes()} bytes'
            )
        return Storage(dtype, memory)

    def _read(self, dtype: torch.dtype, key: str) -> torch.UntypedStorage:
        name = f'data/{key}'
        if name not in self._records:
            raise MalformedPickleError(f'no record {name!r:.60}')
        start, size, crc = self._records[name]
        if self._mapped is not None and size and start % _ALIGNMENT == 0:
            return self._mapped[start : start + size]
        self._file.seek(start)
        memory = read_bytes(self._file, size)
        values = torch.empty(0, dtype=torch.uint8).set_(memory)
        if crc is not None and zlib.crc32(values.numpy()) != crc:
            raise ChangedBytesError(name)
        if self._is_foreign:
            memory.byteswap(dtype)
        return memory


@lru_cache(maxsize=16)
def _check_values(path: Path, size: int, changed_ns: int) -> None:
    """Compare the checksums of all values, once for each state of a file."""
    with open(path, 'rb') as file:
        for name, record in _find_records(file).items():
            if name.startswith('data/'):
                _check(file, name, record)


def _check(file: BinaryIO, name: str, record: Record) -> None:
    if record.crc is None:
        return
    crc = 0
    for chunk in _chunks(file, record):
        crc = zlib.crc32(chunk, crc)
    if crc != record.crc:
        raise ChangedBytesError(name)


def _chunks(file: BinaryIO, record: Record) -> Iterator[bytes]:
    file.seek(record.start)
    left = record.size
    while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
        left -= len(chunk)
        yield chunk
