"""Print a config with everything that it inherits: ``python tools/misc/print_config.py CONFIG``."""

import argparse

from mmvseg.engine.config import add_cfg_options, load_config
from mmvseg.errors import command_line, say


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    add_cfg_options(parser)
    return parser.parse_args()


@command_line
def main() -> None:
    args = parse_args()
    say(load_config(args.config, args.cfg_options).pretty_text)


if __name__ == '__main__':
    main()
