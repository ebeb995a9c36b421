"""Runs tools in forks of a process that has imported everything: 0.1 s a run instead of 4 s."""

import atexit
import faulthandler
import gc
import importlib
import os
import pkgutil
import resource
import runpy
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

REPOSITORY = Path(__file__).resolve().parents[2]
GIGABYTE = 10**9


@dataclass(frozen=True)
class Limits:
    """Where a run is ended from outside, in bytes and seconds.

    Attributes:
        resident: memory in use.
        address_space: memory asked for.
        file_size: of each file written.
        cpu_s: of computing.
        idle_s: without any computing; on a busy machine the whole time would say little.
    """

    resident: float = 3 * GIGABYTE
    address_space: int = 12 * GIGABYTE
    file_size: int = 2 * GIGABYTE
    cpu_s: int = 90
    idle_s: float = 45


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: exit status, or minus the number of the signal that ended it.
        peak: highest resident memory in bytes, of the run or a process that it started.
        cpu_s: seconds of computing.
        wall_s: seconds that it took.
        ended: why it was ended from outside, ``''`` if it was not.
        out: what it printed.
        err: its messages.
    """

    status: int
    peak: int
    cpu_s: float
    wall_s: float
    ended: str
    out: str
    err: str


def warm_up() -> None:
    """Import once what the tools need, with one thread, as threads do not survive a fork."""
    import cv2
    import fuzz_models  # noqa: F401 - registers the models of the scene
    import mmdet.models  # noqa: F401 - after mmvseg has adapted the stack
    import torch

    import mmvseg.apis
    import mmvseg.commands
    import mmvseg.converters.files
    import mmvseg.evaluation.folder_scores
    from mmvseg.models.segmentors import base  # noqa: F401

    for package in (mmvseg.apis, mmvseg.commands, mmvseg.engine, mmvseg.evaluation):
        for module in pkgutil.iter_modules(package.__path__, f'{package.__name__}.'):
            importlib.import_module(module.name)
    for name in ('matplotlib.backends.backend_agg', 'matplotlib.pyplot'):
        importlib.import_module(name)  # for the visualizer of mmengine

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    # a tool would ask gcc and nvcc for their versions, which takes a second
    mock.patch('mmengine.runner.runner.collect_env', dict).start()
    gc.collect()
    gc.freeze()  # what stands now needs no look by the collectors of the forks


def run_tool(
    tool: str,
    args: Sequence[str],
    folder: Path,
    *,
    logs: Path | None = None,
    limits: Limits = Limits(),
    before: Callable[[], None] = lambda: None,
    stdin: Path = Path(os.devnull),
    kill: tuple[signal.Signals, float] | None = None,
) -> Outcome:
    """Run ``tools/TOOL.py ARGS`` in ``folder``.

    Args:
        tool: path below ``tools/`` without suffix.
        args: of the command line.
        folder: working folder of the run.
        logs: folder of ``stdout`` and ``stderr``; None stands for the parent of ``folder``.
        limits: where the run is ended.
        before: called in the fork before the tool starts.
        stdin: what the run reads from.
        kill: a signal that the run gets, and after how many seconds.
    """
    path = REPOSITORY / 'tools' / f'{tool}.py'
    return run_forked(lambda: _as_script(path, args), folder, logs, limits, before, stdin, kill)


def run_forked(
    action: Callable[[], object],
    folder: Path,
    logs: Path | None = None,
    limits: Limits = Limits(),
    before: Callable[[], None] = lambda: None,
    stdin: Path = Path(os.devnull),
    kill: tuple[signal.Signals, float] | None = None,
) -> Outcome:
    """Run ``action`` as a script of its own, see :func:`run_tool`."""
    logs = logs or folder.parent
    out, err = logs / 'stdout', logs / 'stderr'
    for path in (out, err):  # there even if the run is killed before it begins
        path.write_bytes(b'')
    sys.stdout.flush()
    sys.stderr.flush()
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        status = 70
        try:
            _enter(folder, out, err, stdin, limits)
            before()
            status = _status(action)
        finally:
            os._exit(status)
    ended, status, usage = _wait(child, limits, start, kill)
    code = os.waitstatus_to_exitcode(status)
    return Outcome(
        status=code,
        peak=usage.ru_maxrss * 1024,
        cpu_s=usage.ru_utime + usage.ru_stime,
        wall_s=time.monotonic() - start,
        ended=ended,
        out=out.read_text(errors='surrogateescape'),
        err=err.read_text(errors='surrogateescape'),
    )


def _enter(folder: Path, out: Path, err: Path, stdin: Path, limits: Limits) -> None:
    """Become a process of its own: group, folder, streams, limits."""
    os.setsid()
    os.chdir(folder)
    faulthandler.disable()  # a test runner's writes where nobody looks
    for target, (path, flags) in enumerate(
        [(stdin, os.O_RDONLY), *((p, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for p in (out, err))]
    ):
        handle = os.open(path, flags)
        os.dup2(handle, target)
        os.close(handle)
    # objects of a test runner that captures what is printed would hide the streams
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, 'w', closefd=False)  # noqa: SIM115
    sys.stderr = open(2, 'w', buffering=1, closefd=False, errors='backslashreplace')  # noqa: SIM115
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.default_int_handler if name == signal.SIGINT else signal.SIG_DFL)
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_AS, limits.address_space),
        (resource.RLIMIT_FSIZE, limits.file_size),
    ):
        resource.setrlimit(kind, (value, value))


def _as_script(path: Path, args: Sequence[str]) -> None:
    sys.argv = [str(path), *args]
    sys.path.insert(0, str(path.parent))
    runpy.run_path(str(path), run_name='__main__')


def _status(action: Callable[[], object]) -> int:
    """Exit status of ``action``, ended as Python ends a script."""
    status = 0
    try:
        action()
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status & 0xFF


def _wait(
    child: int, limits: Limits, start: float, kill: tuple[signal.Signals, float] | None
) -> tuple[str, int, resource.struct_rusage]:
    """Wait for a child and whatever it started; end it where it goes too far."""
    ended, pause_s = '', 0.002
    used, used_at = 0, start
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            break
        now = time.monotonic()
        if kill and now - start > kill[1]:
            _signal(child, kill[0])
            kill = None
        resident, ticks = _usage(child)
        if ticks != used:
            used, used_at = ticks, now
        if not ended and (resident > limits.resident or now - used_at > limits.idle_s):
            ended = 'memory' if resident > limits.resident else 'time'
            _signal(child, signal.SIGKILL)
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.3, 0.05)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # processes of its own that outlived it
    if not ended and os.waitstatus_to_exitcode(status) == -signal.SIGXCPU:
        ended = 'time'
    return ended, status, usage


def _signal(child: int, sign: signal.Signals) -> None:
    """Send a signal to a child and all that it started."""
    try:
        os.killpg(child, sign)
    except ProcessLookupError:  # has not become a group of its own, or none is left
        with suppress(ProcessLookupError):
            os.kill(child, sign)


def _usage(pid: int) -> tuple[int, int]:
    """Resident bytes of a process and its ticks of computing."""
    try:
        fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except OSError:
        return 0, 0
    return int(fields[21]) * os.sysconf('SC_PAGE_SIZE'), int(fields[11]) + int(fields[12])
