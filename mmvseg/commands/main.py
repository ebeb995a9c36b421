"""The command ``mmvseg``: a table of commands, of which only the one that is asked for is imported.

A command is a module with a docstring, whose first line is its help, ``add_arguments(parser)`` and
``run(args)``, which returns the exit status and imports what is heavy. The scripts in ``tools/``
run the same modules. Commands of two words are the parts of a group: ``data import``. Other
packages may add commands of one word, see :mod:`mmvseg.extensions`.
"""

import difflib
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import mmvseg
from mmvseg.errors import UserError, command_line

from .parser import Parser, UsageError

#: Names of commands and their modules here, in the order of the help.
COMMANDS = {
    'predict': 'predict',
    'train': 'train',
    'test': 'test',
    'measure': 'measure',
    'evaluate': 'evaluate',
    'analyze': 'analyze',
    'draw': 'draw',
    'show': 'show',
    'check': 'check',
    'data import': 'data_import',
    'data export': 'data_export',
    'data split': 'data_split',
    'data merge': 'data_merge',
    'data subset': 'data_subset',
    'data remap': 'data_remap',
    'data stats': 'data_stats',
    'data browse': 'data_browse',
    'convert': 'convert',
    'publish': 'publish',
    'export': 'export',
    'models': 'models',
    'download': 'download',
    'config': 'config',
    'shapes': 'shapes',
    'vipseg720': 'vipseg720',
    'doctor': 'doctor',
}

#: First words of commands of two, and what their parts have in common.
GROUPS = {'data': 'Make, change and look at data sets; mmvseg data lists how.'}


@command_line
def main() -> int | None:
    """Entry point of the console script and of ``python -m mmvseg``; ends the process."""
    is_module = Path(sys.argv[0]).name == '__main__.py'
    prog = 'python -m mmvseg' if is_module else 'mmvseg'
    name, *arguments = sys.argv[1:] or ['--help']
    group = name if name in GROUPS else ''
    if group:
        part, *arguments = arguments or ['--help']
        name = part if part.startswith('-') else f'{group} {part}'
    if name in COMMANDS:
        return _run(name, f'{prog} {name}', arguments)
    own = [c for c in COMMANDS if c.startswith(f'{group} ')] if group else _first_words()
    commands = own if group else [*own, *_others()]
    if name.startswith('-'):
        _main_parser(f'{prog} {group}'.strip(), commands).parse_args([name])
    if name not in commands:
        # parts of a group are alike in their first word
        parts = {command.removeprefix(f'{group} '): command for command in commands}
        asked = name.removeprefix(f'{group} ')
        close = [parts[p] for p in difflib.get_close_matches(asked, parts, n=3, cutoff=0.5)]
        hint = f'did you mean {" or ".join(close)}?' if close else f'see {prog} --help'
        _main_parser(prog, commands).error(f'there is no command {name!r}; {hint}')
    return _run(name, f'{prog} {name}', arguments)


@command_line
def run_tool(name: str) -> int | None:
    """What a script in ``tools/`` does: run a command under the script's own name."""
    return _run(name, sys.argv[0], sys.argv[1:])


def _run(name: str, prog: str, arguments: Sequence[str]) -> int | None:
    command = _command(name)
    parser = Parser(prog=prog, description=command.__doc__)
    command.add_arguments(parser)
    # options may stand between an input and its model
    args = parser.parse_intermixed_args(arguments)
    try:
        return command.run(args)
    except UsageError as error:
        parser.error(str(error))


def _help(name: str) -> str:
    if name in GROUPS:
        return GROUPS[name]
    try:
        return _command(name).__doc__.splitlines()[0]
    except UserError as error:  # of another package, which must not take the help of all others
        return str(error)


def _command(name: str) -> ModuleType:
    if name in COMMANDS:
        return import_module(f'{__package__}.{COMMANDS[name]}')
    from mmvseg.extensions import COMMANDS as GROUP
    from mmvseg.extensions import module_of_others

    return module_of_others(GROUP, name)


def _others() -> list[str]:
    """Commands that other packages add; to look for them takes as long as all the rest."""
    from mmvseg.extensions import COMMANDS as GROUP
    from mmvseg.extensions import names_of_others

    return names_of_others(GROUP, _first_words())


def _first_words() -> list[str]:
    """Commands of one word and groups, in the order of the help."""
    return list(dict.fromkeys(name.split()[0] for name in COMMANDS))


def _main_parser(prog: str, commands: Sequence[str]) -> Parser:
    width = max(map(len, commands))
    lines = [f'  {name:<{width}}  {_help(name)}' for name in commands]
    parser = Parser(
        prog=prog,
        usage='%(prog)s COMMAND ...',
        description=f'{mmvseg.__doc__}\n\ncommands:\n' + '\n'.join(lines),
        epilog='Arguments of a command: %(prog)s COMMAND --help',
    )
    parser.add_argument('--version', action='version', version=f'mmvseg {mmvseg.__version__}')
    return parser
