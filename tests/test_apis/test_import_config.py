"""The config beside an import: inherits from what ships, and names what was written."""

import re

import pytest

from mmvseg.apis.import_config import import_config
from mmvseg.engine.config import load_config
from mmvseg.errors import UserError
from mmvseg.shipped import shipped_folder


def written(folder, model):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / 'config.py'
    path.write_text(import_config(folder, 'cvat', model), encoding='utf-8')
    return path


def test_config_trains_on_the_data(tmp_path):
    path = written(tmp_path / 'my data', 'videomt_vit-s_ytvis19')
    assert len(path.read_text().splitlines()) <= 15
    cfg = load_config(path)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.data_root == f'{tmp_path}/my data/'
        assert loader.dataset.ann_file == 'annotations.json'
        assert loader.dataset.data_prefix.img == 'frames'
    assert cfg.load_from == 'videomt_vit-s_ytvis19'
    assert cfg.work_dir == 'work_dirs/my data'


def test_a_model_without_published_weights_keeps_its_start(tmp_path):
    cfg = load_config(written(tmp_path, 'minvis_shapes_quickstart'))
    assert cfg.load_from == 'example://minvis_shapes'


def test_a_folder_of_the_clone_can_move_with_it():
    root = shipped_folder()
    text = import_config(root / 'data' / 'mine', 'cvat', 'minvis_r50_ytvis19')
    assert "_base_ = '../../configs/minvis/minvis_r50_ytvis19.py'" in text


def test_the_config_says_that_its_parts_are_the_same(tmp_path):
    text = written(tmp_path, 'minvis_shapes_quickstart').read_text()
    assert '# Both parts are the same videos here, so AP says nothing about new ones.' in text


def test_held_back_videos_are_validated_on(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(import_config(tmp_path, 'cvat', 'minvis_r50_ytvis19', is_split=True))
    assert 'data split' not in path.read_text()
    cfg = load_config(path)
    assert cfg.train_dataloader.dataset.ann_file == 'train.json'
    assert cfg.val_dataloader.dataset.ann_file == cfg.test_dataloader.dataset.ann_file == 'val.json'


def test_unknown_model(tmp_path):
    with pytest.raises(UserError, match=re.escape('--model minvis: there is no such config')):
        import_config(tmp_path, 'cvat', 'minvis')
