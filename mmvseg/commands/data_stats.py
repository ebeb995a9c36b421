"""Count what an annotation file holds.

Videos, objects and classes are counted, and what they are like is told in quantiles. --json gets
the numbers of every object and video.

Example:
    mmvseg data stats data/youtube_vis_2021/train.json
    mmvseg data stats data/mine/annotations.json --json stats.json
"""

import argparse
from pathlib import Path

from mmvseg.errors import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        'annotations', type=Path, metavar='ANN', help='annotation file in the form of YouTube-VIS'
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='JSON file to write')


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from dataclasses import asdict

    from mmvseg.analysis.data_statistics import dataset_statistics
    from mmvseg.analysis.data_tables import statistics_tables
    from mmvseg.apis.output_paths import check_output_files
    from mmvseg.files import write_json
    from mmvseg.formats.youtube_vis import read_youtube_vis

    check_output_files({'--json': args.json}, [args.annotations])
    statistics = dataset_statistics(read_youtube_vis(args.annotations))
    say(statistics_tables(statistics))
    if args.json:
        write_json(args.json, asdict(statistics))
