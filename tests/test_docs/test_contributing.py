"""The worked examples of docs/contributing: their blocks are run as they stand, page by page.

A block that begins with ``# NAME.py`` or ``# NAME.toml`` is that file, a bash block is run line by
line, and the lines of a text block must stand in the output of the one before. Commands of mmvseg
run in forks of this process, which has imported everything. pip is not run: what it would leave of
the entry points is written.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import REPOSITORY
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer

import mmvseg.apis.train  # noqa: F401 - for all forks
from mmvseg import extensions
from mmvseg.commands import main

try:
    import tomllib
except ImportError:  # Python 3.10, where pytest brings this one
    import tomli as tomllib

PAGES = REPOSITORY / 'docs/contributing'
BLOCK = re.compile(r'^```(\w+)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
FILE = re.compile(r'# ([\w/]+\.(?:py|toml))\n')
NAMES = re.search(r'```{toctree}\n:.*?\n\n(.*?)```', (PAGES / 'index.md').read_text(), re.DOTALL)


class Project:
    """A folder in which the blocks of a page are followed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.output = folder, ''

    def follow(self, page: str) -> None:
        """Do what a page says."""
        for kind, text in BLOCK.findall((PAGES / page).read_text()):
            if match := FILE.match(text):
                (self.folder / match[1]).write_text(text[match.end() :])
            elif kind == 'bash':
                lines = text.replace('\\\n', ' ').splitlines()
                self.output = ''.join(map(self.run, lines))
            elif kind == 'text':
                shown = self.output.splitlines()
                assert {*text.splitlines()} - {'...'} <= {*map(str.rstrip, shown)}, self.output
            else:
                pytest.fail(f'{page}: a block of {kind} that is neither run nor written:\n{text}')

    def run(self, line: str) -> str:
        """Output of a line; it must end well."""
        name, *arguments = shlex.split(line)
        if name == 'cd':
            self.folder /= arguments[0]
            return ''
        if name == 'pip':
            self.install()
            return ''
        log = self.folder / 'output.txt'
        if name == 'mmvseg':
            status = self.fork(arguments, log)
        else:
            line = re.sub(r'^python ', f'{shlex.quote(sys.executable)} ', line)
            with log.open('w') as file:
                status = subprocess.run(
                    ['bash', '-c', line], cwd=self.folder, stdout=file, stderr=file, check=False
                ).returncode
        assert status == 0, f'{line}\n{log.read_text()}'
        return log.read_text()

    def install(self) -> None:
        """Leave of ``pyproject.toml`` what an installation makes of it."""
        project = tomllib.loads((self.folder / 'pyproject.toml').read_text())['project']
        info = self.folder / f'my_project-{project["version"]}.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(
            f'Metadata-Version: 2.1\nName: {project["name"]}\nVersion: {project["version"]}\n'
        )
        groups = project['entry-points'].items()
        (info / 'entry_points.txt').write_text(
            ''.join(
                f'[{group}]\n' + ''.join(f'{k} = {v}\n' for k, v in entries.items())
                for group, entries in groups
            )
        )

    def fork(self, arguments: list[str], log: Path) -> int:
        """Exit status of a command of mmvseg."""
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        status = 70
        try:
            sys.stdout = sys.stderr = file = log.open('w')
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            os.chdir(self.folder)
            sys.path.insert(0, str(self.folder))
            sys.argv = ['mmvseg', *arguments]
            # what other tests have looked up, and loggers and the like of their runs
            extensions._entry_points.cache_clear()
            for kind in (MMLogger, MessageHub, DefaultScope, Visualizer):
                kind._instance_dict.clear()
            try:
                main.main()
            except SystemExit as stop:
                status = stop.code or 0
            file.flush()
        finally:
            os._exit(status if isinstance(status, int) else 70)


@pytest.fixture(scope='module')
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp('extending'))
    project.follow('index.md')
    return project


@pytest.mark.parametrize('page', NAMES[1].split())
def test_page(project, page):
    project.follow(f'{page}.md')


def test_a_broken_block_is_seen(project, tmp_path, monkeypatch):
    pages = dict(
        status='```bash\nmmvseg lengths absent.json\n```\n',
        text='```bash\necho a\n```\n```text\nb\n```\n',
        kind='```python\nprint(1)\n```\n',
    )
    monkeypatch.setattr(sys.modules[__name__], 'PAGES', tmp_path)
    for name, text in pages.items():
        (tmp_path / name).write_text(text)
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            project.follow(name)


def test_every_page_is_in_the_table():
    assert {path.stem for path in PAGES.glob('*.md')} - {'index'} == {*NAMES[1].split()}
