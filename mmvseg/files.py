"""Files that appear under their name only when complete; a clear error if they cannot."""

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError

_CHUNK_BYTES = 2**22


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors about files into a :class:`UserError`.

    Args:
        path: named if the error does not name a file itself.
    """
    try:
        yield
    except OSError as error:
        raise UserError(
            f'{error.filename or path}: cannot be written or read ({error.strerror or error}); '
            'make room, mend the permissions or choose another place'
        ) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; its folder is made if need be.

    Raises:
        UserError: if the file cannot be written, e.g. on a full disk.
    """
    part = _part(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise UserError(f'{path}: cannot be written ({error.strerror})') from error


def write_json(path: Path, content: Any) -> None:
    """Write a small JSON file for people to read; see :func:`write_bytes`.

    Numbers that are undefined (NaN) become null, which every reader of JSON knows.
    """
    # mmdet's metrics give numbers of NumPy, which json does not know
    text = json.dumps(_without_nan(content), indent=1, default=float)
    write_bytes(path, (text + '\n').encode())


def _without_nan(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and math.isnan(content) else content


def file_hash(path: Path, on_bytes: Callable[[int], object] = lambda done: None) -> str:
    """SHA-256 of a file in hexadecimal digits.

    Args:
        path: the file.
        on_bytes: called now and then with the number of bytes read so far.

    Raises:
        UserError: it cannot be read.
    """
    digest = hashlib.sha256()
    with file_errors(path), open(path, 'rb') as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            on_bytes(file.tell())
    return digest.hexdigest()


def check_writable(path: Path) -> None:
    """Make sure, before a long run, that its end can write ``path``; the folder is made.

    Raises:
        UserError: if the file could not be written.
    """
    if path.is_dir():
        raise UserError(f'{path}: is a folder; give the name of a file')
    part = _part(path)
    with file_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        part.unlink()


def _part(path: Path) -> Path:
    return path.with_name(f'.{path.name}.part')
