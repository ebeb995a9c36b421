"""Starting the processes' communication: nccl between GPUs, gloo between CPUs."""

import os
from collections.abc import Callable
from datetime import timedelta

import torch
import torch.distributed as dist
from mmengine.device import get_device
from mmengine.dist import broadcast_object_list, init_dist, is_distributed, is_main_process

from mmvseg.errors import UserError

LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')
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


def on_main_process(action: Callable[[], object]) -> None:
    """Let the first process do what may fail, e.g. write a file; the others wait for it.

    Args:
        action: called on the first process only; its result is dropped.

    Raises:
        UserError: if ``action`` raises it; on every process, so that none waits for one that ended.
    """
    outcome: list[UserError | None] = [None]
    if is_main_process():
        try:
            action()
        except UserError as error:
            outcome = [error]
    broadcast_object_list(outcome)
    if outcome[0] is not None:
        raise outcome[0]


def leave_process_group() -> None:
    """Leave the processes' group once the work is done; alone, do nothing.

    Left to the interpreter's end, threads of gloo may still run then and abort the process. After
    an error the launcher stops all processes, and waiting for the others here could take forever.
    """
    if is_distributed():
        dist.destroy_process_group()
