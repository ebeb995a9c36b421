"""tools/quickstart.sh with stand-ins for its tools: what it calls, and how runs stay apart."""

import subprocess

import pytest
from helpers import REPOSITORY

#: Stands for the environment's python: notes its arguments, and a training leaves what one leaves.
PYTHON = """#!/bin/bash
echo "$@" >>"{folder}/calls"
[ ! -e "{folder}/broken" ] || [ "$1" != tools/train.py ] || exit 3
while [ $# -gt 0 ]; do
    [ "$1" != --work-dir ] || echo iter_9.pth >"$2/last_checkpoint"
    shift
done
"""


@pytest.fixture
def folder(tmp_path):
    """A repository with nothing but the script, its configs and stand-ins."""
    (tmp_path / 'tools').mkdir()
    script = (REPOSITORY / 'tools/quickstart.sh').read_text()
    (tmp_path / 'tools/quickstart.sh').write_text(script)
    for path in REPOSITORY.glob('configs/**/*shapes*.py'):
        copy = tmp_path / path.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text())
    (tmp_path / 'configs/_base_/default_runtime.py').write_text('')
    python = tmp_path / 'python'
    python.write_text(PYTHON.format(folder=tmp_path))
    python.chmod(0o755)
    (tmp_path / 'tools/setup_env.sh').write_text(f'echo {python}\n')
    return tmp_path


@pytest.fixture
def quickstart(folder):
    """Run the script; gives its end and the tools that it called."""

    def quickstart(*args):
        (folder / 'calls').write_text('')
        command = ['bash', 'tools/quickstart.sh', *args]
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
        calls = (folder / 'calls').read_text().splitlines()
        return ended, {call.split()[0].split('/')[-1]: call for call in calls}

    return quickstart


def test_steps_and_where_the_time_went(quickstart):
    ended, calls = quickstart()
    assert ended.returncode == 0, ended.stderr
    names = ['demo_video', 'make_shapes', 'train', 'test_vis', 'visualize_results']
    assert list(calls) == [f'{name}.py' for name in names]
    assert '--example --out work_dirs/quickstart/example.mp4' in calls['demo_video.py']
    table = ended.stdout.split('Where the time went')[1].splitlines()
    steps = ['environment', 'example', 'data', 'training', 'test', 'drawing', 'whole run']
    assert [line[2:14].strip() for line in table[1:8]] == steps
    assert all(line.endswith(' s') for line in table[1:8])


def test_done_is_not_done_again(quickstart):
    quickstart()
    ended, calls = quickstart()
    assert ended.returncode == 0
    assert 'train.py' not in calls
    assert 'done before' in ended.stdout
    assert 'iter_9.pth' in calls['test_vis.py']


def test_interrupted_training_goes_on(quickstart, folder):
    (folder / 'broken').touch()
    ended, calls = quickstart()
    assert ended.returncode == 3
    assert 'test_vis.py' not in calls
    (folder / 'broken').unlink()
    (folder / 'work_dirs/quickstart/last_checkpoint').write_text('iter_5.pth')
    ended, calls = quickstart()
    assert ended.returncode == 0
    assert '--work-dir work_dirs/quickstart --no-validate --resume' in calls['train.py']


def test_run_with_options_has_a_folder_of_its_own(quickstart, folder):
    options = ['--cfg-options', 'train_cfg.max_iters=20']
    ended, calls = quickstart(*options)
    assert ended.returncode == 0
    assert calls['train.py'].endswith(' '.join(options))
    ended, calls = quickstart()
    assert ended.returncode == 0
    assert '--work-dir work_dirs/quickstart --no-validate --resume' in calls['train.py']
    assert len(list((folder / 'work_dirs').iterdir())) == 2
    ended, calls = quickstart(*options)
    assert 'train.py' not in calls
    ended, calls = quickstart('--cfg-options', 'train_cfg.max_iters=21')
    assert 'train.py' in calls
    assert len(list((folder / 'work_dirs').iterdir())) == 3


@pytest.mark.parametrize('interrupted', [False, True])
def test_run_of_another_recipe_is_refused(quickstart, folder, interrupted):
    quickstart()
    if interrupted:
        (folder / 'work_dirs/quickstart/trained').unlink()
    config = folder / 'configs/shapes/minvis_shapes_quickstart.py'
    config.write_text(config.read_text() + '# changed\n')
    ended, calls = quickstart()
    assert ended.returncode == 1
    assert not calls
    assert 'rm -r work_dirs/quickstart\n' in ended.stderr
    assert 'mv work_dirs/quickstart work_dirs/quickstart_old\n' in ended.stderr
    (folder / 'work_dirs/quickstart').rename(folder / 'work_dirs/quickstart_old')
    ended, calls = quickstart()
    assert 'train.py' in calls


def test_finished_run_that_notes_nothing_is_refused(quickstart, folder):
    out = folder / 'work_dirs/quickstart'
    out.mkdir(parents=True)
    (out / 'trained').touch()
    (out / 'last_checkpoint').write_text('iter_20.pth')
    ended, calls = quickstart()
    assert ended.returncode == 1
    assert not calls
    assert 'not noted' in ended.stderr


@pytest.mark.parametrize('option', ['--work-dir', '--work-dir=x', '--overwrite', '--resume'])
def test_options_that_the_script_sets_are_refused(quickstart, option):
    ended, calls = quickstart(option)
    assert ended.returncode == 1
    assert not calls
    assert f'error: {option}: is set here' in ended.stderr


def test_other_tasks(quickstart):
    for task in ('vps', 'vss'):
        ended, calls = quickstart(task)
        assert ended.returncode == 0, ended.stderr
        assert f'configs/shapes/minvis_shapes_{task}.py' in calls['train.py']
        assert f'--work-dir work_dirs/quickstart_{task} ' in calls['train.py']
        assert f'work_dirs/quickstart_{task}/results' in calls['visualize_results.py']


def test_help_and_mistakes_cost_nothing(quickstart):
    ended, calls = quickstart('--help')
    assert ended.returncode == 0
    assert ended.stdout.startswith('From nothing to results')
    assert 'bash tools/quickstart.sh vps' in ended.stdout
    wrong, more_calls = quickstart('vsp')
    assert wrong.returncode == 2
    assert 'error: no task vsp; there are vis, vps and vss' in wrong.stderr
    assert not calls
    assert not more_calls
