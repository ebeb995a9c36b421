"""Make a file for others out of a training checkpoint: weights, config and classes alone.

Example:
    python tools/model_converters/publish_model.py \\
        work_dirs/tevit_msgshift/iter_9200.pth published/tevit_msgshift.safetensors
"""

import argparse
from pathlib import Path

from mmvseg.checkpoints.files import WRITTEN_SUFFIXES
from mmvseg.checkpoints.publishing import publish_checkpoint
from mmvseg.errors import command_line, say
from mmvseg.files import user_path


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', help='saved in training')
    parser.add_argument(
        'out',
        help=f'file to make, {" or ".join(WRITTEN_SUFFIXES)}; the first digits of its SHA-256 are '
        'appended to the name',
    )
    parser.add_argument(
        '--allow-pickle',
        action='store_true',
        help='load a checkpoint that needs unpickling, which can run code hidden in it',
    )
    return parser.parse_args()


@command_line
def main() -> None:
    args = parse_args()
    path, notes = publish_checkpoint(args.checkpoint, args.out, args.allow_pickle)
    for note in notes:
        say(note)
    before, after = (_megabytes(Path(name)) for name in (args.checkpoint, path))
    say(f'{path}: {after} (was {before})')


def _megabytes(path: Path) -> str:
    return f'{user_path(path).stat().st_size / 1e6:.1f} MB'


if __name__ == '__main__':
    main()
