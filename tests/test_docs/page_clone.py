"""A copy of the configs in which models, frames and schedules are small, and weights for it.

All else is read as it is shipped, so the names of configs and models are the real ones.
"""

import re
import shutil
from functools import lru_cache
from pathlib import Path

import torch
from helpers import REPOSITORY

from mmvseg.datasets.metainfo import dataset_metainfo
from mmvseg.engine.categories import classes_of, set_num_classes
from mmvseg.engine.config import load_config
from mmvseg.registry import MODELS

#: What is replaced in the text of all configs.
EVERYWHERE = [
    (r'num_workers=\d+', 'num_workers=0'),
    (r'persistent_workers=True', 'persistent_workers=False'),
    (r'batch_size=\d+', 'batch_size=1'),
    (r'max_iters=\d+', 'max_iters=2'),
    (r'^max_iters = \d+', 'max_iters = 2'),
    (r'num_points=\d{3}', 'num_points=32'),
    (r'val_interval=\d+', 'val_interval=2'),
    (r"type='WarmUpPolyLR'", "type='WarmUpPolyLR', end=40000"),
    # sizes of frames
    (r'\((\d{3,4}), (\d{3})\)', lambda m: f'({int(m[1]) // 8}, {int(m[2]) // 8})'),
    (r'size=\(384, 600\)', 'size=(48, 75)'),
]
#: What is replaced in single files of configs/_base_/models, so that the models are narrow.
MODEL_FILES = {
    'tevit_msgshift.py': [
        ('in_channels=[64, 128, 320, 512]', 'in_channels=[8, 16, 40, 64]'),
        ('256', '16'),
        ('2048', '32'),
        ('num_stages=6', 'num_stages=2'),
        ('num_proposals=100', 'num_proposals=6'),
        ('embed_dims=64', 'embed_dims=8'),
        ('num_layers=[2, 2, 2, 2]', 'num_layers=[1, 1, 1, 1]'),
        ('feat_channels=64', 'feat_channels=8'),
    ],
    'mask2former_r50.py': [
        ('in_channels=[256, 512, 1024, 2048]', 'in_channels=[16, 32, 64, 128]'),
        ("type='ResNet',", "type='ResNet', base_channels=4,"),
        ('256', '16'),
        ('num_feats=128', 'num_feats=8'),
        ('num_groups=32', 'num_groups=4'),
        ('num_queries=100', 'num_queries=8'),
        ('=1024', '=32'),
        ('=2048', '=32'),
        ('num_layers=9', 'num_layers=2'),
        ('num_layers=6', 'num_layers=1'),
    ],
    'videomt_dinov2-s.py': [('384', '32'), ('depth=12, num_heads=6', 'depth=4, num_heads=2')],
    'minvis_shapes.py': [('num_layers=[2, 2, 2, 2]', 'num_layers=[1, 1, 1, 1]')],
    'videomt_shapes.py': [],
}


def write_clone(folder: Path) -> Path:
    """Write ``configs/`` and the index of models, and link what the pages name of a clone."""
    shutil.copytree(REPOSITORY / 'configs', folder / 'configs')
    for path in (folder / 'configs').rglob('*.py'):
        text = path.read_text(encoding='utf-8')
        for pattern, smaller in EVERYWHERE:
            text = re.sub(pattern, smaller, text, flags=re.MULTILINE)
        path.write_text(text, encoding='utf-8')
    for name, changes in MODEL_FILES.items():
        path = folder / 'configs/_base_/models' / name
        text = path.read_text(encoding='utf-8')
        for old, new in changes:
            assert old in text, f'{name} has no {old} any more: see MODEL_FILES'
            text = text.replace(old, new)
        path.write_text(text, encoding='utf-8')
    for name in ('model-index.yml', 'README.md', 'docs', 'mmvseg', 'resources', 'tests', 'tools'):
        (folder / name).symlink_to(REPOSITORY / name)
    return folder


def write_weights(config: str | Path, path: Path) -> Path:
    """Write a checkpoint of random weights as a training with a config would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(_checkpoint(str(config), Path.cwd()), path)
    return path


@lru_cache(maxsize=32)
def _checkpoint(config: str, folder: Path) -> dict:
    cfg = load_config(config)
    dataset = cfg.get('train_dataloader', cfg.test_dataloader)['dataset']
    parts = dataset.get('datasets')
    if parts:
        dataset = parts['video'] if 'video' in parts else parts[0]
    known = classes_of(dataset)
    set_num_classes(
        cfg.model, len(known['classes']), len(known.get('thing_classes', known['classes']))
    )
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    with torch.no_grad():  # something is found, whatever the frame
        for name, parameter in model.named_parameters():
            if re.search(r'(cls_embed|class_embed|fc_cls)\.bias$', name):
                parameter[0] = 6.0
    noted = {key: list(value) for key, value in dataset_metainfo(dataset).items()}
    return dict(
        state_dict=model.state_dict(),
        meta=dict(cfg=cfg.pretty_text, dataset_meta=noted, epoch=0, iter=2, seed=0, world_size=1),
    )
