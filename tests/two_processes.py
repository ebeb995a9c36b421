"""Runs a function in two processes of one group, forked so that nothing is imported again."""

import gc
import multiprocessing
import os
import socket
import time
import traceback
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from pathlib import Path

from mmvseg.engine.distributed import leave_process_group

TIMEOUT_S = 120


def in_two_processes(function, *args):
    """``function(rank, *args)`` in two processes; the results of the first and of the second.

    The function joins the group, by ``init_distributed('pytorch')`` or on gloo by
    ``dist.init_process_group('gloo')``. When it has returned, the group is left and has to end.

    Raises:
        RuntimeError: a process failed, died or did not end; the other is killed then.
    """
    with two_processes(function, *args) as (processes, readers):
        results = _results(processes, readers)
        for rank, process in enumerate(processes):
            process.join(TIMEOUT_S)
            if process.exitcode != 0:
                raise RuntimeError(f'process {rank} did not end well: {process}')
        return results


@contextmanager
def two_processes(function, *args):
    """The processes and where to read their results; killed in the end."""
    context, port = multiprocessing.get_context('fork'), _free_port()
    processes, readers = [], []
    try:
        for rank in range(2):
            reader, writer = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(rank, port, writer, function, args))
            process.start()
            writer.close()  # so that reading ends with the process
            processes.append(process)
            readers.append(reader)
        yield processes, readers
    finally:
        for process in processes:
            process.kill()
            process.join()


def threads_of_gloo():
    """Names of the threads that a group on gloo has started in this process."""
    names = []
    for path in Path('/proc/self/task').glob('*/comm'):
        with suppress(OSError):  # of a thread that has just ended
            names.append(path.read_text().strip())
    return [name for name in names if 'gloo' in name]


def threads_of_gloo_left():
    """The same after the group was left: those that have ended may be listed for a moment."""
    deadline = time.monotonic() + 10
    while (threads := threads_of_gloo()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return threads


def _results(processes, readers):
    results = {}
    while len(results) < len(processes):
        awaited = [rank for rank in range(len(processes)) if rank not in results]
        ready = wait([readers[rank] for rank in awaited], TIMEOUT_S)
        if not ready:
            raise RuntimeError(f'no result of the processes {awaited} after {TIMEOUT_S} s')
        for rank in (readers.index(reader) for reader in ready):
            try:
                results[rank], error = readers[rank].recv()
            except EOFError:
                processes[rank].join()
                raise RuntimeError(f'process {rank} died: {processes[rank]}') from None
            if error:
                raise RuntimeError(f'process {rank} failed:\n{error}')
    return [results[rank] for rank in range(len(processes))]


def _work(rank, port, writer, function, args):
    gc.freeze()  # what the parent made is not for this process to free
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2')
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    try:
        result = function(rank, *args)
        leave_process_group()
        threads = threads_of_gloo_left()
        assert not threads, f'the group is still held by something, its threads run: {threads}'
        writer.send((result, None))
    except BaseException:
        writer.send((None, traceback.format_exc()))


def _free_port():
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        return server.getsockname()[1]
