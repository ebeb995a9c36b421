"""How a process of a loader starts."""

import ctypes
import signal
from collections.abc import Callable

#: Parameters of glibc's ``mallopt``.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: Freed memory beyond this goes back to the system.
_KEPT_BYTES = 2**28
#: Larger blocks come from the system one by one; glibc takes no more than this.
_LARGEST_BLOCK = 2**25


def start_worker(init: Callable[[int], None] | None, worker_id: int) -> None:
    """Leave Ctrl-C to the process that the worker works for, keep memory, then initialise it.

    Args:
        init: what else there is to do, mmengine's seeding.
        worker_id: its argument.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed_memory()
    if init is not None:
        init(worker_id)


def keep_freed_memory() -> None:
    """Let a picture lie where the one before it was, on Linux.

    Else glibc gives the memory of every picture back and asks for it anew, and the system has to
    clear it first: with many processes at it, that takes as long as decoding.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
