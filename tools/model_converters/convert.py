r"""Make a published checkpoint one of mmvseg, or write one of mmvseg with the published names.

Reads .pth, .pkl and .safetensors without running code that a file may hold, and checks every
parameter against the model of the config. Examples:

    python tools/model_converters/convert.py model_final_dvis_online_r50.pth dvis_online_r50.pth
    python tools/model_converters/convert.py model_final_3c8ec9.pkl start.pth \
        --config configs/minvis/minvis_r50_ytvis19.py
    python tools/model_converters/convert.py work_dirs/mine/iter_9200.pth out.pth --to original
"""

import argparse
from pathlib import Path

from mmvseg.checkpoints.published.layouts import SOURCES
from mmvseg.converters.files import convert_file, restore_file
from mmvseg.engine.console import hide_irrelevant_warnings
from mmvseg.errors import command_line, say


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('input', type=Path, metavar='IN', help='.pth, .pkl or .safetensors')
    parser.add_argument('output', type=Path, metavar='OUT', help='.pth or .safetensors')
    parser.add_argument(
        '--from',
        dest='source',
        choices=('auto', *SOURCES),
        default='auto',
        help='what published it (default: told by the names of its parameters)',
    )
    parser.add_argument(
        '--config',
        type=Path,
        help='of the model to check against, or of the training that is to start from the '
        'weights (default: the config that they fit exactly)',
    )
    parser.add_argument(
        '--to',
        choices=('mmvseg', 'original'),
        default='mmvseg',
        help='whose names the result has (default: mmvseg)',
    )
    return parser.parse_args()


@command_line
def main() -> None:
    args = parse_args()
    hide_irrelevant_warnings()
    convert = convert_file if args.to == 'mmvseg' else restore_file
    lines = convert(args.input, args.output, args.source, args.config)
    say('\n'.join(lines))


if __name__ == '__main__':
    main()
