"""What the commands have in common that make annotation files of others."""

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmvseg.errors import UserError, one_line, say

if TYPE_CHECKING:
    from mmvseg.formats.edits.contents import Contents


def add_edit_arguments(parser: argparse.ArgumentParser, out: str | None = None) -> None:
    """``--out`` and ``--overwrite``.

    Args:
        parser: of the command.
        out: what is written, if it is not one annotation file.
    """
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='DIR' if out else 'FILE',
        help=out or 'annotation file to write',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='write also where there is a file already'
    )


def check_outputs(args: argparse.Namespace, paths: Iterable[Path], inputs: Sequence[Path]) -> None:
    """Make sure, before the work, that files can be written and that nothing is lost by it.

    Raises:
        UserError: naming the file.
    """
    from mmvseg.apis.output_paths import check_output_files

    for path in paths:
        check_output_files({'--out': path}, inputs)
        if os.path.exists(path) and not args.overwrite:
            raise UserError(f'{path}: is there already; choose another --out or give --overwrite')


def write_outputs(outputs: Mapping[Path, 'Contents']) -> None:
    """Write files, and say what is in them and what is not as in their sources."""
    from mmvseg.formats.edits.contents import write_contents

    write_contents(outputs)
    notes = dict.fromkeys(note for contents in outputs.values() for note in contents.notes)
    for text in notes:
        note(text)
    for path, contents in outputs.items():
        say(f'{path}: {contents}')


def note(text: str) -> None:
    """Say something beside the output."""
    say(f'note: {one_line(text)}', sys.stderr)
