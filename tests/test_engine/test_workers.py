"""How a worker starts, seen in a process of its own."""

import ctypes
import multiprocessing
import platform
import resource
import signal

import numpy as np
import pytest

from mmvseg.engine.workers import start_worker


def page_faults() -> int:
    """Pages that the system gives for the same arrays, made for the second time."""
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        arrays = [np.ones(20_000_000, np.uint8) for _ in range(3)]
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
        del arrays
    return faults


def work(results) -> None:
    ids = []
    for parameter in (-1, -3):  # as a process starts, whatever this one did before
        ctypes.CDLL('libc.so.6').mallopt(parameter, 2**17)
    faults = page_faults()
    start_worker(ids.append, 7)
    start_worker(None, 8)  # nothing to initialise
    handler = signal.getsignal(signal.SIGINT)
    results.send((ids, handler, faults, page_faults()))


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='only glibc can be told')
def test_a_worker_ignores_ctrl_c_and_keeps_its_memory():
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context('fork').Process(target=work, args=(sender,))
    process.start()
    assert receiver.poll(60)
    ids, handler, before, after = receiver.recv()
    process.join(60)
    assert ids == [7]
    assert handler == signal.SIG_IGN
    assert after < before / 10
