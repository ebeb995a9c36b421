"""Files that are on the disk, not only in its cache, before a function returns."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mmvseg.errors import UserError


def write_chunks(file: IO[bytes], chunks: Iterable[bytes]) -> None:
    """Write all of ``chunks`` to an open file and wait for the disk."""
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            rest = rest[file.write(rest) :]
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of ``path`` only when it is complete."""
    temporary = path.with_name(f'{path.name}.tmp')
    try:
        with open(temporary, 'wb') as file:
            yield file
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Wait until the disk knows which files a folder has."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the system's errors about ``path`` into a :class:`UserError`."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f'{path}: cannot be written or read ({error.strerror}); what was finished before is '
            'safe: make room or mend the permissions and run the same command again'
        ) from error
