"""The configs of MinVIS and DVIS for VIPSeg and VSPW against the published settings."""

import re
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from test_dvis_configs import EARLIER, FRAMES, TYPES, parameter_counts

from mmvseg.engine.categories import sync_num_classes
from mmvseg.registry import DATASETS

LEAVES = sorted(
    path
    for folder in ('minvis', 'dvis')
    for path in Path('configs', folder).glob('*.py')
    if re.search('vipseg|vspw', path.stem)
)
DATA = dict(
    vipseg=dict(task='vps', load='LoadPanopticClip', dataset='VIPSegDataset'),
    vspw=dict(task='vss', load='LoadSemanticClip', dataset='VSPWDataset'),
)


def parts_of(path):
    """Stage, backbone, data set and its variant, from the file's name."""
    return re.fullmatch(
        r'(minvis|dvis_\w+line)_(r50|swin-l)_(vipseg|vspw)_?(.*)', path.stem
    ).groups()


def test_all_are_there():
    expected = {
        f'{stage}_{backbone}_{data}'
        for stage in TYPES
        for backbone in ('r50', 'swin-l')
        for data in DATA
    }
    assert {path.stem for path in LEAVES} == expected | {'minvis_r50_vspw_480p'}


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_published_settings(path):
    stage, backbone, data, variant = parts_of(path)
    cfg, data = Config.fromfile(path), DATA[data]
    assert cfg.model.type == TYPES[stage]
    assert cfg.model.test_cfg.task == data['task']
    assert cfg.model.panoptic_head.num_queries == (200 if backbone == 'swin-l' else 100)
    assert cfg.train_cfg.max_iters == 20000
    assert [schedule.milestones for schedule in cfg.param_scheduler] == [[14000]]
    dataset = cfg.train_dataloader.dataset
    assert dataset.type == cfg.test_dataloader.dataset.type == data['dataset']
    assert dataset.clip.num_frames == FRAMES[stage]
    assert dataset.clip.consecutive
    assert dataset.clip.get('reverse_prob', 0) == (0.5 if stage == 'dvis_offline' else 0)
    shorts = range(288, 641, 32) if variant else range(480, 801, 32)
    crop = [dict(type='CropClip', size=(608, 608), prob=1.0)]
    assert dataset.pipeline == [
        dict(type=data['load']),
        dict(type='ResizeClip', scale=[(1333, short) for short in shorts], backend='torch'),
        *(crop if stage == 'dvis_offline' else []),
        dict(type='FlipClip', prob=0.5),
        dict(type='PackClip', drop_empty=True),
    ]
    short = 480 if variant else 720
    assert cfg.test_dataloader.dataset.pipeline[1].scale == (1333, short)
    if stage != 'minvis':
        assert not cfg.model.absent_as_background


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_classes_are_known_without_data(path):
    init_default_scope('mmvseg')
    cfg = Config.fromfile(path)
    sync_num_classes(cfg)
    assert cfg.model.criterion.num_classes == cfg.model.panoptic_head.num_classes == 124
    assert cfg.model.test_cfg.get('num_things', 58) == 58
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.dataset.lazy_init = True
        DATASETS.build(loader.dataset)
    assert cfg.test_evaluator.ann_file == (
        cfg.test_dataloader.dataset.data_root + cfg.test_dataloader.dataset.ann_file
    )


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_a_stage_starts_from_the_one_before(path):
    stage, backbone, data, _ = parts_of(path)
    cfg = Config.fromfile(path)
    folder, file = Path(cfg.load_from).parts[-2:]
    if stage == 'minvis':
        assert folder == f'mask2former_{backbone}_coco_instance'
        before = Path('configs', 'mask2former', f'{folder}.py')
    else:
        assert folder == f'{EARLIER[stage]}_{backbone}_{data}'
        (before,) = (leaf for leaf in LEAVES if leaf.stem == folder)
    assert file == f'iter_{Config.fromfile(before).train_cfg.max_iters}.pth'
    assert (
        cfg.allow_missing
        == dict(minvis=[], dvis_online=['tracker'], dvis_offline=['refiner'])[stage]
    )


@pytest.mark.parametrize(
    ('path', 'total', 'trained'),
    [
        ('configs/dvis/dvis_online_r50_vspw.py', 53.684, 9.703),
        ('configs/dvis/dvis_offline_r50_vipseg.py', 68.121, 14.437),
    ],
)
def test_parameter_counts(path, total, trained):
    assert parameter_counts(path) == pytest.approx((total, trained), abs=5e-4)
