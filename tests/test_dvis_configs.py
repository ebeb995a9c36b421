"""The configs of MinVIS and DVIS against the published settings."""

import functools
import re
from pathlib import Path

import mmdet
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from test_configs import learning_rates
from torch import nn

from mmvseg.engine.categories import sync_num_classes
from mmvseg.registry import DATASETS, MODELS

#: the published ones for instances; Swin-T is not among them
LEAVES = sorted(
    path
    for folder in ('minvis', 'dvis')
    for path in Path('configs', folder).glob('*.py')
    if re.search('ytvis|ovis', path.stem) and 'swin-t' not in path.stem
)
TYPES = dict(minvis='MinVIS', dvis_online='DVISOnline', dvis_offline='DVISOffline')
FRAMES = dict(minvis=1, dvis_online=5, dvis_offline=21)
EARLIER = dict(dvis_online='minvis', dvis_offline='dvis_online')
#: short sides in training, longest side, short side in tests
SIZES = {
    'ytvis r50': ((240, 360, 480), 768, 360),
    'ovis r50': ((240, 360, 480), 1333, 360),
    'swin-l': ((360, 480, 600), 1024, 480),
    '720p': (tuple(range(480, 801, 32)), 1333, 720),
}
CROP = dict(
    type='CropClip',
    size=(384, 600),
    scale=[(1333, 400), (1333, 500), (1333, 600)],
    prob=0.5,
    backend='torch',
)


def parts_of(path):
    """Stage, backbone, data set and its variant, from the file's name."""
    name = re.fullmatch(
        r'(minvis|dvis_\w+line)_(r50|swin-l)_(ytvis19|ytvis21|ovis)_?(.*)', path.stem
    )
    return name.groups()


def sources(cfg):
    dataset = cfg.train_dataloader.dataset
    return dataset.datasets if 'datasets' in dataset else dict(video=dataset)


def test_all_are_there():
    data = ('ytvis19', 'ytvis21', 'ovis', 'ovis_720p', 'ovis_coco')
    expected = {
        f'{stage}_{backbone}_{name}'
        for stage in TYPES
        for backbone in ('r50', 'swin-l')
        for name in data
    }
    assert {path.stem for path in LEAVES} == expected


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_published_settings(path):
    stage, backbone, data, variant = parts_of(path)
    cfg = Config.fromfile(path)
    long = (data != 'ovis' and stage != 'minvis') or (variant == 'coco' and stage == 'minvis')
    assert cfg.train_cfg.max_iters == (40000 if long else 20000)
    assert [s.milestones for s in cfg.param_scheduler] == [[28000 if long else 14000]]
    assert cfg.model.type == TYPES[stage]
    assert cfg.model.panoptic_head.num_queries == (200 if backbone == 'swin-l' else 100)
    # MinVIS reports ten tubes of any data set.
    assert cfg.model.test_cfg.max_per_video == (20 if data == 'ovis' and stage != 'minvis' else 10)
    weights = cfg.train_dataloader.dataset.get('weights')
    joint = data != 'ovis' or variant == 'coco'
    assert weights == (dict(video=0.75 if data == 'ytvis19' else 1.0, coco=1.0) if joint else None)
    assert cfg.default_hooks.checkpoint.interval == 5000
    assert cfg.get('val_dataloader') is None
    hooks = [hook.type for hook in cfg.get('custom_hooks', [])]
    assert hooks == ([] if stage == 'minvis' else ['GuidedMatchingHook'])


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_published_clips_and_sizes(path):
    stage, backbone, data, variant = parts_of(path)
    cfg = Config.fromfile(path)
    kind = variant if variant == '720p' else backbone
    kind = f'{data[:-2] if data != "ovis" else data} r50' if kind == 'r50' else kind
    for name, part in sources(cfg).items():
        assert part.clip.num_frames == FRAMES[stage]
        assert part.clip.consecutive
        assert part.clip.get('reverse_prob', 0) == (0.5 if stage == 'dvis_offline' else 0)
        assert part.version == dict(ytvis19='2019', ytvis21='2021', ovis='ovis')[data]
        shorts, longest, test_short = SIZES[kind]
        if name == 'coco' and backbone == 'r50':
            longest = 768
        resize = dict(
            type='ResizeClip', scale=[(longest, short) for short in shorts], backend='torch'
        )
        cropped = name == 'coco' or stage == 'dvis_offline' or data == 'ytvis19'
        expected = [
            dict(type='LoadClip'),
            *([CROP] if cropped else []),
            resize,
            dict(type='FlipClip', prob=0.5),
            *([dict(type='RotateClip')] if name == 'coco' else []),
            dict(type='PackClip', drop_empty=True),
        ]
        assert part.pipeline == expected
    test = cfg.test_dataloader.dataset
    assert test.pipeline[1] == dict(type='ResizeClip', scale=(1333, test_short), backend='pillow')
    assert test.version == part.version
    assert cfg.test_evaluator.ann_file == test.data_root + test.ann_file


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_datasets_can_be_built(path):
    init_default_scope('mmvseg')
    cfg = Config.fromfile(path)
    for part in (*sources(cfg).values(), cfg.test_dataloader.dataset):
        part.lazy_init = True
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    parts = dataset.datasets.values() if hasattr(dataset, 'datasets') else [dataset]
    assert all(part.clip.num_frames == FRAMES[parts_of(path)[0]] for part in parts)
    assert DATASETS.build(cfg.test_dataloader.dataset).test_mode
    changes = sync_num_classes(cfg)
    assert bool(changes) == ('ovis' in path.stem)
    assert cfg.model.criterion.num_classes == (25 if 'ovis' in path.stem else 40)


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_a_stage_starts_from_the_one_before(path):
    stage, backbone, data, variant = parts_of(path)
    cfg = Config.fromfile(path)
    folder, file = Path(cfg.load_from).parts[-2:]
    if stage == 'minvis':
        assert folder == f'mask2former_{backbone}_coco_instance'
        before = Path('configs', 'mask2former', f'{folder}.py')
    else:
        assert folder == '_'.join(filter(None, [EARLIER[stage], backbone, data, variant]))
        (before,) = (leaf for leaf in LEAVES if leaf.stem == folder)
    assert file == f'iter_{Config.fromfile(before).train_cfg.max_iters}.pth'
    new = dict(minvis=[], dvis_online=['tracker'], dvis_offline=['refiner'])
    assert cfg.allow_missing == new[stage]


@pytest.mark.parametrize('steps', [20, 40])
def test_learning_rate(steps):
    init_default_scope('mmvseg')
    schedule = Config.fromfile(f'configs/_base_/schedules/dvis_{steps}k.py').param_scheduler
    step = 700 * steps
    schedule = [dict(schedule[0], milestones=[m // 1000 for m in schedule[0].milestones])]
    rates = learning_rates(schedule, steps)
    assert rates == pytest.approx([2.5e-4] * (step // 1000) + [2.5e-5] * (steps - step // 1000))


def build(path, **backbone):
    init_default_scope('mmvseg')
    cfg = Config.fromfile(path)
    sync_num_classes(cfg)
    cfg.model.backbone.update(backbone)
    if backbone:
        cfg.model.panoptic_head.in_channels = [48 * 2**level for level in range(4)]
    return cfg, MODELS.build(cfg.model)


def published_groups(model):
    """Learning rate and weight decay of each trained parameter by the published rules."""
    norms = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm2d)
    groups = {}
    for prefix, module in model.named_modules():
        for name, parameter in module.named_parameters(prefix, recurse=False):
            if not parameter.requires_grad:
                continue
            free = isinstance(module, norms) or name.endswith('relative_position_bias_table')
            # of embeddings only those of the frame decoder
            free |= isinstance(module, nn.Embedding) and 'pixel_decoder' not in name
            rate = 1e-5 if name.startswith('backbone.') else 1e-4
            groups[name] = (pytest.approx(rate), 0.0 if free else 0.05)
    return groups


@pytest.mark.parametrize(
    ('path', 'backbone', 'trained'),
    [
        ('configs/minvis/minvis_r50_ytvis19.py', {}, ('backbone', 'panoptic_head')),
        (
            'configs/minvis/minvis_swin-l_ovis.py',
            dict(embed_dims=48),
            ('backbone', 'panoptic_head'),
        ),
        ('configs/dvis/dvis_online_r50_ytvis19.py', {}, ('tracker',)),
        ('configs/dvis/dvis_offline_r50_ovis.py', {}, ('refiner',)),
    ],
)
def test_optimizer_follows_the_published_rules(path, backbone, trained):
    cfg, model = build(path, **backbone)
    cfg.optim_wrapper.type = 'OptimWrapper'  # AmpOptimWrapper needs a GPU
    for key in ('dtype', 'loss_scale'):
        cfg.optim_wrapper.pop(key)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = {
        names[id(parameter)]: (group['lr'], group['weight_decay'])
        for group in wrapper.optimizer.param_groups
        for parameter in group['params']
        if parameter.requires_grad
    }
    assert isinstance(wrapper.optimizer, torch.optim.AdamW)
    assert {name.split('.')[0] for name in groups} == set(trained)
    assert groups == published_groups(model)
    assert cfg.optim_wrapper.clip_grad == dict(max_norm=0.01, norm_type=2)


@pytest.mark.parametrize(
    ('path', 'total', 'trained'),
    [
        ('configs/minvis/minvis_r50_ytvis19.py', 43.960, 43.960),
        ('configs/dvis/dvis_online_r50_ytvis19.py', 53.641, 9.681),
        ('configs/dvis/dvis_offline_r50_ytvis19.py', 68.056, 14.415),
    ],
)
def test_parameter_counts(path, total, trained):
    assert parameter_counts(path) == pytest.approx((total, trained), abs=5e-4)


def parameter_counts(path):
    """Millions of parameters, frozen norms not counted: all, and those that are trained."""
    _, model = build(path)
    frozen_norms = {
        id(parameter)
        for module in model.backbone.modules()
        if isinstance(module, nn.BatchNorm2d)
        for parameter in module.parameters()
    }
    counts = [(p.numel(), p.requires_grad) for p in model.parameters() if id(p) not in frozen_norms]
    trained = sum(count for count, grad in counts if grad)
    return sum(count for count, _ in counts) / 1e6, trained / 1e6


def test_mmdets_checkpoint_fits_swin_t(monkeypatch):
    init_default_scope('mmvseg')
    # Swin reads numbers from a tensor that it makes, which a tensor without data has not.
    monkeypatch.setattr(torch, 'linspace', functools.partial(torch.linspace, device='cpu'))
    cfg = Config.fromfile('configs/minvis/minvis_swin-t_ytvis19.py')
    name = re.fullmatch(r'(.*_coco)_\d+_\d+-\w+', Path(cfg.load_from).stem)[1]
    folder = Path(mmdet.__file__).parent / '.mim/configs/mask2former'
    image = Config.fromfile(folder / f'{name}.py').model
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
        backbone = MODELS.build(dict(image.backbone, init_cfg=None))
        head = MODELS.build(dict(image.panoptic_head, train_cfg=None, test_cfg=None))
    expected = {
        f'{part}.{name}': value.shape
        for part, module in dict(backbone=backbone, panoptic_head=head).items()
        for name, value in module.state_dict().items()
    }
    actual = {name: value.shape for name, value in model.state_dict().items()}
    differing = {n for n in expected.keys() | actual if expected.get(n) != actual.get(n)}
    # 80 classes there, 40 here; the criterion and the image preprocessor are no part of it
    assert differing == {'panoptic_head.cls_embed.weight', 'panoptic_head.cls_embed.bias'}
