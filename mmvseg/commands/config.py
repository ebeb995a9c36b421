"""Print a config with everything that it inherits.

Example:
    mmvseg config configs/tevit/tevit_msgshift.py --cfg-options train_cfg.max_iters=100
"""

import argparse

from mmvseg.errors import say

from .cfg_options import add_cfg_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('config')
    add_cfg_options(parser)


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.engine.config import load_config

    say(load_config(args.config, args.cfg_options).pretty_text)
