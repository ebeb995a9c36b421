"""Rename the classes of an annotation file, or leave some out.

Classes that are not named stay as they are. Of the same new name, several become one class.
--classes reads the names from a json, {"old name": "new name", "other old name": null}, where null
leaves a class out. --to gives the classes of a published data set with their ids, all of them.

Example:
    mmvseg data remap ann.json --map "red car=car" --map van=car --drop dog --out new.json
    mmvseg data remap ann.json --classes names.json --to ytvis_2021 --out for_2021.json
"""

import argparse
from pathlib import Path

from mmvseg.errors import UserError

from .edits import add_edit_arguments, check_outputs, write_outputs
from .parser import UsageError

#: As in mmvseg.formats.categories, those of instances.
TABLES = ('ytvis_2019', 'ytvis_2021', 'ovis')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        'annotations', type=Path, metavar='ANN', help='annotation file in the form of YouTube-VIS'
    )
    add_edit_arguments(parser)
    parser.add_argument(
        '--map',
        type=_pair,
        action='append',
        default=[],
        metavar='OLD=NEW',
        help='rename a class; may be repeated',
    )
    parser.add_argument(
        '--drop',
        action='append',
        default=[],
        metavar='NAME',
        help='leave out a class with its objects; may be repeated',
    )
    parser.add_argument('--classes', type=Path, metavar='JSON', help='the same in a file')
    parser.add_argument('--to', choices=TABLES, help='the result has the classes of this data set')


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.formats.categories import load_table
    from mmvseg.formats.edits.contents import read_contents
    from mmvseg.formats.edits.remap import remap

    new_names = _new_names(args)
    if not new_names and not args.to:
        raise UsageError('nothing to do: give --map, --drop, --classes or --to')
    inputs = [args.annotations, *([args.classes] if args.classes else [])]
    check_outputs(args, [args.out], inputs)
    table = load_table(args.to) if args.to else ()
    write_outputs({args.out: remap(read_contents(args.annotations), new_names, table)})


def _pair(text: str) -> tuple[str, str]:
    old, _, new = text.partition('=')
    if not old or not new or '=' in new:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not OLD=NEW; names with '=' can be given in a json, with --classes"
        )
    return old, new


def _new_names(args: argparse.Namespace) -> dict[str, str | None]:
    from mmvseg.formats.json_files import load_json

    pairs = [*args.map, *((name, None) for name in args.drop)]
    if args.classes:
        given = load_json(args.classes)
        if not isinstance(given, dict) or not all(
            new is None or (isinstance(new, str) and new) for new in given.values()
        ):
            raise UserError(
                f'{args.classes}: must be an object with a new name or null for each old name, '
                '{"old name": "new name", "other old name": null}'
            )
        pairs += given.items()
    names: dict[str, str | None] = {}
    for old, new in pairs:
        if names.setdefault(old, new) != new:
            raise UserError(f'class {old!r} is given twice: --map, --drop and --classes disagree')
    return names
