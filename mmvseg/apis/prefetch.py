"""Work ahead in a thread: decoding while the model computes, with bounded memory."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar('Item')
_END = object()


def prefetch(items: Iterable[Item], depth: int = 2) -> Iterator[Item]:
    """Iterate over ``items`` in a thread that runs at most ``depth`` items ahead.

    An exception in ``items`` is raised here, in its place; closing this iterator ends the thread.

    Args:
        items: what to iterate over.
        depth: how many finished items may wait.
    """
    waiting: queue.Queue = queue.Queue(depth)
    stopped = threading.Event()

    def put(item: object) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        error = None
        try:
            for item in items:
                if not put((item, None)):
                    return
        except Exception as caught:
            error = caught
        put((_END, error))

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
        thread.join()
