"""How a process of a loader starts."""

import signal
from collections.abc import Callable

from mmvseg.ops.allocator import keep_freed_memory

#: What a worker may keep of its freed memory: some pictures and their masks.
KEPT_BYTES = 2**28


def start_worker(init: Callable[[int], None] | None, worker_id: int) -> None:
    """Leave Ctrl-C to the process that the worker works for, keep memory, then initialise it.

    Args:
        init: what else there is to do, mmengine's seeding.
        worker_id: its argument.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed_memory(KEPT_BYTES)
    if init is not None:
        init(worker_id)
