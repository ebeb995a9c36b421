"""Fetch published weights by a model's name, and convert them.

The converted checkpoint is kept in the cache, where all commands find it by the model's name. Where
only a browser can fetch the file, fetch it there and name it with --file.

Example:
    mmvseg download minvis_r50_ytvis19
    mmvseg download dvis_online_r50_ytvis19 --file ~/Downloads/model_final.pth
"""

import argparse
from pathlib import Path

from mmvseg.errors import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('model', metavar='NAME', help='as mmvseg models lists it')
    parser.add_argument(
        '--file', type=Path, metavar='PATH', help='the published file, if it is here already'
    )


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.model_index import find_entry

    model = find_entry(args.model)  # before torch is loaded
    from mmvseg.engine.console import hide_irrelevant_warnings
    from mmvseg.hub import install_model

    hide_irrelevant_warnings()
    say(install_model(model, args.file))
