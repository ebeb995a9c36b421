"""The scripts tools/dist_*.sh and what they start, in two processes without GPUs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import toy
from helpers import REPOSITORY
from tool import run_tool
from two_processes import in_two_processes, threads_of_gloo_left

from mmvseg.checkpoints.files import load_checkpoint_file, save_checkpoint_file

SETTINGS = """
custom_imports = dict(imports=['toy', 'ending'])
custom_hooks = [dict(type='FailingHook', rank=-1)]
test_evaluator = dict(type='YouTubeVISMetric', ann_file='{folder}/data/train.json')
"""


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('dist')
    toy.write_videos(folder / 'data')
    config = toy.write_config(folder, SETTINGS.format(folder=folder))
    model = toy.make_runner(config, folder / 'init').model
    meta = dict(dataset_meta=dict(classes=toy.CLASSES))
    save_checkpoint_file(dict(meta=meta, state_dict=model.state_dict()), folder / 'toy.pth')
    return folder


@pytest.fixture
def launch(folder, tmp_path, monkeypatch):
    """Run a script in two processes."""
    monkeypatch.setenv('PYTHONPATH', str(REPOSITORY / 'tests'))
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    monkeypatch.setenv('PYTHON', sys.executable)

    def launch(script, *args):
        command = [REPOSITORY / 'tools' / script, folder / 'toy.py', *args]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=250)

    return launch


def assert_ended_well(ended):
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count('threads of gloo: []') == 2


def test_train_with_validation(launch, tmp_path):
    options = ['train_cfg.max_iters=4', 'train_cfg.val_interval=2']
    options += ['train_dataloader.num_workers=1', 'train_dataloader.persistent_workers=True']
    ended = launch('dist_train.sh', '2', '--work-dir', 'work', '--cfg-options', *options)
    assert_ended_well(ended)
    assert ended.stderr.count('num_classes: 7 -> 2') == 1
    assert (ended.stdout + ended.stderr).count('video_3: ') == 2
    assert load_checkpoint_file(tmp_path / 'work/iter_4.pth')['meta']['world_size'] == 2


def test_process_that_fails_in_training_ends_the_run(launch):
    failing = ['--no-validate', '--cfg-options', 'custom_hooks.0.rank=1']
    ended = launch('dist_train.sh', '2', *failing)
    assert ended.returncode == 1
    assert ended.stderr.count('error: frame 7 is broken') == 1, ended.stderr
    # the other process ends for this reason, and may be noticed first
    assert re.search('error: process [01] of the run ended with status 1', ended.stderr)
    assert 'Traceback' not in ended.stderr
    assert 'SIGABRT' not in ended.stderr


def run_alone(folder, tmp_path, tool, out):
    args = [str(folder / 'toy.py'), str(folder / 'toy.pth'), '--out', str(tmp_path / out)]
    assert run_tool(tool, *args, '--cfg-options', f'work_dir={tmp_path / "work"}') == 0


def assert_same_file(one, two):
    assert json.loads(one.read_text()) == json.loads(two.read_text())


def test_test_is_that_of_one_process(launch, folder, tmp_path):
    ended = launch('dist_test.sh', folder / 'toy.pth', '2', '--out', 'two.json')
    assert_ended_well(ended)
    run_alone(folder, tmp_path, 'test', 'one.json')
    assert_same_file(tmp_path / 'one.json', tmp_path / 'two.json')


def test_results_are_those_of_one_process(folder, tmp_path, monkeypatch):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    args = [str(folder / 'toy.py'), str(folder / 'toy.pth'), '--launcher', 'pytorch']
    args += ['--out', str(tmp_path / 'two'), '--cfg-options', f'work_dir={tmp_path / "work"}']

    def work(rank):
        return run_tool('test_vis', *args), threads_of_gloo_left()

    assert in_two_processes(work) == [(0, [])] * 2
    run_alone(folder, tmp_path, 'test_vis', 'one')
    for name in ('results.json', 'metrics.json'):
        assert_same_file(tmp_path / 'one' / name, tmp_path / 'two' / name)


@pytest.mark.parametrize(
    ('script', 'args', 'tool', 'handed_on'),
    [
        ('dist_train.sh', ['config', '2', '--amp'], 'train', ['config', '--amp']),
        ('dist_test.sh', ['config', 'file', '2', '--fps'], 'test', ['config', 'file', '--fps']),
        ('dist_test.sh', ['config', 'file', '2'], 'test_vis', ['config', 'file']),
        ('dist_predict.sh', ['2', 'videos', 'config'], 'demo_video', ['videos', 'config']),
    ],
)
def test_scripts_start_their_tools(script, args, tool, handed_on, tmp_path, monkeypatch):
    python = tmp_path / 'python'
    python.write_text('#!/bin/sh\n[ "$1" = -c ] || printf "%s\\n" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv('PYTHON', str(python))
    monkeypatch.delenv('NNODES', raising=False)
    if tool == 'test_vis':
        monkeypatch.setenv('TOOL', tool)
    command = [REPOSITORY / 'tools' / script, *args]
    started = subprocess.run(command, capture_output=True, text=True, check=True)
    launcher, *options, path = started.stdout.splitlines()[:5]
    assert Path(launcher).resolve() == REPOSITORY / 'tools/dist_run.py'
    assert options == ['--standalone', '--nproc-per-node', '2']
    assert Path(path).resolve() == REPOSITORY / f'tools/{tool}.py'
    assert started.stdout.splitlines()[5:] == [*handed_on, '--launcher', 'pytorch']
