"""Make small synthetic videos with exact masks, the data set Shapes.

The files have the layout of a published data set.

Example:
    mmvseg shapes --out data/shapes
    mmvseg shapes --out data/shapes_vipseg --format vipseg
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mmvseg.errors import UserError, say
from mmvseg.files import file_errors
from mmvseg.locks import folder_lock

if TYPE_CHECKING:
    from rich.console import Console

    from mmvseg.datasets.shapes import ShapesRequest

DIFFICULTIES = dict(easy=0.0, medium=0.5, hard=1.0)
# As in mmvseg.datasets.shapes, which needs torch.
LAYOUTS = ('vipseg', 'vspw', 'youtube_vis')
SIZE, LENGTH, TRAIN, VAL = (96, 128), 12, 500, 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('--out', type=Path, required=True, help='folder to write')
    parser.add_argument(
        '--size',
        type=_parse_size,
        default=SIZE,
        metavar='HxW',
        help='height x width of the frames (default {}x{})'.format(*SIZE),
    )
    parser.add_argument('--length', type=int, default=LENGTH, help='frames a video')
    parser.add_argument('--train', type=int, default=TRAIN, help='training videos')
    parser.add_argument('--val', type=int, default=VAL, help='validation videos')
    parser.add_argument('--difficulty', default='easy', help='easy, medium, hard, or a number 0..1')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--format',
        choices=LAYOUTS,
        default='youtube_vis',
        help='youtube_vis: instances; vipseg: instances and stuff; vspw: classes',
    )
    parser.add_argument(
        '--stuff',
        action='store_true',
        help='with youtube_vis: also write a PNG of class ids for every frame',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace a set made with other arguments'
    )


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from rich.console import Console
    from rich.progress import Progress

    from mmvseg.datasets.shapes import write_shapes

    request = _make_request(args)
    console = Console()
    with (
        file_errors(args.out),
        folder_lock(args.out, 'give another --out'),
        Progress(console=console) as progress,
    ):
        task = progress.add_task('Shapes', total=request.train + request.val)
        splits = write_shapes(
            args.out, request, args.overwrite, on_video=lambda: progress.advance(task)
        )
        progress.update(task, completed=request.train + request.val)
    _print_statistics(console, splits)
    say(f'{args.out}: frames, annotations and stats.json are there')


def _parse_size(text: str) -> tuple[int, int]:
    try:
        height, width = (int(part) for part in text.lower().split('x'))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'{text!r} is not HEIGHTxWIDTH, e.g. 96x128') from error
    return height, width


def _parse_difficulty(text: str) -> float:
    try:
        value = DIFFICULTIES[text] if text in DIFFICULTIES else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UserError(f'--difficulty {text}: give easy, medium, hard, or a number 0..1')
    return value


def _make_request(args: argparse.Namespace) -> 'ShapesRequest':
    from mmvseg.datasets.shapes import ShapesOptions, ShapesRequest

    height, width = args.size
    for name, value, least in (
        ('--size', min(height, width), 16),
        ('--length', args.length, 1),
        ('--train', args.train, 0),
        ('--val', args.val, 0),
        ('--seed', args.seed, 0),
    ):
        if value < least:
            raise UserError(f'{name} {value}: must be at least {least}')
    if args.stuff and args.format != 'youtube_vis':
        raise UserError(f'--stuff: --format {args.format} always holds the stuff, leave it out')
    options = ShapesOptions(height, width, args.length, _parse_difficulty(args.difficulty))
    return ShapesRequest(options, args.train, args.val, args.seed, args.stuff, args.format)


def _print_statistics(console: 'Console', splits: dict[str, dict]) -> None:
    from rich.table import Table

    table = Table(title='Shapes')
    table.add_column('')
    for split in splits:
        table.add_column(split, justify='right')
    for key, value in splits['train'].items():
        if not isinstance(value, dict):
            table.add_row(key.replace('_', ' '), *(str(split[key]) for split in splits.values()))
    console.print(table)
