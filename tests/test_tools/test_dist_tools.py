"""tools/dist_train.sh and tools/dist_test.sh from end to end, in two processes without GPUs."""

import json
import re
import subprocess
import sys

import pytest
import toy
from helpers import REPOSITORY
from tool import run_tool

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


FILES = dict(test=['numbers.json'], test_vis=['results.json', 'metrics.json'])


@pytest.mark.parametrize('tool', FILES)
def test_test_is_that_of_one_process(launch, folder, tmp_path, monkeypatch, tool):
    out = '/numbers.json' if tool == 'test' else ''
    monkeypatch.setenv('TOOL', tool)
    ended = launch('dist_test.sh', folder / 'toy.pth', '2', '--out', f'two{out}')
    assert_ended_well(ended)
    args = [str(folder / 'toy.py'), str(folder / 'toy.pth'), '--out', f'{tmp_path}/one{out}']
    assert run_tool(tool, *args, '--cfg-options', f'work_dir={tmp_path / "work"}') == 0
    for name in FILES[tool]:
        one, two = (json.loads((tmp_path / run / name).read_text()) for run in ('one', 'two'))
        assert one == two
