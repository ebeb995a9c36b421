"""Bash reads the commands of a page; whatever it would start, it asks this process for.

So lines, quotes, variables, patterns and ``$(...)`` mean what they mean to a reader, but no command
has to start Python anew.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from helpers import REPOSITORY

#: Small programs that are run as they are.
PROGRAMS = ('cat', 'cp', 'head', 'ls', 'mkdir', 'mv', 'rm')
_PRELUDE = r"""
_ask() {
    printf '%s\0' "$#" "$@" >&"$PAGE_ASK"
    "$PAGE_ENV" -0 >&"$PAGE_ASK"
    printf '\0' >&"$PAGE_ASK"
    local _status
    IFS= read -r _status <&"$PAGE_ANSWER"
    "$PAGE_CAT" "$PAGE_SHOWN"
    return "$_status"
}
command_not_found_handle() { _ask "$@"; }
"""
_ASKED = ('mmvseg', 'python', 'bash', 'source')

#: Gets a command and the variables of its environment; returns its status and what it prints.
Answer = Callable[[list[str], dict[str, str]], tuple[int, str]]


def run_shell(
    text: str,
    folder: Path,
    answer: Answer,
    variables: Mapping[str, str],
    programs: Sequence[str] = PROGRAMS,
) -> str:
    """Let bash read commands in a folder, until one fails.

    Args:
        text: the commands.
        folder: where.
        answer: is asked for whatever is none of ``programs``.
        variables: of the environment.
        programs: names of small ones that run as they are.

    Returns:
        What bash and the commands print.
    """
    scripts = [str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob('tools/*.sh')]
    asked = [*_ASKED, *scripts, *(f'./{script}' for script in scripts)]
    functions = ''.join(f'{name}() {{ _ask {name} "$@"; }}\n' for name in asked)
    path = folder / '.programs'
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    for name in programs:
        (path / name).symlink_to(shutil.which(name))
    shown, printed = folder / '.shown', folder / '.printed'
    (ask_here, ask_there), (answer_there, answer_here) = os.pipe(), os.pipe()
    environment = dict(variables, PATH=str(path), HOME=str(folder / 'home'))
    environment |= dict(PAGE_ASK=str(ask_there), PAGE_ANSWER=str(answer_there))
    environment |= dict(PAGE_SHOWN=str(shown), PAGE_ENV=shutil.which('env'))
    environment |= dict(PAGE_CAT=shutil.which('cat'))
    bash = ['/bin/bash', '--norc', '--noprofile', '-eu', '-o', 'pipefail', '-c']
    with printed.open('wb') as output:
        process = subprocess.Popen(
            [*bash, f'{_PRELUDE}{functions}{text}'],
            cwd=folder,
            env=environment,
            pass_fds=(ask_there, answer_there),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    os.close(ask_there)
    os.close(answer_there)
    with open(ask_here, 'rb') as requests, open(answer_here, 'w') as answers:
        for command, environment in _requests(requests):
            status, text = answer(command, environment)
            shown.write_text(text)
            print(status, file=answers, flush=True)
    process.wait()
    return printed.read_text(errors='replace')


def _requests(stream: BinaryIO) -> Iterator[tuple[list[str], dict[str, str]]]:
    fields = _fields(stream)
    for count in fields:
        command = [next(fields) for _ in range(int(count))]
        environment = {}
        while variable := next(fields):
            name, _, value = variable.partition('=')
            environment[name] = value
        yield command, environment


def _fields(stream: BinaryIO) -> Iterator[str]:
    """Texts that end with a zero."""
    rest = b''
    while data := stream.read1():
        *fields, rest = (rest + data).split(b'\0')
        yield from (field.decode() for field in fields)
