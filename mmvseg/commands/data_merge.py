"""Put annotation files together; classes are told by their names.

Where the frames of the files lie in several folders, --frames names one for each file. The frames
stay there: the names in the result are relative to the folder that holds all of them, which is
said.

Example:
    mmvseg data merge monday.json tuesday.json --out both.json
    mmvseg data merge data/a/annotations.json data/b/annotations.json \\
        --frames data/a/frames data/b/frames --out data/both.json
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from mmvseg.errors import UserError, say

from .edits import add_edit_arguments, check_outputs, note, write_outputs
from .parser import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        'annotations',
        type=Path,
        nargs='+',
        metavar='ANN',
        help='two or more annotation files in the form of YouTube-VIS',
    )
    parser.add_argument(
        '--frames',
        type=Path,
        nargs='+',
        metavar='DIR',
        help='folder of the frames of each ANN, in their order (default: all are in one folder)',
    )
    add_edit_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.formats.edits.contents import read_contents
    from mmvseg.formats.edits.merge import merge

    count = len(args.annotations)
    if count < 2:
        raise UsageError('give two or more ANN')
    if args.frames and len(args.frames) != count:
        raise UsageError(f'--frames: {len(args.frames)} folders for {count} files')
    check_outputs(args, [args.out], args.annotations)
    root, folders = _common_root(args.frames) if args.frames else (None, None)
    merged = merge([read_contents(path) for path in args.annotations], folders)
    write_outputs({args.out: merged})
    if root is not None:
        say(f'its frames lie below {root}: mmvseg check {args.out} {root}')


def _common_root(folders: Sequence[Path]) -> tuple[Path, list[str]]:
    """The folder that holds all folders, and the ways from there to each."""
    from mmvseg.media.names import links_out

    for folder in folders:
        if not folder.is_dir():
            raise UserError(f'--frames {folder}: no such folder')
    places = [os.path.abspath(folder) for folder in folders]
    root = os.path.commonpath(places)
    shown = Path(root if folders[0].is_absolute() else os.path.relpath(root))
    for folder, place in zip(folders, places, strict=True):
        if links_out(place, root):
            note(
                f'{folder}: a link leads out of {shown}; training, check and draw follow it with '
                'allow_outside_root'
            )
    ways = [Path(os.path.relpath(place, root)).as_posix() for place in places]
    return shown, ['' if way == '.' else way for way in ways]
