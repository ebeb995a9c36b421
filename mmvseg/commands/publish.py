"""Make a file for others out of a training checkpoint.

It holds weights, config and classes alone.

Example:
    mmvseg publish work_dirs/tevit_msgshift/iter_9200.pth published/tevit_msgshift.safetensors
"""

import argparse
from pathlib import Path

from mmvseg.errors import say
from mmvseg.files import user_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('checkpoint', help='saved in training')
    parser.add_argument(
        'out',
        help='file to make, .pth or .safetensors; the first digits of its SHA-256 are '
        'appended to the name',
    )
    parser.add_argument(
        '--allow-pickle',
        action='store_true',
        help='load a checkpoint that needs unpickling, which can run code hidden in it',
    )
    parser.add_argument(
        '--half', action='store_true', help='write float32 weights as float16, half the size'
    )
    parser.add_argument('--license', help='note the licence in the file, e.g. Apache-2.0')


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.checkpoints.publishing import publish_checkpoint

    path, notes = publish_checkpoint(
        args.checkpoint, args.out, args.allow_pickle, half=args.half, license=args.license
    )
    for note in notes:
        say(note)
    before, after = (_megabytes(Path(name)) for name in (args.checkpoint, path))
    say(f'{path}: {after} (was {before})')


def _megabytes(path: Path) -> str:
    return f'{user_path(path).stat().st_size / 1e6:.1f} MB'
