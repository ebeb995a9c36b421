"""What the commands of a page do in this process: run, or have their arguments read."""

import argparse
import io
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from itertools import count
from pathlib import Path
from unittest import mock

from helpers import REPOSITORY
from page_shell import PROGRAMS
from tool import run_tool
from toy_hub import run_command

from mmvseg.commands.main import COMMANDS, GROUPS
from mmvseg.engine.config import load_config
from mmvseg.model_index import find_entry
from mmvseg.shipped import shipped_configs

#: Programs of others: they are not run.
FOREIGN = (
    'pip',
    'source',
    'labelme',
    'wandb',
    'unzip',
    'docker',
    'pre-commit',
    'git',
    'sphinx-build',
)
#: What is added to a command, so that it is small.
ADDED = {
    'shapes': ['--train', '5', '--val', '2', '--length', '6'],
    'train': ['--amp', 'bf16'],
}
#: Commands that mmengine runs: it keeps loggers by the name of the experiment.
_RUNNERS = ('train', 'test', 'measure')
#: Scripts that start several processes, of which one runs here, with the number of arguments
#: before those of the command.
DISTRIBUTED = {
    'dist_train.sh': ('train', 'config gpus'),
    'dist_test.sh': ('measure', 'config checkpoint gpus'),
    'dist_predict.sh': ('predict', 'gpus'),
    'slurm_train.sh': ('train', 'partition job config'),
    'slurm_test.sh': ('measure', 'partition job config checkpoint'),
}
_runs = count()


class CommandError(Exception):
    """A command of a page is none, or fails."""


class _Read(Exception):
    """Arguments were read, which is all that was asked for."""


class Commands:
    """Answers what bash asks for.

    Args:
        is_run: whether commands are run, else only their arguments are read.
        prepare: gets a command's name and arguments before it runs, and returns the arguments.
    """

    def __init__(
        self, is_run: bool, prepare: Callable[[str, list[str]], list[str]] = lambda _, args: args
    ) -> None:
        self.is_run, self.prepare = is_run, prepare
        self.failures: list[str] = []
        self.asked = 0

    def __call__(self, command: list[str], variables: dict[str, str]) -> tuple[int, str]:
        shown = io.StringIO()
        try:
            with _place(variables), redirect_stdout(shown), redirect_stderr(shown):
                status = self._answer(command, variables)
        except Exception as error:
            status = 1
            shown.write(''.join(traceback.format_exception(error)))
        text = shown.getvalue()
        if status:
            self.failures.append(f'{" ".join(command)}\nends with status {status}:\n{text[-3000:]}')
        return status, text

    def _answer(self, command: list[str], variables: dict[str, str]) -> int:
        program, *args = command
        program = program.removeprefix('./')
        if program in FOREIGN or command[1:3] == ['-m', 'venv']:
            return 0
        if not self.is_run and program in PROGRAMS:
            print('FILE')  # in the place of what $(cat FILE) would give
            return 0
        self.asked += 1
        if program == 'bash':
            program, *args = args
        if program == 'torchrun':
            start, end = args.index('-m'), args.index('--launcher')
            program, args = 'python', args[start:end] + args[end + 2 :]
        if program == 'python' and args[:2] == ['-m', 'mmvseg']:
            program, args = 'mmvseg', args[2:]
        if program == 'mmvseg':
            return self._command(args)
        if program == 'python' and args[:1] == ['-c']:
            exec(compile(args[1], 'python -c', 'exec'), {}) if self.is_run else compile(
                args[1], 'python -c', 'exec'
            )
            return 0
        name = Path(program).name
        if name in DISTRIBUTED and program.startswith('tools/'):
            return self._distributed(name, args, variables)
        if program == 'python' and args and args[0].startswith('tools/'):
            return self._tool(args[0], args[1:])
        if program.startswith('tools/') and program.endswith('.sh'):
            return self._script(program, args)
        raise CommandError(f'{program}: not known to the tests of the pages: see page_commands.py')

    def _command(self, args: list[str]) -> int:
        if not args or args[0].startswith('-'):
            return run_command(*args)
        words = 2 if args[0] in GROUPS else 1
        name = ' '.join(args[:words])
        if name not in COMMANDS:
            raise CommandError(f'there is no command mmvseg {name}')
        return self._run(name, args[words:], lambda rest: run_command(*name.split(), *rest))

    def _tool(self, script: str, args: list[str]) -> int:
        path = REPOSITORY / script
        if not path.is_file():
            raise CommandError(f'there is no {script}')
        found = re.search(r"run_tool\('([\w ]+)'\)", path.read_text())
        tool = script.removeprefix('tools/').removesuffix('.py')
        beside = mock.patch.object(sys, 'path', [str(path.parent), *sys.path])
        with beside:  # where it finds the modules that it shares with others
            return self._run(found[1] if found else tool, args, lambda rest: run_tool(tool, *rest))

    def _distributed(self, name: str, args: list[str], variables: dict[str, str]) -> int:
        command, words = DISTRIBUTED[name]
        if variables.get('TOOL') == 'test_vis':
            command = 'test'
        names = words.split()
        if len(args) < len(names):
            raise CommandError(f'{name} needs {words}')
        given = dict(zip(names, args, strict=False))
        if not given.get('gpus', '1').isdigit():
            raise CommandError(f'{name}: {given["gpus"]} is no number of GPUs')
        first = [given[name] for name in ('config', 'checkpoint') if name in given]
        rest = first + args[len(names) :]
        return self._run(command, rest, lambda rest: run_command(command, *rest))

    def _script(self, script: str, args: list[str]) -> int:
        path = REPOSITORY / script
        if not path.is_file():
            raise CommandError(f'there is no {script}')
        if self.is_run:
            raise CommandError(f'{script} is not run by the tests of the pages')
        text = path.read_text()
        if '--cfg-options' in args:
            self._run('train', ['CONFIG', *args], lambda rest: run_command('train', *rest))
            return 0
        for option in args:
            if option.startswith('--') and option not in text:
                raise CommandError(f'{script} knows no {option}')
        return 0

    def _run(self, name: str, args: list[str], run: Callable[[Sequence[str]], int]) -> int:
        if not self.is_run:
            return self._read(args, run)
        args = self.prepare(name, args) + ADDED.get(name, [])
        if name == 'train' and '--resume' not in args:
            args.append('--overwrite')  # another way to train the same
        if name in _RUNNERS:
            args += ['--cfg-options', f'experiment_name=page_{next(_runs)}']
        with mock.patch('mmengine.runner.runner.collect_env', dict):
            return run(args)

    def _read(self, args: list[str], run: Callable[[Sequence[str]], int]) -> int:
        found: list[argparse.Namespace] = []
        with _reading_arguments(found):
            try:
                status = run(args)
            except _Read:
                status = 0
        if found:
            _check_names(found[0])
        return status


@contextmanager
def _place(variables: dict[str, str]) -> Iterator[None]:
    """The folder and the environment that bash has."""
    keep = {name: os.environ[name] for name in os.environ if name != 'HOME'}
    ours = {k: v for k, v in variables.items() if k not in ('PATH', 'PWD', 'OLDPWD', 'SHLVL', '_')}
    here = Path.cwd()
    with mock.patch.dict(os.environ, keep | ours):
        os.chdir(variables['PWD'])
        try:
            yield
        finally:
            os.chdir(here)


@contextmanager
def _reading_arguments(found: list[argparse.Namespace]) -> Iterator[None]:
    """Parsers read their arguments, and nothing follows."""

    def stopping(read: Callable) -> Callable:
        def wrapped(parser: argparse.ArgumentParser, *args, **kwargs) -> None:
            found.append(read(parser, *args, **kwargs))
            raise _Read

        return wrapped

    names = ('parse_args', 'parse_intermixed_args')
    methods = {name: stopping(getattr(argparse.ArgumentParser, name)) for name in names}
    with mock.patch.multiple(argparse.ArgumentParser, **methods):
        yield


def _check_names(args: argparse.Namespace) -> None:
    """Configs that are named exist, and have the keys that are changed."""
    values = [
        v for value in vars(args).values() for v in (value if isinstance(value, list) else [value])
    ]
    for value in values:
        if str(value).startswith(('configs/', 'tools/')) and not Path(value).exists():
            raise CommandError(f'there is no {value}')
    model = getattr(args, 'model', None)
    if isinstance(model, str) and re.fullmatch(r'[\w-]+', model) and model != 'MODEL':
        find_entry(model)
    config = getattr(args, 'config', None)
    if isinstance(config, list):
        config = config[0]
    if not isinstance(config, str) or config == 'CONFIG':
        return
    if '/' not in config and not config.endswith('.py') and config not in shipped_configs():
        raise CommandError(f'there is no config {config}')
    if Path(config).is_file() or config in shipped_configs():
        load_config(config, getattr(args, 'cfg_options', None))
