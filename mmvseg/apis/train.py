"""A training run, from its arguments to its end."""

import argparse
from pathlib import Path

from mmengine.config import Config

from mmvseg.engine import VideoRunner
from mmvseg.engine.config import config_errors, default_work_dir, require
from mmvseg.engine.launch import (
    check_amp,
    check_data,
    lacks_truth,
    set_amp,
    set_classes,
    start,
)
from mmvseg.engine.log_backends import check_log_to
from mmvseg.engine.monitors import check_monitors
from mmvseg.engine.schedule import check_schedule
from mmvseg.engine.work_dir import claimed_work_dir
from mmvseg.errors import UserError
from mmvseg.examples import SCHEME
from mmvseg.files import disk_errors
from mmvseg.hub import find_checkpoint

#: Where the disk fails in the midst of a training.
_CONTINUE = 'what was saved before is safe: make room or mend the permissions and use --resume'


def train(args: argparse.Namespace) -> None:
    """Train as the arguments of ``mmvseg train`` say.

    Raises:
        UserError: a file is missing or unusable, or config and options do not fit together.
    """
    cfg = start(args)
    cfg.log_to = list(dict.fromkeys([*(cfg.get('log_to') or []), *args.log]))
    check_log_to(cfg.log_to)
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
        _prepare_data(cfg)
        # the example keeps its name in the config that checkpoints note, which is the same anywhere
        if cfg.get('load_from') and not cfg.load_from.startswith(SCHEME):
            cfg.load_from = str(find_checkpoint(cfg.load_from, cfg.get('allow_pickle', False)))
        with config_errors(cfg):
            check_schedule(cfg)
            check_monitors(cfg)
            with disk_errors(Path(cfg.work_dir), _CONTINUE):
                VideoRunner.from_cfg(cfg).train()


def _prepare_data(cfg: Config) -> None:
    require(cfg, 'model', 'train_dataloader.dataset', 'train_cfg', 'optim_wrapper')
    check_data(cfg.train_dataloader.dataset, 'train_dataloader.dataset')
    set_classes(cfg, 'train_dataloader')
    if cfg.get('val_dataloader') is None:
        return
    check_data(cfg.val_dataloader.dataset, 'val_dataloader.dataset')
    if lacks_truth(cfg.val_dataloader.dataset, cfg.get('val_evaluator') or []):
        raise UserError(
            f'val_dataloader.dataset.ann_file: {cfg.val_dataloader.dataset.ann_file} has no '
            'annotations to validate against; use --no-validate, or hold out some training videos'
        )
