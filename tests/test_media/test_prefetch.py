import threading
import time

import pytest

from mmvseg.media.prefetch import newest, prefetch


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


def test_newest_leaves_out_what_is_too_old_but_not_the_last():
    went_on, done = threading.Event(), threading.Event()

    def source():
        yield 0
        went_on.wait(5)
        yield from range(1, 30)
        done.set()

    items = newest(source())
    assert next(items) == 0
    went_on.set()
    assert done.wait(5)
    assert list(items) == [29]
    assert not prefetch_threads()


def test_newest_gives_all_to_a_fast_consumer():
    def source():
        for index in range(5):
            yield index
            taken.wait(5)
            taken.clear()

    taken, seen = threading.Event(), []
    for item in newest(source()):
        seen.append(item)
        taken.set()
    assert seen == [0, 1, 2, 3, 4]


def test_newest_raises_after_the_last_item():
    def source():
        yield 1
        raise ZeroDivisionError('two')

    items = newest(source())
    assert next(items) == 1
    with pytest.raises(ZeroDivisionError, match='two'):
        next(items)


@pytest.mark.parametrize('ahead', [prefetch, newest])
def test_source_that_hangs_is_left_behind(monkeypatch, ahead):
    monkeypatch.setattr('mmvseg.media.prefetch._PATIENCE_S', 0.05)
    released = threading.Event()

    def source():
        yield 1
        released.wait(10)
        yield 2

    items = ahead(source())
    assert next(items) == 1
    start_s = time.monotonic()
    items.close()
    assert time.monotonic() - start_s < 5
    released.set()
    for thread in prefetch_threads():
        thread.join(5)
