"""No tool runs code that hides in a checkpoint."""

import cv2
import numpy as np
import pytest
import torch
import toy
from mmengine.model import BaseModule
from tool import run_tool
from unpickled import malicious_files

from mmvseg.checkpoints.loaders import register_safe_loading
from mmvseg.errors import UserError


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp('unsafe')
    toy.write_videos(folder / 'data')
    cv2.imwrite(str(folder / 'frame.png'), np.zeros((48, 64, 3), np.uint8))
    return toy.write_config(folder, "val_evaluator = dict(type='MeanScore')\n")


@pytest.mark.parametrize(
    ('tool', 'args'),
    [
        ('train', ('--no-validate', '--work-dir', '{work}', '--cfg-options', 'load_from={file}')),
        ('train', ('--no-validate', '--work-dir', '{work}', '--resume', '{file}')),
        ('test', ('{file}', '--work-dir', '{work}')),
        ('test_vis', ('{file}', '--out', '{work}')),
    ],
)
@pytest.mark.parametrize('kind', range(3))
def test_running_a_config(config, tmp_path, capsys, tool, args, kind):
    witness = tmp_path / 'witness'
    file = malicious_files(tmp_path, witness)[kind]
    args = [arg.format(file=file, work=tmp_path / 'work') for arg in args]
    assert run_tool(tool, str(config), *args) == 1
    shown = capsys.readouterr().err
    assert file.name in shown
    assert 'mkdir' in shown
    assert not witness.exists()


@pytest.mark.parametrize('kind', range(3))
def test_demo(config, tmp_path, capsys, kind):
    witness = tmp_path / 'witness'
    file = malicious_files(tmp_path, witness)[kind]
    frame = config.parent / 'frame.png'
    assert run_tool('demo_video', str(frame), str(config), str(file)) == 1
    assert 'mkdir' in capsys.readouterr().err
    assert not witness.exists()


@pytest.mark.parametrize('kind', range(3))
@pytest.mark.parametrize('tool', ['convert', 'publish_model'])
def test_converters(tmp_path, capsys, tool, kind):
    witness = tmp_path / 'witness'
    file = malicious_files(tmp_path, witness)[kind]
    assert run_tool(f'model_converters/{tool}', str(file), str(tmp_path / 'out.pth')) == 1
    assert 'mkdir' in capsys.readouterr().err
    assert not witness.exists()


@pytest.mark.parametrize('key', ['classes', 'category_ids'])
@pytest.mark.parametrize('tool', ['demo_video', 'test_vis'])
def test_notes_of_classes_that_are_none(config, tmp_path, capsys, tool, key):
    notes = dict(classes=('a', 'b'), category_ids=(1, 2))
    notes[key] = 5
    file = tmp_path / 'noted.pth'
    torch.save(dict(state_dict=dict(w=torch.ones(1)), meta=dict(dataset_meta=notes)), file)
    first = [str(config.parent / 'frame.png')] if tool == 'demo_video' else []
    assert run_tool(tool, *first, str(config), str(file), '--out', str(tmp_path / 'o.png')) == 1
    assert f'noted.pth: meta.dataset_meta.{key} is no list of' in capsys.readouterr().err


@pytest.mark.parametrize('kind', range(3))
def test_weights_that_a_config_names(tmp_path, kind):
    """``init_cfg=dict(type='Pretrained', …)``, which mmengine loads."""
    witness = tmp_path / 'witness'
    file = malicious_files(tmp_path, witness)[kind]
    register_safe_loading()
    layer = BaseModule(init_cfg=dict(type='Pretrained', checkpoint=str(file)))
    with pytest.raises(UserError, match='mkdir'):
        layer.init_weights()
    assert not witness.exists()
