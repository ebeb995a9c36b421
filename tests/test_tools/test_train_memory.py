"""tools/analysis/train_memory.py and the training step that it shares with the GPU suite."""

import json
import sys
from unittest import mock

import pytest
import torch
from helpers import REPOSITORY
from mmengine.config import Config

from mmvseg.engine.config import load_config
from mmvseg.errors import UserError

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import measure
import train_memory as tool
import training

SHAPES = REPOSITORY / 'configs/shapes'


@pytest.mark.parametrize(
    ('config', 'frames'),
    [
        ('tevit/tevit_msgshift', 5),
        ('minvis/minvis_r50_ovis', 1),
        ('dvis/dvis_online_r50_ytvis19', 5),
        ('dvis/dvis_offline_r50_ytvis21', 21),
        ('shapes/dvis_offline_shapes', 10),
        ('videomt/videomt_vit-s_ytvis19', 5),
        ('pmt/pmt_vit-l_vipseg_segmenter', 1),
    ],
)
def test_clips_are_as_long_as_the_config_says(config, frames):
    assert training.clip_length(load_config(REPOSITORY / f'configs/{config}.py')) == frames


def test_a_config_without_clips_is_named():
    with pytest.raises(UserError, match=r'clip\.num_frames'):
        training.clip_length(Config(dict(train_dataloader=dict(dataset=dict(type='Coco')))))


@pytest.mark.parametrize('name', ['minvis', 'dvis_online', 'dvis_offline', 'videomt'])
def test_a_step_trains_what_is_not_frozen(name):
    model = measure.build_model(load_config(SHAPES / f'{name}_shapes.py'))
    model.criterion.num_points = model.criterion.matcher.num_points = 16
    before = {key: value.clone() for key, value in model.state_dict().items()}
    batch = training.make_batch(num_clips=2, num_frames=2, size=(32, 64), num_objects=3)
    training.training_step(model, batch, 'cpu')()
    moved = {
        key.split('.')[0]
        for key, value in model.state_dict().items()
        if (value != before[key]).any()
    }
    expected = dict(
        minvis={'backbone', 'panoptic_head'},
        dvis_online={'tracker'},
        dvis_offline={'refiner'},
        videomt={'backbone', 'panoptic_head', 'query_updater'},
    )
    assert moved == expected[name]


def test_precisions():
    with training.autocast('cpu', 'bf16'):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with training.autocast('cpu', 'fp32'):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_table_and_file(tmp_path, capsys, monkeypatch):
    # Starting a process for each row is tested with the benchmark, and takes seconds.
    monkeypatch.setattr(tool, 'in_fresh_process', lambda function, *args: function(*args))
    out = tmp_path / 'figures' / 'memory.json'
    args = '--size 32x64 --frames 2 --clips 1 2 --objects 2 --device cpu --threads 1'
    config = str(SHAPES / 'dvis_online_shapes.py')
    monkeypatch.setattr('sys.argv', ['train_memory.py', config, *args.split(), '--out', str(out)])
    with mock.patch.dict('os.environ'), pytest.raises(SystemExit) as stop:
        tool.main()
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert '2 objects' in text
    assert '| dvis_online_shapes | 2     | 2' in text
    one, two = json.loads(out.read_text())['runs']
    assert (one['clips'], two['clips']) == (1, 2)
    for row in (one, two):
        assert row['peak_gb'] == pytest.approx(row['model_gb'] + row['above_model_gb'])
        assert 0 < row['trainable_m'] < 1
