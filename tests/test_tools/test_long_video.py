"""tools/analysis/long_video.py: frames made window by window, memory of each length."""

import argparse
import json
import sys
from unittest import mock

import numpy as np
import pytest
import torch
from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import long_video as tool

from mmvseg.media.images import write_image

SHAPES = REPOSITORY / 'configs/shapes'


def run(*args):
    # in this process, since the tool itself starts one for each length
    with (
        mock.patch('sys.argv', ['long_video.py', *map(str, args)]),
        mock.patch.dict('os.environ'),
        pytest.raises(SystemExit) as stop,
    ):
        tool.main()
    return stop.value.code


def arguments(**given):
    defaults = dict(
        config=SHAPES / 'dvis_online_shapes.py',
        cfg_options={'model.test_cfg.mask_memory_mb': 0.05},
        size=(32, 64),
        ori_size=(64, 128),
        window=3,
        live=False,
        device='cpu',
        threads=None,
        checkpoint=None,
        video=None,
    )
    return argparse.Namespace(**defaults | given)


def test_frames_are_made_when_they_are_needed():
    windows = tool.make_windows(10**9, arguments())
    first, second = next(windows), next(windows)
    assert first.frames.shape == (3, 3, 32, 64)
    assert second.sample.frame_ids == [3, 4, 5]
    assert (first.is_first, first.is_last, second.is_first) == (True, False, False)
    assert second.frames[0].equal(first.frames[1].roll(4, 2))  # the picture moves
    *_, last = tool.make_windows(7, arguments())
    assert (last.sample.frame_ids, last.is_last, len(last.frames)) == ([6], True, 1)


def test_frames_of_a_video_are_shown_to_and_fro(tmp_path):
    for index in range(3):
        write_image(tmp_path / f'{index}.png', np.full((32, 64, 3), 50 * index, np.uint8))
    *windows, last = tool.make_windows(8, arguments(video=str(tmp_path)))
    shown = [int(frame[0, 0, 0]) for window in (*windows, last) for frame in window.frames]
    assert shown == [0, 50, 100, 50, 0, 50, 100, 50]


def test_weights_of_a_checkpoint_are_used(tmp_path):
    config = SHAPES / 'minvis_shapes.py'
    sizes = {
        checkpoint: tool.measure_length(arguments(config=config, checkpoint=checkpoint), 2)
        for checkpoint in (None, 'example://minvis_shapes')
    }
    assert sizes[None]['result_gb'] != sizes['example://minvis_shapes']['result_gb']


def test_figures_of_a_length():
    figures = tool.measure_length(arguments(), 7)
    assert figures['frames'] == 7
    assert figures['frames_per_s'] == pytest.approx(7 / figures['wall_s'])
    # how far a tiny model stays within what its process freed before is not the tool's to say
    assert 0 < figures['model_gb'] <= figures['peak_memory_gb']
    above = figures['peak_memory_gb'] - figures['model_gb']
    assert figures['peak_above_model_gb'] == pytest.approx(above)
    assert figures['result_gb'] > 0
    assert tool.measure_length(arguments(live=True), 4)['result_gb'] == 0
    assert torch.is_grad_enabled()


@pytest.mark.parametrize('config', ['minvis_shapes_vps', 'dvis_offline_shapes_vss'])
def test_maps(config):
    options = {'model.test_cfg.object_mask_threshold': 0.0}
    figures = tool.measure_length(arguments(config=SHAPES / f'{config}.py', cfg_options=options), 3)
    assert figures['result_gb'] > 0


def test_table_and_file(tmp_path, capsys, monkeypatch):
    # Starting a process for each length is tested with the benchmark, and takes seconds.
    monkeypatch.setattr(tool, 'in_fresh_process', lambda function, *args: function(*args))
    out = tmp_path / 'figures' / 'long.json'
    config = SHAPES / 'dvis_offline_shapes.py'
    args = '--frames 2 5 --size 32x64 --ori-size 64x128 --window 2 --device cpu --threads 1'
    assert run(config, *args.split(), '--out', out) == 0
    text = capsys.readouterr().out
    assert '| frames | frames/s | peak GB | above the model GB |' in text
    assert 'windows of 2 frames' in text
    result = json.loads(out.read_text())
    assert [figures['frames'] for figures in result['runs']] == [2, 5]
    assert result['environment']['threads'] == 1


def test_user_errors(capsys, monkeypatch):
    monkeypatch.setattr(tool, 'in_fresh_process', lambda function, *args: function(*args))
    args = ['--frames', '2', '--size', '32x64', '--device', 'cpu']
    assert run(SHAPES / 'dvis_offline_shapes.py', '--live', *args) == 1
    assert 'needs the whole video' in capsys.readouterr().err
    assert run(SHAPES / 'dvis_online_shapes.py', '--window', '0') == 2
    assert 'at least 1' in capsys.readouterr().err
