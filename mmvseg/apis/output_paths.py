"""Where results go, looked at before the work: writable files that take no input's place."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from mmvseg.errors import UserError, say
from mmvseg.files import check_writable

#: Of the many maps of a folder, the first stands for all.
_PROBE = '00000.png'


def check_output_files(outputs: Mapping[str, Path | None], inputs: Iterable[str | Path]) -> None:
    """Make sure that files can be written and take the place of nothing that is read.

    Args:
        outputs: the files by option, such as ``--json``; None for none.
        inputs: all files that the run reads; other texts, such as addresses, are no files.

    Raises:
        UserError: naming the option and the file.
    """
    taken = {os.path.realpath(path): 'an input of this run' for path in inputs}
    for option, path in outputs.items():
        if path is None:
            continue
        place = os.path.realpath(path)
        if place in taken:
            raise UserError(f'{option} {path}: is {taken[place]}; give another name')
        taken[place] = f'what {option} gives'
        if os.path.exists(path) and not os.path.isfile(path):
            raise UserError(f'{option} {path}: is no file (a folder, a pipe or a device)')
        check_writable(path)


def check_output_folder(option: str, folder: Path, inputs: Iterable[str | Path]) -> None:
    """The same of a folder of maps, which must not be where the frames lie.

    Raises:
        UserError: naming the option and the folder.
    """
    folders = {os.path.dirname(os.path.realpath(path)) for path in inputs}
    if os.path.realpath(folder) in folders:
        raise UserError(f'{option} {folder}: holds the input of this run; give another folder')
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise UserError(f'{option} {folder}: is no folder')
    check_writable(folder / _PROBE)


def check_page_folder(folder: Path, data: str, command: str) -> None:
    """Refuse to write a page over that of somebody else.

    Args:
        folder: where to, ``--out``.
        data: file that the page of this command has beside its ``index.html``.
        command: who writes it, for the message.

    Raises:
        UserError: there is an ``index.html`` without it.
    """
    if (folder / 'index.html').exists() and not (folder / data).exists():
        raise UserError(
            f'--out {folder}: holds an index.html that is not of {command}; give another folder'
        )


def say_outputs(
    noun: str,
    video: Path | None,
    entries: Path | None,
    table: Path | None,
    maps: Path | None,
    damage: str | None,
) -> None:
    """Say what was written.

    Raises:
        UserError: for a ``damage``: the exit status says that something is missing.
    """
    for kind, path in (('overlay', video), (noun, entries), ('table', table), ('maps', maps)):
        if path:
            say(f'{kind + ":":<10}{path}')
    if damage:
        raise UserError(f'{damage}; the results cover the frames before')
