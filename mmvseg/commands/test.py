"""Write results for an evaluation server, and score them.

The model's task decides on the files in --out:
    vis  results.json
    vps  pred.json and pan_pred/<video>/<frame>.png
    vss  <video>/<frame>.png; videos.json lists them when all are there
submission.zip packs them. Where there is ground truth, metrics.json has the numbers, named as by
mmvseg evaluate: of vis and vss as there, of vps those of its vpq under VPQ, of stq under STQ.

Results reach the disk video by video. Started again, an interrupted run goes on where it was.

Example:
    mmvseg test configs/tevit/tevit_msgshift.py tevit_msgshift.pth --out results
    mmvseg test configs/tevit/tevit_msgshift.py tevit_msgshift   # its published weights
"""

import argparse

from .arguments import (
    CHECKPOINT_HELP,
    add_common_arguments,
    add_data_arguments,
    add_precision,
    positive_int,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('config')
    parser.add_argument('checkpoint', help=CHECKPOINT_HELP)
    parser.add_argument('--out', help='folder of the results (default: work_dirs/CONFIG/results)')
    parser.add_argument(
        '--zip',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='write the zip for the evaluation server, too',
    )
    parser.add_argument(
        '--window', type=positive_int, metavar='FRAMES', help='frames loaded at a time'
    )
    add_precision(parser)
    parser.add_argument('--restart', action='store_true', help='throw away what --out holds')
    add_data_arguments(parser)
    add_common_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.apis.test import test
    from mmvseg.engine.distributed import distributed_command_line

    distributed_command_line(test)(args)
