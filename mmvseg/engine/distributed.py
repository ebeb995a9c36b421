"""The processes' communication, its start and its end: nccl between GPUs, gloo between CPUs."""

import functools
import gc
import logging
import multiprocessing
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from mmengine.device import get_device
from mmengine.dist import (
    broadcast_object_list,
    get_rank,
    get_world_size,
    init_dist,
    is_distributed,
    is_main_process,
)
from mmengine.model import is_model_wrapper
from torch import nn
from torch.distributed import DistNetworkError, DistStoreError

from mmvseg.errors import UserError, command_line, say
from mmvseg.locks import folder_lock

#: What gloo and nccl say where the other end of a connection is gone.
_LOST = re.compile(
    r'gloo.*(Connection|Broken pipe|Timed out|closed|recv|send|Socket)|remote process exited'
    r'|Connection (closed|reset) by peer|ncclRemoteError|Application timeout caused pair closure',
    re.DOTALL | re.IGNORECASE,
)
#: Variables of rank, number of processes and rank on the node that each launcher sets.
_RANK_VARIABLES = dict(
    pytorch=('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    slurm=('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    mpi=('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
)


def init_distributed(launcher: str, timeout_s: int = 1800) -> None:
    """Join the process group that ``launcher`` started; ``none`` and a second call do nothing.

    Args:
        launcher: one of ``none``, ``pytorch`` (torchrun), ``slurm``, ``mpi``.
        timeout_s: how long a process waits for the others.

    Raises:
        UserError: the launcher's variables are missing, or a node has more processes than GPUs.
    """
    if launcher == 'none' or is_distributed():
        return
    missing = [name for name in _RANK_VARIABLES[launcher] if name not in os.environ]
    if missing:
        raise UserError(
            f'--launcher {launcher}: the variables {", ".join(missing)} are not set; start through '
            'tools/dist_train.sh or tools/dist_test.sh (pytorch), tools/slurm_train.sh (slurm) or '
            'mpirun (mpi)'
        )
    rank, world_size, local_rank = (os.environ[name] for name in _RANK_VARIABLES[launcher])
    if get_device() == 'cuda':
        if int(local_rank) >= torch.cuda.device_count():
            raise UserError(
                f'process {local_rank} of this node has no GPU: {torch.cuda.device_count()} are '
                'visible; start as many processes as there are GPUs'
            )
        init_dist(launcher, backend='nccl', timeout=timeout_s)
        return
    # mmengine's init_dist calls torch.cuda.set_device, so CPU processes start themselves
    os.environ.update(RANK=rank, WORLD_SIZE=world_size, LOCAL_RANK=local_rank)
    os.environ.setdefault('MASTER_ADDR', '127.0.0.1')
    os.environ.setdefault('MASTER_PORT', '29500')
    dist.init_process_group('gloo', timeout=timedelta(seconds=timeout_s))


def on_main_process(action: Callable[[], Any]) -> Any:
    """Let the first process do what may fail, e.g. write a file; the others wait for it.

    Args:
        action: called on the first process only.

    Returns:
        What ``action`` returned, on every process.

    Raises:
        UserError: if ``action`` raises it; on every process, so that none waits for one that ended.
    """
    outcome: list[Any] = [None]
    if is_main_process():
        try:
            outcome = [action()]
        except UserError as error:
            outcome = [error]
    broadcast_object_list(outcome)
    if isinstance(outcome[0], UserError):
        raise outcome[0]
    return outcome[0]


def bare_model(model: nn.Module) -> nn.Module:
    """A model without the wrapper that several processes need."""
    return model.module if is_model_wrapper(model) else model


@contextmanager
def held_folder(folder: Path, advice: str) -> Iterator[None]:
    """Hold a folder for all processes of a run, see :func:`mmvseg.locks.folder_lock`."""
    with ExitStack() as held:
        on_main_process(lambda: held.enter_context(folder_lock(folder, advice)))
        yield


def leave_process_group() -> None:
    """Leave the processes' group once the work is done; alone, do nothing.

    Its last owner has to be gone before: a local variable that still names a runner or a model in
    DistributedDataParallel keeps the group beyond this call. Then threads of gloo run on, and where
    one of them drops the tensors of the last exchange, which takes the interpreter's lock, the
    process aborts if the interpreter ends, and hangs if the model is freed, which waits for the
    threads under that lock.
    """
    if is_distributed():
        gc.collect()  # a runner and its loops refer to each other
        dist.destroy_process_group()


def distributed_command_line(main: Callable[..., int | None]) -> Callable[..., None]:
    """Decorate the ``main`` of a tool for one or several processes, which may start their group.

    As :func:`mmvseg.errors.command_line`. Among several processes, the group is left when ``main``
    has returned and nothing in it is alive any more. After an error, of one process or of all, it
    is not: the others may be waiting for this process, and leaving would wait for them.

    Args:
        main: the tool's entry point; its return value, if any, is the exit status.
    """
    run = command_line(main)

    @functools.wraps(main)
    def wrapper(*args, **kwargs) -> None:
        try:
            run(*args, **kwargs)
        except SystemExit as end:
            status = end.code
        except BaseException as error:
            if not is_distributed():
                raise
            if _has_lost_others(error):
                say(
                    f'error: process {get_rank()} of {get_world_size()} ends: another process of '
                    'this run has ended or cannot be reached',
                    sys.stderr,
                )
            else:
                sys.excepthook(*sys.exc_info())
            status = 1
        if status and is_distributed():
            _end_at_once(status)
        leave_process_group()
        sys.exit(status)

    return wrapper


def _has_lost_others(error: BaseException) -> bool:
    return isinstance(error, DistNetworkError | DistStoreError) or (
        isinstance(error, RuntimeError) and _LOST.search(str(error)) is not None
    )


def _end_at_once(status: int) -> NoReturn:
    """End the process without the interpreter's end, in which threads of gloo would abort it."""
    for worker in multiprocessing.active_children():
        worker.terminate()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
