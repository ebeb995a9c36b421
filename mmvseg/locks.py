"""Files and folders for one run at a time.

The operating system holds the locks, so a killed run leaves nothing that would stop the next one.
"""

import errno
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from .errors import UserError, say

try:
    import fcntl
except ImportError:  # no Unix
    fcntl = None

#: In a folder, while a run writes there.
LOCK_FILE = '.mmvseg.lock'
_BUSY = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF)
#: Between two looks at a lock that another process holds.
_WAIT_S = 0.1
_held: set[int] = set()
_warned: list[str] = []


@contextmanager
def exclusive(path: Path) -> Iterator[int]:
    """Hold a file, which is made if need be, against all other processes that ask like this.

    Yields:
        A handle of the file, open for reading and writing.

    Raises:
        OSError: it cannot be opened, or another run holds it (``EBUSY``).
    """
    handle = _open_locked(path)
    _held.add(handle)
    try:
        yield handle
    finally:
        if handle in _held:  # not in a process that was forked meanwhile
            _held.remove(handle)
            os.close(handle)


@contextmanager
def turn(path: Path, on_wait: Callable[[], object]) -> Iterator[None]:
    """Hold a file like :func:`exclusive`, once those before have let go of it.

    Args:
        path: made if need be, and removed in the end.
        on_wait: called once where there is a wait.

    Raises:
        OSError: it cannot be opened.
    """
    with ExitStack() as held:
        is_told = False
        while True:
            try:
                held.enter_context(exclusive(path))
                break
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
            if not is_told:
                on_wait()
                is_told = True
            time.sleep(_WAIT_S)
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()


@contextmanager
def folder_lock(folder: Path, advice: str) -> Iterator[None]:
    """Hold a folder, which is made if need be, against other runs that would write there.

    Args:
        folder: where this run writes.
        advice: what to do where another run is there, e.g. ``give another --out``.

    Raises:
        UserError: another run is there, or the folder cannot be written to.
    """
    path = folder / LOCK_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        context = exclusive(path)
        handle = context.__enter__()
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise UserError(
                f'{folder}: another run writes there{_owner(path)}; {advice}'
            ) from error
        raise UserError(
            f'{error.filename or folder}: cannot be written or read ({error.strerror or error}); '
            f'make room or mend the permissions, or {advice}'
        ) from error
    try:
        with suppress(OSError):  # a full disk: the note is for messages only
            os.ftruncate(handle, 0)
            os.pwrite(handle, f'process {os.getpid()} on {socket.gethostname()}'.encode(), 0)
        yield
    finally:
        if handle in _held:
            with suppress(OSError):
                path.unlink()
        context.__exit__(None, None, None)


def _open_locked(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(handle, path)
            # the run before may have removed or renamed the file between the two steps
            if _is_same_file(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int, path: Path) -> None:
    try:
        if fcntl is None:
            raise OSError(errno.ENOSYS, 'no locks on this system')
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            raise OSError(errno.EBUSY, 'another run is writing it', str(path)) from error
        if error.errno not in _NO_LOCKS:
            raise
        if not _warned:
            _warned.append(str(path))
            say(
                f'warning: {path.parent}: the file system has no locks ({error.strerror}), so two '
                'runs that write there would not notice each other',
                sys.stderr,
            )


def _is_same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _owner(path: Path) -> str:
    with suppress(OSError, ValueError):
        return f' ({path.read_text()[:200]})'
    return ''


def _leave_to_parent() -> None:
    """A worker that outlives its killed parent for a moment must not hold what that held."""
    for handle in _held:
        os.close(handle)
    _held.clear()


os.register_at_fork(after_in_child=_leave_to_parent)
