"""Measure a checkpoint of any task: ``python tools/test.py CONFIG CHECKPOINT``."""

import argparse
from pathlib import Path

from mmvseg.engine import VideoRunner
from mmvseg.engine.config import config_errors, default_work_dir
from mmvseg.engine.distributed import (
    distributed_command_line,
    is_main_process,
    on_main_process,
)
from mmvseg.engine.launch import (
    add_common_arguments,
    add_data_arguments,
    lacks_annotations,
    prepare_test,
    start,
)
from mmvseg.errors import UserError
from mmvseg.files import check_writable, disk_errors, write_json


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('--work-dir', help='for logs (default: work_dirs/CONFIG)')
    parser.add_argument('--out', help='also write the numbers to this json file')
    parser.add_argument('--fp16', action='store_true', help='half precision (CPU: bfloat16)')
    add_data_arguments(parser)
    add_common_arguments(parser)
    return parser.parse_args()


@distributed_command_line
def main() -> None:
    args = parse_args()
    cfg = start(args)
    ann_file = prepare_test(cfg, args)
    if lacks_annotations(cfg.test_dataloader.dataset):
        raise UserError(
            f'{ann_file} has no annotations, so nothing can be measured; '
            'tools/test_vis.py writes the results for the evaluation server'
        )
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or default_work_dir(cfg)
    cfg.test_cfg.fp16 = args.fp16 or cfg.test_cfg.get('fp16', False)
    if args.out:
        on_main_process(lambda: check_writable(Path(args.out)))
    with config_errors(cfg), disk_errors(Path(cfg.work_dir)):
        metrics = VideoRunner.from_cfg(cfg).test()
    if args.out and is_main_process():
        write_json(Path(args.out), metrics)


if __name__ == '__main__':
    main()
