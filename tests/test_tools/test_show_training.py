import json
import sys
from unittest import mock

import pytest

from mmvseg.apis.show_training import run_names
from mmvseg.commands.main import main


@pytest.fixture
def work_dir(tmp_path):
    def make(name, rows=((10, 3.0), (20, 2.0)), tail=''):
        folder = tmp_path / name / '20260101_000000/vis_data'
        folder.mkdir(parents=True)
        lines = [json.dumps(dict(loss=loss, iter=step, step=step)) + '\n' for step, loss in rows]
        (folder / 'scalars.json').write_text(''.join(lines) + tail)
        return tmp_path / name

    return make


@pytest.fixture
def show(capsys, tmp_path):
    """Status and output of ``mmvseg show ARGS --out tmp_path/page``."""

    def run(*args):
        argv = ['mmvseg', 'show', *map(str, args), '--out', str(tmp_path / 'page')]
        with mock.patch.object(sys, 'argv', argv), pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code, capsys.readouterr()

    return run


def test_shows_all_runs(show, work_dir, tmp_path):
    first, second = work_dir('a/x'), work_dir('b/x')
    status, shown = show('--training', first, second, second.parent / '../a/x')  # the first again
    assert status == 0
    assert shown.out == f'open {tmp_path}/page/index.html in a browser\n'
    script = (tmp_path / 'page/training.js').read_text()
    assert [run['name'] for run in json.loads(script[17:-3])['runs']] == ['a/x', 'b/x']


def test_a_run_that_goes_on(show, work_dir, tmp_path):
    first = work_dir('x', tail='{"loss": 1.')
    status, shown = show('--training', first)
    assert status == 0
    assert 'line 3 is not complete (yet), left out' in shown.err
    with open(first / '20260101_000000/vis_data/scalars.json', 'a') as file:
        file.write('5, "iter": 30, "step": 30}\n')
    status, shown = show('--training', first)  # the page is renewed
    assert (status, shown.err) == (0, '')
    assert '[10,20,30],[3.0,2.0,1.5]' in (tmp_path / 'page/training.js').read_text()


def test_a_folder_without_a_log(show, tmp_path):
    status, shown = show('--training', tmp_path)
    assert status == 1
    assert shown.err.startswith(f'error: {tmp_path}: there is no TIMESTAMP/vis_data/scalars.json')
    assert not (tmp_path / 'page/index.html').exists()


def test_a_page_of_somebody_else_stays(show, work_dir, tmp_path):
    (tmp_path / 'page').mkdir()
    (tmp_path / 'page/index.html').write_text('mine')
    status, shown = show('--training', work_dir('x'))
    assert status == 1
    assert 'holds an index.html that is not of mmvseg show --training' in shown.err
    assert (tmp_path / 'page/index.html').read_text() == 'mine'


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['r.json', '--training', 'w'], '--training: does not go with RESULTS'),
        (['--training', 'w', '--ann', 'a', '--score-thr', '0'], 'go with --ann, --score-thr'),
        ([], 'give RESULTS, or --training'),
    ],
)
def test_what_does_not_go_together(show, args, message):
    status, shown = show(*args)
    assert status == 2
    assert message in shown.err


def test_names_that_tell_runs_apart(tmp_path):
    folders = [tmp_path / name for name in ('a/x/1', 'b/x/1', 'b/y/1', 'c')]
    assert run_names(folders) == ['a/x/1', 'b/x/1', 'y/1', 'c']
