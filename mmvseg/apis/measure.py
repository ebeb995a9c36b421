"""Measuring a checkpoint with the metrics of its config."""

import argparse
from pathlib import Path

from mmvseg.engine import VideoRunner
from mmvseg.engine.config import config_errors, default_work_dir
from mmvseg.engine.distributed import (
    is_main_process,
    on_main_process,
)
from mmvseg.engine.launch import (
    lacks_truth,
    prepare_test,
    start,
)
from mmvseg.errors import UserError
from mmvseg.files import check_writable, disk_errors, write_json
from mmvseg.hub import find_checkpoint


def measure(args: argparse.Namespace) -> None:
    """Measure as the arguments of ``mmvseg measure`` say.

    Raises:
        UserError: a file is missing or unusable, or the data have no annotations.
    """
    cfg = start(args)
    args.checkpoint = str(find_checkpoint(args.checkpoint, args.allow_pickle))
    ann_file = prepare_test(cfg, args)
    if lacks_truth(cfg.test_dataloader.dataset, cfg.test_evaluator):
        raise UserError(
            f'{ann_file} has no annotations, so nothing can be measured; '
            'mmvseg test writes the results for the evaluation server'
        )
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or default_work_dir(cfg)
    if args.precision:
        cfg.test_cfg.precision = args.precision
    if args.out:
        on_main_process(lambda: check_writable(Path(args.out)))
    with config_errors(cfg), disk_errors(Path(cfg.work_dir)):
        metrics = VideoRunner.from_cfg(cfg).test()
    if args.out and is_main_process():
        write_json(Path(args.out), metrics)
