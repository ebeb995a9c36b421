"""The configs of docs/data.md that train and measure on parts of a training set."""

import re

import pytest
from helpers import REPOSITORY

from mmvseg.engine.config import load_config

SECTION = (REPOSITORY / 'docs/data.md').read_text().split('\n### The usual local split\n')[1]
CONFIGS = re.findall(r'```python\n(_base_.+?)```', SECTION.split('\n### ')[0], re.DOTALL)
LOCAL = 'data/youtube_vis_2019/local/val.json'


@pytest.mark.parametrize(('text', 'coco'), [(CONFIGS[0], False), (CONFIGS[1], True)])
def test_parts_of_the_training_set(tmp_path, text, coco):
    path = tmp_path / 'local.py'
    path.write_text(text.replace("'../", f"'{REPOSITORY}/configs/"))
    cfg = load_config(path)
    dataset = cfg.train_dataloader.dataset
    assert ('coco' in dataset.get('datasets', ())) == coco
    train = dataset.datasets.video if coco else dataset
    test = cfg.test_dataloader.dataset
    assert (train.ann_file, test.ann_file) == ('local/train.json', 'local/val.json')
    for part in (train, test):
        assert part.data_root == 'data/youtube_vis_2019/'
        assert part.data_prefix == dict(img='train/JPEGImages')
    assert cfg.test_evaluator.ann_file == LOCAL
    assert (cfg.val_dataloader is not None) == (not coco)
