"""Commands and label formats of other packages: found, refused where they are broken."""

from unittest import mock

import pytest

from mmvseg import extensions
from mmvseg.commands import main
from mmvseg.errors import UserError
from mmvseg.extensions import COMMANDS, LABEL_FORMATS, module_of_others, names_of_others
from mmvseg.formats.labels.importers import format_names, recognise
from mmvseg.formats.labels.sources import Source

SOUND = """
'''Say hello.'''
from mmvseg.errors import say
def add_arguments(parser): parser.add_argument('--name', default='you')
def run(args): say(f'hello {args.name}')
"""
FORMAT = """
'''Lists of nothing.'''
OPTIONS = frozenset()
def recognises(source): return bool(source.of('.nothing'))
def read(source, options, report): raise NotImplementedError
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    info = tmp_path / 'others-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: others\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(
        '[mmvseg.commands]\nhello = others_hello\ntrain = others_hello\nbroken = others_broken\n'
        'empty = others_empty\n[mmvseg.label_formats]\nnothing = others_format\n'
    )
    modules = dict(hello=SOUND, broken='1 / 0', empty="'''Nothing.'''", format=FORMAT)
    for name, text in modules.items():
        (tmp_path / f'others_{name}.py').write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    extensions._entry_points.cache_clear()
    yield
    extensions._entry_points.cache_clear()


def run(*argv):
    with mock.patch('sys.argv', ['mmvseg', *argv]), pytest.raises(SystemExit) as ended:
        main.main()
    return ended.value.code or 0


@pytest.mark.usefixtures('package')
def test_commands_of_others_run(capsys):
    assert run('hello', '--name', 'all') == 0
    assert capsys.readouterr().out == 'hello all\n'
    assert run('hello', '--help') == 0
    assert capsys.readouterr().out.startswith('usage: mmvseg hello ')
    assert run('helo') == 2
    assert 'did you mean hello' in capsys.readouterr().err


@pytest.mark.usefixtures('package')
def test_help_lists_them_whatever_they_are(capsys):
    assert run('--help') == 0
    shown = capsys.readouterr().out
    assert '\n  hello      Say hello.\n' in shown
    assert 'broken, others_broken of the package others: cannot be imported' in shown
    assert shown.count('\n  train ') == 1
    assert 'Train a model' in shown


@pytest.mark.usefixtures('package')
def test_own_names_come_first():
    assert names_of_others(COMMANDS, main.COMMANDS) == ['broken', 'empty', 'hello']
    assert main._command('train').__name__ == 'mmvseg.commands.train'


@pytest.mark.usefixtures('package')
@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('broken', r'package others: cannot be imported \(ZeroDivisionError: .*uninstall it'),
        ('empty', 'package others: has no add_arguments, run '),
    ],
)
def test_broken_modules_name_their_package(name, message, capsys):
    with pytest.raises(UserError, match=message):
        module_of_others(COMMANDS, name)
    assert run(name) == 1
    assert 'uninstall it' in capsys.readouterr().err


@pytest.mark.usefixtures('package')
def test_formats_of_others_are_recognised(tmp_path):
    labels = tmp_path / 'labels'
    labels.mkdir()
    (labels / 'a.nothing').touch()
    assert format_names()[-1] == 'nothing'
    assert recognise(Source(labels)) == 'nothing'
    assert module_of_others(LABEL_FORMATS, 'nothing').read


def test_without_other_packages_there_are_none():
    assert names_of_others(LABEL_FORMATS, ()) == []
