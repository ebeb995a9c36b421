"""Files that appear under their name only when complete; a clear error if they cannot."""

import errno
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from .errors import UserError
from .locks import exclusive

#: What to do where a file cannot be written.
NEW_PLACE = 'make room, mend the permissions or choose another place'
#: The same in the midst of a run that can be continued.
SAME_COMMAND = (
    'what was finished before is safe: make room or mend the permissions and run the same command '
    'again'
)
_CHUNK_BYTES = 2**22
_OF_DISKS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG}


@contextmanager
def file_errors(path: Path, advice: str = NEW_PLACE) -> Iterator[None]:
    """Turn the system's errors about files into a :class:`UserError`.

    Args:
        path: named if the error does not name a file itself.
        advice: what to do.
    """
    try:
        yield
    except OSError as error:
        raise _file_error(error, path, advice) from error


@contextmanager
def disk_errors(folder: Path, advice: str = NEW_PLACE) -> Iterator[None]:
    """As :func:`file_errors` around a whole run, where other errors of the system may occur, too.

    Args:
        folder: what the run writes to, named if the error does not name a file.
        advice: what to do.
    """
    try:
        yield
    except OSError as error:
        if not (error.filename or error.errno in _OF_DISKS):
            raise
        raise _file_error(error, folder, advice) from error


def _file_error(error: OSError, path: Path, advice: str) -> UserError:
    return UserError(
        f'{error.filename or path}: cannot be written or read ({error.strerror or error}); {advice}'
    )


def user_path(path: str | Path) -> Path:
    """With the home folder for ``~``; a name that begins like that of a user's stays as it is."""
    return Path(os.path.expanduser(path))


def partial_path(path: Path) -> Path:
    """Where a file is written before it has its name."""
    return path.with_name(f'.{path.name}.part')


@contextmanager
def whole_file(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Write a file whole or not at all; its folder is made if need be.

    Args:
        path: the file.
        durable: whether the disk, not only its cache, has the file when the block has ended.

    Yields:
        The path to write to. What is there takes the place of ``path`` when the block ends without
        an error, and vanishes otherwise. A killed run leaves it to the next one, which replaces it.

    Raises:
        OSError: it cannot be written, or another run is writing it.
    """
    if path.exists() and not path.is_file():  # a device would be lost
        raise FileExistsError(errno.EEXIST, 'it is a folder, a pipe or a device', str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = partial_path(path)
    with exclusive(part):
        try:
            yield part
            if durable:
                sync(part)
            os.replace(part, path)
            if durable:
                sync(path.parent)
        finally:
            with suppress(OSError):  # done, or never begun
                part.unlink()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, see :func:`whole_file`.

    Raises:
        UserError: if the file cannot be written, e.g. on a full disk.
    """
    try:
        with whole_file(path) as part:
            part.write_bytes(data)
    except OSError as error:
        raise UserError(f'{path}: cannot be written ({error.strerror})') from error


def write_chunks(file: IO[bytes], chunks: Iterable[bytes]) -> None:
    """Write all of ``chunks`` to an open file and wait for the disk."""
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            rest = rest[file.write(rest) :]
    file.flush()
    os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Wait until the disk has a file's content, or knows which files a folder has."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, content: Any, *, compact: bool = False) -> None:
    """Write a JSON file; see :func:`write_bytes`.

    Numbers that are undefined (NaN) become null, which every reader of JSON knows.

    Args:
        path: the file.
        content: what it holds.
        compact: whether on a single line, for programs, instead of indented, for people.
    """
    layout = dict(separators=(',', ':')) if compact else dict(indent=1)
    # mmdet's metrics give numbers of NumPy, which json does not know
    text = json.dumps(_without_nan(content), default=float, **layout)
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
        UserError: if the file could not be written, or another run is writing it.
    """
    part = partial_path(path)
    with file_errors(path):
        if path.is_dir():
            raise UserError(f'{path}: is a folder; give the name of a file')
        path.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(part):
            part.unlink()
