"""Split an annotation file by videos into train.json and val.json.

Both are written under --out. Each class has its share of objects in both, as near as
whole videos allow. The same file and --seed give the same split on every machine. Frames stay where
they are: both files are read with the folder of frames of ANN.

Example:
    mmvseg data split data/mine/annotations.json --out data/mine
    mmvseg data split data/youtube_vis_2021/train.json --out data/youtube_vis_2021/local --val 0.1
"""

import argparse
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from mmvseg.errors import one_line, say

from .edits import add_edit_arguments, check_outputs, note, write_outputs

if TYPE_CHECKING:
    from mmvseg.formats.edits.split import ClassSplit

TRAIN, VAL = 'train.json', 'val.json'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        'annotations', type=Path, metavar='ANN', help='annotation file in the form of YouTube-VIS'
    )
    add_edit_arguments(parser, f'folder to write {TRAIN} and {VAL} to')
    parser.add_argument(
        '--val',
        type=split_size,
        default=Fraction(1, 10),
        metavar='SIZE',
        help='videos to validate on: their share below 1, or their number (default: 0.1)',
    )
    parser.add_argument('--seed', type=int, default=0, help='of the choice of videos (default: 0)')


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.formats.edits.contents import read_contents
    from mmvseg.formats.edits.split import split

    train, val = args.out / TRAIN, args.out / VAL
    check_outputs(args, [train, val], [args.annotations])
    parts = split(read_contents(args.annotations), args.val, args.seed)
    tell_split(parts.classes)
    write_outputs({train: parts.train, val: parts.val})


def tell_split(classes: Sequence['ClassSplit']) -> None:
    """Say where the objects of each class went, and which classes have none in a part."""
    say(_table(classes))
    _note_absent(classes, TRAIN, lambda part: part.objects - part.val_objects)
    _note_absent(classes, VAL, lambda part: part.val_objects)


def split_size(text: str) -> int | Fraction:
    """Videos to validate on: their number, or their share below 1."""
    try:
        size = Fraction(text)
    except (ValueError, ZeroDivisionError):
        size = Fraction(0)
    if size <= 0 or (size >= 1 and size.denominator > 1):
        raise argparse.ArgumentTypeError(f'{text!r} is no share below 1 and no number of videos')
    return size if size < 1 else int(size)


def _table(classes: Sequence['ClassSplit']) -> str:
    from terminaltables import AsciiTable

    cells = [['class', 'videos', 'objects', 'to train', 'to validate', '%']]
    for part in classes:
        numbers = (part.videos, part.objects, part.objects - part.val_objects, part.val_objects)
        share = f'{100 * part.val_objects / part.objects:.1f}' if part.objects else '-'
        cells.append([one_line(part.name), *map(str, numbers), share])
    return AsciiTable(cells).table


def _note_absent(
    classes: Sequence['ClassSplit'], file: str, objects: Callable[['ClassSplit'], int]
) -> None:
    absent = [part for part in classes if part.objects and not objects(part)]
    if absent:
        names = ', '.join(f'{part.name} ({part.videos})' for part in absent)
        alone = any(part.videos == 1 for part in absent)
        reason = '; a class in one video cannot be in both files' if alone else ''
        note(f'no object in {file} of these classes (in so many videos in all): {names}{reason}')
