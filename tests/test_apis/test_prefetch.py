import threading
import time

import pytest

from mmvseg.apis.prefetch import prefetch


def prefetch_threads():
    return [thread for thread in threading.enumerate() if thread.name == 'prefetch']


def test_order_and_end():
    assert list(prefetch(iter(range(20)))) == list(range(20))
    assert list(prefetch([])) == []
    assert list(prefetch([None, (1, 2)])) == [None, (1, 2)]


def test_runs_ahead_but_only_by_its_depth():
    produced = []

    def source():
        for index in range(100):
            produced.append(index)
            yield index

    items = prefetch(source(), depth=3)
    next(items)
    deadline = time.monotonic() + 5
    while len(produced) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    # one taken, three waiting, one in the thread's hands
    assert 4 <= len(produced) <= 5
    items.close()
    assert not prefetch_threads()


def test_exception_comes_after_the_items_before_it():
    def source():
        yield 1
        raise ZeroDivisionError('two')

    items = prefetch(source())
    assert next(items) == 1
    with pytest.raises(ZeroDivisionError, match='two'):
        next(items)
    assert not prefetch_threads()
