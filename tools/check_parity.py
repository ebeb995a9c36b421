"""Replay recorded cases of the published systems and print how far the outputs differ.

Example: python tools/check_parity.py tests/data/reference/tevit/*/
"""

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path

from mmvseg.commands.parser import Parser
from mmvseg.errors import UserError, command_line, say
from mmvseg.testing.parity import REPLAYERS, Comparison, Row, is_case, load_case, prepared

# What torch, mmdet and this package raise for configs, tensors and files that they cannot take.
REPLAY_ERRORS = (
    *(AssertionError, AttributeError, ImportError, IndexError, KeyError, OSError, RuntimeError),
    *(TypeError, ValueError),
)


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__.split('\n')[0])
    parser.add_argument(
        'folders',
        nargs='*',
        type=Path,
        metavar='CASE_DIR',
        help='folder with config.json, io.safetensors and, if the case has parameters, '
        'weights.safetensors; files, and folders without config.json, are skipped',
    )
    parser.add_argument('--list', action='store_true', help='print the known kinds of cases')
    parser.add_argument(
        '--brief', action='store_true', help='print one line a case, and the rows that fail'
    )
    parser.add_argument(
        '--prepared',
        action='store_true',
        help='with models prepared for inference, as mmvseg test and predict run them',
    )
    args = parser.parse_args()
    if not args.list and not args.folders:
        parser.error('give at least one CASE_DIR, or --list')
    return args


def replay(folder: Path, prepare: bool) -> list[Row]:
    """Run one case; those of training never with a model prepared for inference.

    Raises:
        UserError: if its files are broken, its kind is unknown, or replaying it goes wrong.
    """
    case = load_case(folder)
    if case.kind not in REPLAYERS:
        raise UserError(
            f"{folder / 'config.json'}: cases of kind '{case.kind}' cannot be replayed; known: "
            f'{", ".join(sorted(REPLAYERS))}'
        )
    comparison = Comparison(case)
    infers = not case.kind.endswith('loss')
    try:
        with prepared() if prepare and infers else nullcontext():
            REPLAYERS[case.kind](case, comparison)
    except UserError as error:
        raise UserError(f'{folder}: {error}') from error
    except REPLAY_ERRORS as error:
        raise UserError(f'{folder}: cannot be replayed, {type(error).__name__}: {error}') from error
    return comparison.finish()


def print_rows(folder: Path, rows: list[Row], brief: bool) -> None:
    failed = [row for row in rows if not row.passed]
    verdict = f'{len(failed)} of {len(rows)} outputs FAILED' if failed else 'passed'
    say(f'{folder}: {verdict}, {len(rows)} outputs')
    shown = failed if brief else rows
    width = max((len(row.name) for row in shown), default=0)
    for row in shown:
        mark = 'ok  ' if row.passed else 'FAIL'
        say(
            f'  {mark} {row.name:<{width}}  max|diff| {row.difference:<9.3g} '
            f'tolerance {row.tolerance:<9.3g} {row.note}'.rstrip()
        )


def replay_all(folders: list[Path], brief: bool, prepare: bool) -> int:
    """Replay every folder, go on after a broken one; 1 if anything failed."""
    num_replayed = num_failed = 0
    for folder in folders:
        if folder.is_file():
            say(f'{folder}: skipped, no folder')
            continue
        if folder.is_dir() and not is_case(folder):
            say(f'{folder}: skipped, no config.json')
            continue
        num_replayed += 1
        try:
            rows = replay(folder, prepare)
        except UserError as error:
            num_failed += 1
            say(f'error: {error}', sys.stderr)
            continue
        print_rows(folder, rows, brief)
        num_failed += any(not row.passed for row in rows)
    if num_replayed == 0:
        raise UserError('none of the folders holds a case (config.json)')
    say(f'{num_replayed - num_failed} of {num_replayed} cases agree')
    return int(num_failed > 0)


@command_line
def main() -> int:
    args = parse_args()
    if args.list:
        say('\n'.join(sorted(REPLAYERS)))
        return 0
    return replay_all(args.folders, args.brief, args.prepared)


if __name__ == '__main__':
    main()
