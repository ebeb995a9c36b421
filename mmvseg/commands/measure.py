"""Measure a checkpoint of any task with the metrics of its config.

Only the numbers are shown and written; for the results themselves: mmvseg test.

Example:
    mmvseg measure configs/shapes/minvis_shapes.py minvis_shapes.pth --out numbers.json
"""

import argparse

from .arguments import (
    CHECKPOINT_HELP,
    add_common_arguments,
    add_data_arguments,
    add_precision,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('config')
    parser.add_argument('checkpoint', help=CHECKPOINT_HELP)
    parser.add_argument('--work-dir', help='for logs (default: work_dirs/CONFIG)')
    parser.add_argument('--out', help='also write the numbers to this json file')
    add_precision(parser)
    add_data_arguments(parser)
    add_common_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.apis.measure import measure
    from mmvseg.engine.distributed import distributed_command_line

    distributed_command_line(measure)(args)
