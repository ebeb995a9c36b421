"""tools/analysis/gpu_suite.py, small and on the CPU, so that it cannot rot."""

import json
import sys
from types import SimpleNamespace
from unittest import mock

import pytest
from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import gpu_suite
import gpu_suite_jobs

CONFIG = REPOSITORY / 'configs/shapes/tevit_msgshift_shapes.py'


def run(out, *args):
    argv = ['gpu_suite.py', '--device', 'cpu', '--out', str(out), *args]
    with mock.patch('sys.argv', argv), pytest.raises(SystemExit) as stop:
        gpu_suite.main()
    return stop.value.code


def setting(tmp_path):
    return gpu_suite_jobs.Setting('cpu', (96, 128), (96, 128), 2, tmp_path / 'records.jsonl')


def records(tmp_path):
    return [json.loads(line) for line in (tmp_path / 'records.jsonl').read_text().splitlines()]


def test_measures_small_models(tmp_path, capsys):
    assert run(tmp_path, '--frames', '2', '--only', 'speed', 'decode') == 0
    result = json.loads((tmp_path / 'suite.json').read_text())
    assert result['left_out'] == []
    by_name = {(r['section'], r.get('precision')): r for r in result['records']}
    precisions = ('fp32', 'fp16', 'bf16')
    assert set(by_name) == {('decode', None), *(('speed', name) for name in precisions)}
    speed = by_name['speed', 'fp32']
    per_frame = speed['model_ms_per_frame'] + speed['post_ms_per_frame']
    assert per_frame == pytest.approx(1000 / speed['frames_per_s'])
    assert speed['post_ms_per_frame'] > 0
    assert by_name['decode', None]['frames_per_s'] > 0
    text = (tmp_path / 'suite.md').read_text()
    assert text in capsys.readouterr().out
    assert '| tevit_msgshift_shapes | bf16' in text


def test_says_what_the_minutes_left_out(tmp_path):
    assert run(tmp_path, '--minutes', '0', '--only', 'train', 'compile') == 0
    result = json.loads((tmp_path / 'suite.json').read_text())
    assert [entry.split(':')[0] for entry in result['left_out']] == [
        'train tevit_msgshift_shapes',
        'compile tevit_msgshift_shapes',
    ]
    assert 'Left out' in (tmp_path / 'suite.md').read_text()


def test_measures_training(tmp_path):
    gpu_suite_jobs.measure_training(setting(tmp_path), CONFIG)
    fp32, bf16 = records(tmp_path)
    assert (fp32['precision'], bf16['precision']) == ('fp32', 'bf16')
    assert fp32['step_s'] > 0
    assert 0.1 < fp32['peak_memory_gb'] < 8


def test_a_failed_measurement_is_reported_and_the_others_go_on(tmp_path, monkeypatch):
    def infer(setting, model, window, precision):
        if precision == 'fp16':
            raise RuntimeError('BackendCompilerFailed: no | kernel\nstack')
        return dict(frames_per_s=1.0)

    monkeypatch.setattr(gpu_suite_jobs, '_infer', infer)
    monkeypatch.setattr(gpu_suite_jobs, '_build', lambda *args: SimpleNamespace())
    gpu_suite_jobs.measure_inference(setting(tmp_path), CONFIG, compiled=False)
    fp32, fp16, bf16 = records(tmp_path)
    assert fp16['error'] == 'RuntimeError: BackendCompilerFailed: no | kernel'
    assert fp32['frames_per_s'] == bf16['frames_per_s'] == 1.0


def test_failing_gpu_tests_are_recorded(tmp_path, monkeypatch):
    output = 'F\nFAILED tests/test_gpu/test_x.py::test_y - assert 1 == 2\n1 failed in 2 s\n'
    done = SimpleNamespace(returncode=1, stdout=output, stderr='')
    monkeypatch.setattr(gpu_suite.subprocess, 'run', lambda *args, **kwargs: done)
    assert gpu_suite.run_tests(setting(tmp_path), 10) is None
    (record,) = records(tmp_path)
    assert (record['status'], record['summary']) == (1, '1 failed in 2 s')
    assert record['failed'] == ['FAILED tests/test_gpu/test_x.py::test_y - assert 1 == 2']


def test_takes_one_config_a_model():
    names = [path.stem for path in gpu_suite.configs(small=False)]
    assert names[:3] == ['tevit_msgshift', 'tevit_r50', 'tevit_swin-l_mstrain']
    assert not any('queryinst' in name for name in names)
    assert 'tevit_msgshift_shapes' in [path.stem for path in gpu_suite.configs(small=True)]
