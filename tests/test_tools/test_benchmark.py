"""tools/analysis/benchmark.py: figures of a small model, per part, with every flag."""

import json
import os
import sys
from unittest import mock

import pytest
from helpers import REPOSITORY

from mmvseg.errors import UserError

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import benchmark as tool

CONFIG = REPOSITORY / 'configs/shapes/tevit_msgshift_shapes.py'


def run(*args):
    # in this process, since the tool itself starts one for each length
    with (
        mock.patch('sys.argv', ['benchmark.py', *map(str, args)]),
        mock.patch.dict('os.environ'),
        pytest.raises(SystemExit) as stop,
    ):
        tool.main()
    return stop.value.code


@pytest.fixture(scope='module')
def benchmark(tmp_path_factory):
    out = tmp_path_factory.mktemp('benchmark') / 'figures' / 'out.json'
    args = '--frames 2 4 --size 60x90 --ori-size 120x180 --device cpu --threads 1 --repeats 2'
    with mock.patch('builtins.print') as printed:
        assert run(CONFIG, *args.split(), '--out', out) == 0
    text = '\n'.join(str(call.args[0]) for call in printed.call_args_list)
    return text, json.loads(out.read_text())


def test_states_the_setting(benchmark):
    text, result = benchmark
    assert result['environment']['threads'] == 1
    assert result['environment']['versions']['torch'] in text
    assert result['environment']['date'] in text
    assert (result['size'], result['ori_size']) == ([60, 90], [120, 180])
    assert 'fc_reg times 0.05' in result['protocol']
    assert 'median of 2' in text


def test_reports_each_length(benchmark):
    text, result = benchmark
    assert [run['frames'] for run in result['runs']] == [2, 4]
    for run in result['runs']:
        assert run['frames_per_s'] == pytest.approx(run['frames'] / run['wall_s'])
        assert run['wall_range_s'][0] <= run['wall_s'] <= run['wall_range_s'][1]
        assert 0 < run['wall_without_rle_s'] < run['wall_s']
        assert f'{run["frames_per_s"]:.3g} frames/s' in text
        # a fresh process: interpreter, libraries and less than the other test processes hold
        assert 0.1 < run['memory_before_gb'] <= run['peak_memory_gb'] < 2


def test_parts_add_up(benchmark):
    text, result = benchmark
    for run in result['runs']:
        seconds = {tuple(part['part']): part['wall_s'] for part in run['parts']}
        outer = {path[0] for path in seconds if len(path) == 1}
        assert outer == {'backbone', 'FPN', 'box stages', 'mask branch', 'post-processing'}
        assert 0 < seconds['box stages', 'RoIAlign'] < seconds['box stages',]
        inner = [seconds['post-processing', name] for name in ('paste', 'run-length coding')]
        assert 0 < sum(inner) < seconds['post-processing',]
        coding = run['wall_s'] - run['wall_without_rle_s']
        assert coding == pytest.approx(inner[1])
        whole = sum(seconds[name,] for name in outer)
        assert 0.5 * run['wall_s'] < whole <= 1.2 * run['wall_s']
    assert '- of which RoIAlign' in text
    assert 'GB above the built model' in text


def test_user_errors(capsys):
    assert run(CONFIG.with_name('tevit_msgshift_shape.py')) == 1
    assert 'did you mean' in capsys.readouterr().err
    assert run(CONFIG, '--size', '360') == 2
    assert 'HxW' in capsys.readouterr().err
    assert run(CONFIG, '--frames', '0') == 2
    assert 'at least 1' in capsys.readouterr().err


def test_a_killed_measurement_is_explained():
    with pytest.raises(UserError, match='killed'):
        tool.in_fresh_process(os._exit, 9)


def test_clean_runs_only():
    run = dict(frames=2, frames_per_s=1.0, wall_s=2.0, wall_range_s=[2, 2], cpu_s=2.0, parts=[])
    run |= dict(peak_memory_gb=1.0, memory_before_gb=0.5, parameters=1, other_cores=0.05)
    assert 'NOT CLEAN' not in tool.report(run)
    assert 'NOT CLEAN' in tool.report(run | dict(other_cores=0.3))
