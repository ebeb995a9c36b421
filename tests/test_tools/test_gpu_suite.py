"""tools/analysis/gpu_suite.py, small and on the CPU, so that it cannot rot."""

import json
import sys
from types import SimpleNamespace
from unittest import mock

import pytest
from helpers import REPOSITORY

from mmvseg.errors import UserError

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import gpu_suite
import gpu_suite_jobs
import measure

PRECISIONS = ['fp32', 'fp16', 'bf16']
STAGES = ('minvis', 'dvis_online', 'dvis_offline')
MODEL = 'tevit_msgshift_shapes'
CONFIG = REPOSITORY / f'configs/shapes/{MODEL}.py'


def run(out, *args):
    argv = ['gpu_suite.py', '--device', 'cpu', '--out', str(out), *args]
    with mock.patch('sys.argv', argv), pytest.raises(SystemExit) as stop:
        gpu_suite.main()
    return stop.value.code


def setting(tmp_path):
    return gpu_suite_jobs.Setting('cpu', (96, 128), (96, 128), 2, tmp_path / 'records.jsonl')


def records(tmp_path):
    return [json.loads(line) for line in (tmp_path / 'records.jsonl').read_text().splitlines()]


def check_speed(speed):
    per_frame = speed['model_ms_per_frame'] + speed['post_ms_per_frame']
    assert per_frame == pytest.approx(1000 / speed['frames_per_s'])
    assert speed['post_ms_per_frame'] > 0


def test_measures_a_small_model(tmp_path, capsys):
    assert run(tmp_path, '--frames', '2', '--only', 'speed', 'decode', '--models', MODEL) == 0
    result = json.loads((tmp_path / 'suite.json').read_text())
    assert result['left_out'] == []
    by_name = {(r['section'], r.get('model'), r.get('precision')): r for r in result['records']}
    measured = {('speed', MODEL, precision) for precision in PRECISIONS}
    assert set(by_name) == {('decode', None, None), *measured}
    check_speed(by_name['speed', MODEL, 'fp32'])
    assert by_name['decode', None, None]['frames_per_s'] > 0
    text = (tmp_path / 'suite.md').read_text()
    assert text in capsys.readouterr().out
    assert '| tevit_msgshift_shapes | bf16' in text


def test_measures_a_model_without_boxes(tmp_path):
    small = gpu_suite_jobs.Setting('cpu', (32, 64), (32, 64), 2, tmp_path / 'records.jsonl')
    gpu_suite_jobs.measure_inference(small, CONFIG.with_name('dvis_online_shapes.py'), 'speed')
    assert [record['precision'] for record in records(tmp_path)] == PRECISIONS
    check_speed(records(tmp_path)[0])


def test_says_what_the_minutes_left_out(tmp_path):
    assert run(tmp_path, '--minutes', '0', '--only', 'train', 'compile', 'graphs') == 0
    result = json.loads((tmp_path / 'suite.json').read_text())
    left_out = [entry.split(':')[0] for entry in result['left_out']]
    models = ['dvis_offline', 'dvis_online', 'minvis', 'tevit_msgshift', 'videomt']
    expected = [f'{section} {model}_shapes' for section in ('compile', 'train') for model in models]
    expected.insert(len(models), 'graphs videomt_shapes')  # of the others none are known
    assert left_out == expected
    assert 'Left out' in (tmp_path / 'suite.md').read_text()


@pytest.mark.parametrize('section', ['compile', 'graphs'])
def test_measures_compiled_models(tmp_path, monkeypatch, section):
    seen = []
    monkeypatch.setattr(
        gpu_suite_jobs.model_parts,
        'compile_model',
        lambda model, graphs: seen.append((type(model).__name__, graphs)),  # takes minutes
    )
    small = gpu_suite_jobs.Setting('cpu', (32, 64), (32, 64), 2, tmp_path / 'records.jsonl')
    for name in ('videomt_shapes', 'minvis_shapes'):
        gpu_suite_jobs.measure_inference(small, CONFIG.with_name(f'{name}.py'), section)
    assert seen == [('VidEoMT', True)] if section == 'graphs' else [('VidEoMT', 0), ('MinVIS', 0)]
    assert {(r['section'], r['frames_per_s'] > 0) for r in records(tmp_path)} == {(section, True)}
    result = dict(environment=measure.environment('cpu'), protocol='', left_out=[])
    result |= dict(size=(32, 64), ori_size=(32, 64), frames=2, records=records(tmp_path))
    shown = dict(compile='yes', graphs='CUDA graphs')[section]
    assert f'| videomt_shapes | fp32      | {shown} ' in gpu_suite.report(result)


def test_measures_training(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_suite_jobs, 'TRAIN_CLIPS', (1,))
    small = gpu_suite_jobs.Setting('cpu', (32, 64), (32, 64), 2, tmp_path / 'records.jsonl')
    gpu_suite_jobs.measure_training(small, CONFIG.with_name('dvis_online_shapes.py'))
    fp32, bf16 = records(tmp_path)
    assert (fp32['precision'], bf16['precision']) == ('fp32', 'bf16')
    assert (fp32['clips'], fp32['frames']) == (1, 5)
    assert fp32['step_s'] > 0
    assert 0.1 < fp32['peak_memory_gb'] < 8
    result = dict(environment=measure.environment('cpu'), protocol='', left_out=[])
    result |= dict(size=(32, 64), ori_size=(32, 64), frames=2, records=[fp32, bf16])
    assert '| dvis_online_shapes | fp32      | 1     | 5 ' in gpu_suite.report(result)


def test_a_failed_measurement_is_reported_and_the_others_go_on(tmp_path, monkeypatch):
    def infer(setting, model, window, precision):
        if precision == 'fp16':
            raise RuntimeError('BackendCompilerFailed: no | kernel\nstack')
        return dict(frames_per_s=1.0)

    monkeypatch.setattr(gpu_suite_jobs, '_infer', infer)
    monkeypatch.setattr(gpu_suite_jobs, '_build', lambda *args: SimpleNamespace())
    gpu_suite_jobs.measure_inference(setting(tmp_path), CONFIG, 'speed')
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
    assert [name for name in names if 'tevit' in name] == [
        'tevit_msgshift',
        'tevit_r50',
        'tevit_swin-l_mstrain',
    ]
    stages = [f'{stage}_{net}_ovis' for net in ('r50', 'swin-l') for stage in STAGES]
    assert set(stages) <= set(names)
    assert len([name for name in names if 'dvis' in name]) == 4
    assert {'videomt_vit-s_ytvis19', 'pmt_vit-l-dinov3_ovis'} <= set(names)
    assert not any(word in name for word in ('queryinst', 'coco') for name in names)
    words = ['r50', 'msgshift']
    chosen = [path.stem for path in gpu_suite.configs(small=False, words=words)]
    assert chosen == [name for name in names if any(word in name for word in words)]
    assert 'tevit_msgshift_shapes' in [path.stem for path in gpu_suite.configs(small=True)]
    with pytest.raises(UserError, match='resnet'):
        gpu_suite.configs(small=True, words=['resnet'])
