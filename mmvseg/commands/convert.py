r"""Make a published checkpoint one of mmvseg, or the other way round.

Reads .pth, .pkl and .safetensors without running code that a file may hold, and checks every
parameter against the model of the config. Examples:

    mmvseg convert model_final_dvis_online_r50.pth dvis_online_r50.pth
    mmvseg convert model_final_3c8ec9.pkl start.pth \
        --config configs/minvis/minvis_r50_ytvis19.py
    mmvseg convert work_dirs/mine/iter_9200.pth out.pth --to original
"""

import argparse
from pathlib import Path

from mmvseg.errors import say

#: As in mmvseg.checkpoints.published.layouts, which needs torch.
SOURCES = (
    *('tevit', 'queryinst', 'mask2former', 'minvis', 'dvis', 'pvtv2', 'swin', 'resnet', 'pmt'),
    *('videomt', 'eomt', 'dinov2', 'dinov3', 'mmvseg'),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
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


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.converters.files import convert_file, restore_file
    from mmvseg.engine.console import hide_irrelevant_warnings

    hide_irrelevant_warnings()
    convert = convert_file if args.to == 'mmvseg' else restore_file
    lines = convert(args.input, args.output, args.source, args.config)
    say('\n'.join(lines))
