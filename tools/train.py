"""Train a model: ``python tools/train.py CONFIG``; several GPUs: ``tools/dist_train.sh``."""

import argparse
from pathlib import Path

from mmengine.config import Config

from mmvseg.engine import VideoRunner
from mmvseg.engine.config import config_errors, default_work_dir, require
from mmvseg.engine.distributed import distributed_command_line
from mmvseg.engine.launch import (
    add_common_arguments,
    check_amp,
    check_data,
    lacks_annotations,
    set_amp,
    set_classes,
    start,
)
from mmvseg.engine.monitors import check_monitors
from mmvseg.engine.schedule import check_schedule
from mmvseg.engine.work_dir import claimed_work_dir
from mmvseg.errors import UserError
from mmvseg.files import disk_errors

#: Where the disk fails in the midst of a training.
_CONTINUE = 'what was saved before is safe: make room or mend the permissions and use --resume'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
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
    add_common_arguments(parser)
    return parser.parse_args()


@distributed_command_line
def main() -> None:
    args = parse_args()
    cfg = start(args)
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or default_work_dir(cfg)
    if args.seed is not None:
        cfg.setdefault('randomness', {})['seed'] = args.seed
    if args.deterministic:
        cfg.setdefault('randomness', {})['deterministic'] = True
    if args.amp:
        set_amp(cfg, args.amp)
    check_amp(cfg)
    if args.auto_scale_lr:
        if not cfg.get('auto_scale_lr', {}).get('base_batch_size'):
            raise UserError('--auto-scale-lr: the config has no auto_scale_lr.base_batch_size')
        cfg.auto_scale_lr.enable = True
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    with claimed_work_dir(cfg, args.resume, overwrite=args.overwrite):
        prepare_data(cfg)
        with config_errors(cfg):
            check_schedule(cfg)
            check_monitors(cfg)
            with disk_errors(Path(cfg.work_dir), _CONTINUE):
                VideoRunner.from_cfg(cfg).train()


def prepare_data(cfg: Config) -> None:
    require(cfg, 'model', 'train_dataloader.dataset', 'train_cfg', 'optim_wrapper')
    check_data(cfg.train_dataloader.dataset, 'train_dataloader.dataset')
    set_classes(cfg, 'train_dataloader')
    if cfg.get('val_dataloader') is None:
        return
    check_data(cfg.val_dataloader.dataset, 'val_dataloader.dataset')
    if lacks_annotations(cfg.val_dataloader.dataset):
        raise UserError(
            f'val_dataloader.dataset.ann_file: {cfg.val_dataloader.dataset.ann_file} has no '
            'annotations to validate against; use --no-validate, or hold out some training videos'
        )


if __name__ == '__main__':
    main()
