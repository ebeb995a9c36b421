"""Take some of the videos or classes of an annotation file.

Classes that are not taken are not listed in the result either. Videos stay without an object unless
--drop-empty is given. --max-videos takes as many as possible of all that is left, so that each
class keeps its share; the choice is that of mmvseg data split --val N.

Example:
    mmvseg data subset train.json --classes person dog --drop-empty --out two_classes.json
    mmvseg data subset train.json --max-videos 50 --out small.json
    mmvseg data subset train.json --drop-videos kitchen 17 --out clean.json
"""

import argparse
from pathlib import Path

from .arguments import positive_int
from .edits import add_edit_arguments, check_outputs, write_outputs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        'annotations', type=Path, metavar='ANN', help='annotation file in the form of YouTube-VIS'
    )
    add_edit_arguments(parser)
    parser.add_argument(
        '--videos', nargs='+', metavar='VIDEO', help='only these videos: ids or names'
    )
    parser.add_argument(
        '--drop-videos', nargs='+', default=[], metavar='VIDEO', help='all videos but these'
    )
    parser.add_argument('--classes', nargs='+', metavar='NAME', help='only these classes')
    parser.add_argument(
        '--min-frames',
        type=positive_int,
        default=1,
        metavar='N',
        help='only videos of at least N frames',
    )
    parser.add_argument(
        '--drop-empty', action='store_true', help='only videos with an object of the classes'
    )
    parser.add_argument(
        '--max-videos', type=positive_int, metavar='N', help='at most N videos, chosen by --seed'
    )
    parser.add_argument('--seed', type=int, default=0, help='of --max-videos (default: 0)')


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.formats.edits.contents import read_contents
    from mmvseg.formats.edits.subset import Wanted, subset

    check_outputs(args, [args.out], [args.annotations])
    wanted = Wanted(
        videos=args.videos,
        drop_videos=args.drop_videos,
        classes=args.classes,
        min_frames=args.min_frames,
        drop_empty=args.drop_empty,
        max_videos=args.max_videos,
        seed=args.seed,
    )
    write_outputs({args.out: subset(read_contents(args.annotations), wanted)})
