"""Train a model.

Several GPUs: tools/dist_train.sh of the repository, or torchrun with --launcher pytorch.

Example:
    mmvseg train configs/tevit/tevit_msgshift.py --no-validate
    mmvseg train configs/tevit/tevit_msgshift.py --no-validate --resume
    mmvseg train configs/shapes/minvis_shapes.py --cfg-options train_cfg.max_iters=100
"""

import argparse

from .arguments import add_common_arguments

#: As in mmvseg.engine.log_backends, which needs torch.
LOGS = ('tensorboard', 'wandb', 'mlflow')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('config')
    parser.add_argument('--work-dir', help='for checkpoints and logs (default: work_dirs/CONFIG)')
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from a checkpoint (default: the last whole one in the work dir)',
    )
    start.add_argument(
        '--overwrite',
        action='store_true',
        help='begin anew where the work dir holds the checkpoints of an earlier run, which are '
        'removed',
    )
    parser.add_argument(
        '--amp',
        nargs='?',
        const='auto',
        choices=('auto', 'fp16', 'bf16'),
        help='mixed precision (auto: fp16 on a GPU, bf16 on a CPU)',
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the batch size, see auto_scale_lr.base_batch_size',
    )
    parser.add_argument('--no-validate', action='store_true', help='never validate in between')
    parser.add_argument('--seed', type=int, help='of all random draws')
    parser.add_argument('--deterministic', action='store_true', help='slower, reproducible kernels')
    parser.add_argument(
        '--log',
        action='append',
        default=[],
        choices=LOGS,
        help='log there, too, beside the local log in the work dir; may be repeated',
    )
    add_common_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.apis.train import train
    from mmvseg.engine.distributed import distributed_command_line

    distributed_command_line(train)(args)
