"""Work ahead in a thread: decoding while the model computes, with bounded memory."""

import queue
import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import TypeVar

Item = TypeVar('Item')
_END = object()

#: How long to wait for a thread that may hang in a read from the network.
_PATIENCE_S = 1.0


def prefetch(items: Iterable[Item], depth: int = 2) -> Generator[Item]:
    """Iterate over ``items`` in a thread that runs at most ``depth`` items ahead.

    An exception in ``items`` is raised here, in its place; closing this iterator ends the thread,
    or leaves it behind where it hangs in ``items``.

    Args:
        items: what to iterate over.
        depth: how many finished items may wait.
    """
    return _from_thread(items, queue.Queue(depth), drop=False)


def newest(items: Iterable[Item]) -> Generator[Item]:
    """Iterate over ``items`` in a thread, leaving out those that were too old when asked for one.

    For sources that do not wait: a camera's frames are taken as they come, and a slow consumer
    always gets the latest. The last item is never left out. Exceptions and closing are as in
    :func:`prefetch`.

    Args:
        items: what to iterate over.
    """
    return _from_thread(items, queue.Queue(1), drop=True)


def _from_thread(items: Iterable[Item], waiting: queue.Queue, *, drop: bool) -> Generator[Item]:
    stopped = threading.Event()

    def put(item: object, *, drop: bool) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0 if drop else 0.1)
            except queue.Full:
                if drop:
                    with suppress(queue.Empty):
                        waiting.get_nowait()
                continue
            return True
        return False

    def work() -> None:
        error = None
        try:
            for item in items:
                if not put((item, None), drop=drop):
                    return
        except Exception as caught:
            error = caught
        put((_END, error), drop=False)

    thread = threading.Thread(target=work, name='prefetch', daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stopped.set()
        thread.join(_PATIENCE_S)
