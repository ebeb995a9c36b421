"""tools/analysis/benchmark.py --against: rounds in turn, ratios, and the peers that come along."""

import json
import sys
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest
import torch
from helpers import REPOSITORY

from mmvseg.compat import SPIN_COUNT
from mmvseg.errors import UserError

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis' / 'peers'))
import against
import benchmark
import mask2former_vis
import measure
import mmvseg_version
from peer import Answer, Task

CONFIG = REPOSITORY / 'configs/shapes/minvis_shapes.py'
#: Says what it was told, with times that are easy to reckon with.
PEER = """
import json, os
import numpy as np
frames = np.load(os.environ['BENCHMARK_FRAMES'])
ours = 'BENCHMARK', 'OMP', 'GOMP'
told = {key: value for key, value in os.environ.items() if key.startswith(ours)}
environment = dict(threads=1, told=told, shape=frames.shape, dtype=str(frames.dtype))
print('loading ...')
print(json.dumps(dict(name='other', wall_s=4.0, cpu_s=2.0, peak_memory_gb=0.5, precision='float32',
                      environment=environment, new_field=1)))
"""


def answer(wall_s, **fields):
    environment = dict(threads=1, cpu='EPYC', versions=dict(torch='2.13.0'))
    given = dict(name='m', cpu_s=1.0, peak_memory_gb=2.0, precision='float32')
    return Answer(wall_s=wall_s, **(given | dict(environment=environment) | fields))


def rounds(ours, *peers):
    return against.Rounds(10, 0.25, ours, list(peers))


def row(text, label):
    (line,) = [line for line in text.splitlines() if line.startswith(f'| {label}')]
    return [cell.strip() for cell in line.strip('|').split('|')][1:]


@pytest.fixture
def task(tmp_path):
    np.save(tmp_path / 'frames.npy', np.zeros((3, 64, 96, 3), np.uint8))
    return Task(str(tmp_path / 'frames.npy'), (64, 96), 1, 'cpu')


@pytest.fixture
def peer(tmp_path):
    (tmp_path / 'peer.py').write_text(PEER)
    return f'python {tmp_path / "peer.py"}'


def test_ratios_are_those_of_each_round():
    ours = [answer(wall) for wall in (1.0, 2.0, 6.0)]
    peers = [answer(wall) for wall in (2.0, 8.0, 4.0)]
    text = against.report(rounds(ours, peers))
    assert row(text, 'wall s') == ['2.00 (1.00 - 6.00)', '4.00 (2.00 - 8.00)', '0.50 (0.25 - 1.50)']
    assert '10 frames, 3 rounds in turn, load 0.25 before' in text
    assert 'NOT' not in text


def test_run_length_coding_counts_where_both_do_it():
    ours = [answer(3.0, coded=True, coding_wall_s=1.0, coding_cpu_s=0.5)]
    plain = against.report(rounds(ours, [answer(4.0)]))
    assert row(plain, 'wall s')[0].startswith('2.00')
    assert row(plain, 'CPU s')[0].startswith('0.50')
    assert 'both without run-length coding' in plain
    coded = against.report(rounds(ours, [answer(4.0, coded=True)]))
    assert row(coded, 'wall s')[0].startswith('3.00')
    unknown = against.report(rounds([answer(3.0, coded=True)], [answer(4.0)]))
    assert 'ours with run-length coding' in unknown


def test_says_what_makes_a_ratio_mean_less():
    other = dict(threads=2, cpu='Xeon', versions=dict(torch='2.4.0'))
    peers = [answer(1.0, precision='bfloat16', environment=other, other_cores=0.5)]
    text = against.report(rounds([answer(1.0)], peers))
    for line in ('precision float32, peer bfloat16', 'threads 1, peer 2', 'torch 2.13.0, peer 2.4'):
        assert f'NOT ALIKE: {line}' in text
    assert 'NOT ALIKE: processor EPYC, peer Xeon' in text
    assert 'NOT CLEAN: other processes kept up to 0.5 cores busy' in text


def test_runs_take_turns(task, monkeypatch):
    order = []
    monkeypatch.setattr(against, 'ask', lambda command, task: order.append(command))
    against.take_turns(lambda: order.append('ours'), ['first', 'second'], task, 2, 3)
    assert order == ['ours', 'first', 'second'] * 2


def test_a_peer_is_told_its_task(task, peer, monkeypatch):
    monkeypatch.setenv('GOMP_SPINCOUNT', SPIN_COUNT)
    found = against.ask(peer, task)
    assert (found.name, found.wall_s, found.coded) == ('other', 4.0, False)
    assert found.environment['shape'] == [3, 64, 96, 3]
    told = found.environment['told']
    assert told.items() >= task.variables().items()
    assert 'GOMP_SPINCOUNT' not in told  # mmvseg's own choice is not the peer's
    monkeypatch.setattr('os.environ', told)
    assert Task.given() == task


@pytest.mark.parametrize(
    ('command', 'message'),
    [
        ('echo out of luck >&2; exit 3', r'(?s)status 3.*out of luck'),
        ('echo done', 'no answer'),
        ('true', 'no answer'),
        ('echo {}', 'missing'),
    ],
)
def test_a_peer_without_an_answer(task, command, message):
    with pytest.raises(UserError, match=message):
        against.ask(command, task)


def test_benchmark_against_a_command(tmp_path, peer, capsys):
    for index in range(3):
        cv2.imwrite(str(tmp_path / f'{index}.png'), np.full((30, 50, 3), 90 * index, np.uint8))
    args = '--frames 3 --size 32x64 --ori-size 32x64 --device cpu --threads 1'
    argv = ['benchmark.py', str(CONFIG), *args.split(), '--against', peer, '--video', str(tmp_path)]
    out = tmp_path / 'out.json'
    with (
        mock.patch('sys.argv', [*argv, '--out', str(out), '--repeats', '1']),
        mock.patch.dict('os.environ'),
        mock.patch.object(benchmark, 'in_fresh_process', lambda function, *args: function(*args)),
        pytest.raises(SystemExit) as stop,
    ):
        benchmark.main()
    assert stop.value.code == 0
    text = capsys.readouterr().out
    (run,) = json.loads(out.read_text())['runs']
    ours, (theirs,) = run['ours'][0], run['peers'][0]
    assert theirs['environment']['shape'] == [3, 32, 64, 3]
    assert (ours['name'], ours['precision']) == ('minvis_shapes', 'float32')
    assert ours['coded']
    assert 0 < ours['coding_wall_s'] < ours['wall_s']
    assert ours['environment']['threads'] == 1
    ratio = (ours['wall_s'] - ours['coding_wall_s']) / 4
    assert row(text, 'wall s')[2].startswith(f'{ratio:.2f} ')
    with mock.patch('sys.argv', argv):
        assert benchmark.parse_args().repeats == 5
    with mock.patch('sys.argv', argv[:2]):
        assert benchmark.parse_args().repeats == 3


def test_frames_of_a_video(tmp_path):
    image = np.zeros((8, 16, 3), np.uint8)
    image[:, :, 0] = 200  # blue, for OpenCV
    for index in range(2):
        cv2.imwrite(str(tmp_path / f'{index}.png'), image)
    frames = measure.read_frames(str(tmp_path), 2, (4, 8))
    assert frames.shape == (2, 3, 4, 8)
    assert frames[0, :, 0, 0].tolist() == [0, 0, 200]
    with pytest.raises(UserError, match='has 2 frames, not 3'):
        measure.read_frames(str(tmp_path), 3, (4, 8))


def test_another_version_of_mmvseg(task, monkeypatch, capsys):
    argv = ['mmvseg_version.py', 'configs/shapes/minvis_shapes.py', '--checkout', str(REPOSITORY)]
    monkeypatch.setattr('sys.argv', [*argv, '--precision', 'bf16'])
    monkeypatch.setattr('sys.path', sys.path[:])
    with mock.patch.dict('os.environ', task.variables()):
        mmvseg_version.main()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found['name'] == f'minvis_shapes in {REPOSITORY.name}'
    assert found['precision'] == 'bfloat16'
    assert found['wall_s'] > found['coding_wall_s'] > 0
    monkeypatch.setattr('sys.argv', [*argv[:3], str(Path(task.frames).parent)])
    with pytest.raises(SystemExit, match='mmvseg comes from'):
        mmvseg_version.main()


def test_mask2former_of_mmdet(task, monkeypatch, capsys):
    """A model of its config, but with one layer of each kind."""
    build = mask2former_vis.build
    monkeypatch.setattr(mask2former_vis, 'build', lambda: shallow(build))
    with mock.patch.dict('os.environ', task.variables()):
        mask2former_vis.main()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert not found['coded']
    assert found['wall_s'] > 0
    assert found['environment']['versions']['mmdet'].startswith('3.3')


def shallow(build):
    from mmengine.config import Config

    read = Config.fromfile

    def fromfile(path):
        cfg = read(path)
        assert (cfg.model.track_head.num_queries, cfg.model.track_head.num_classes) == (100, 40)
        cfg.model.backbone.depth = 18
        cfg.model.track_head.in_channels = [64, 128, 256, 512]
        cfg.model.track_head.pixel_decoder.encoder.num_layers = 1
        cfg.model.track_head.transformer_decoder.num_layers = 3
        return cfg

    with mock.patch.object(Config, 'fromfile', fromfile):
        model = build()
    boxes = []
    inner = model.track_head.predict

    def predict(*args):
        boxes.extend(inner(*args))
        assert [b.masks.shape for b in boxes] == [(10, 64, 96)] * len(boxes)
        return boxes[-len(args[1]) :]

    model.track_head.predict = predict
    return model


def test_frames_as_mmdet_takes_them():
    frames = np.zeros((2, 4, 8, 3), np.uint8)
    frames[..., 0] = 200  # red
    batch = mask2former_vis.batch_of(frames, (8, 16))
    assert batch['inputs'][0].shape == (2, 3, 4, 8)
    assert batch['inputs'][0][0, :, 0, 0].tolist() == [0, 0, 200]
    assert batch['inputs'][0].dtype == torch.uint8
    assert batch['data_samples'][0][1].ori_shape == (8, 16)
