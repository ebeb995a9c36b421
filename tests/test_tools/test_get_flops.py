"""tools/analysis/get_flops.py: counts against hand-computed ones and against real runs."""

import json
import sys

import pytest
import torch
from helpers import REPOSITORY
from mmengine.config import Config
from tool import run_tool
from torch import nn
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop

from mmvseg.engine.config import load_config
from mmvseg.errors import UserError

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import get_flops as tool
import measure
import operations

CONFIGS = REPOSITORY / 'configs'
SIZE = (60, 90)


def shapes(name):
    return load_config(CONFIGS / f'shapes/{name}.py')


def of_clip(cfg, num_frames):
    return operations.count_clip(operations.build_model(cfg), num_frames, SIZE)


def of_module(module, *inputs, **kwargs):
    return operations.count(module.eval(), lambda: module(*inputs, **kwargs)).total


# Against hand-computed counts


def test_linear():
    assert of_module(nn.Linear(8, 16), torch.ones(3, 8)) == 2 * 3 * 8 * 16


@pytest.mark.parametrize('groups', [1, 2])
def test_convolution(groups):
    conv = nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=groups)
    assert of_module(conv, torch.ones(2, 4, 8, 12)) == 2 * (2 * 4 * 6) * 6 * 4 * 9 // groups


@pytest.mark.parametrize('batch_first', [False, True])
@pytest.mark.parametrize('need_weights', [False, True])
def test_attention(batch_first, need_weights):
    # eval mode, batch first: torch's fused fast path, if it is not turned off
    attention = nn.MultiheadAttention(16, 4, batch_first=batch_first)
    tokens = torch.ones(1, 5, 16) if batch_first else torch.ones(5, 1, 16)
    projections, products = 4 * 2 * 5 * 16 * 16, 2 * 2 * 5 * 5 * 16
    count = of_module(attention, tokens, tokens, tokens, need_weights=need_weights)
    assert count == projections + products
    assert torch.backends.mha.get_fastpath_enabled()


def test_operations_belong_to_the_innermost_module():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 3, bias=False)

        def by_method(self, x):
            return self.inner(x) @ x.new_ones(3, 5)

        def by_function(self, x):
            return lend(self.inner, x)

    def lend(linear, x):
        return x @ linear.weight.T

    model = nn.ModuleDict(dict(block=Block()))
    x = torch.ones(7, 2)
    inner, own = 2 * 7 * 2 * 3, 2 * 7 * 3 * 5
    found = operations.count(model, lambda: model['block'].by_method(x) @ torch.ones(5, 1))
    outside = 2 * 7 * 5
    assert found.by_module == {
        'block.inner': inner,
        'block': inner + own,
        operations.PRODUCTS: outside,
    }
    assert found.total == inner + own + outside
    found = operations.count(model, lambda: model['block'].by_function(x))
    assert found.by_module == {'block.inner': inner, 'block': inner}


# Against runs with arithmetic and torch's fused kernels


@pytest.mark.parametrize(
    'name',
    [
        'tevit_msgshift_shapes',
        'minvis_shapes_vps',
        'dvis_online_shapes_vss',
        'dvis_offline_shapes',
        'videomt_shapes',
        'videomt_shapes_vss',
    ],
)
def test_same_count_as_with_arithmetic(name):
    cfg = shapes(name)
    found = of_clip(cfg, 3)
    model = measure.build_model(cfg)
    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    counter = FlopCounterMode(display=False, custom_mapping={fused: sdpa_flop.__wrapped__})
    counter.mod_tracker = operations._Place(model)
    with torch.no_grad(), counter:
        operations.run_model(model, 3, SIZE)
    kinds = counter.get_flop_counts()
    assert fused in kinds['Global']
    sums = {place: sum(count.values()) for place, count in kinds.items()}
    sums.pop('(post-processing)', None)  # depends on the masks
    assert sums == dict(found.by_module, Global=found.total)


@pytest.mark.parametrize(
    ('name', 'size', 'expected'),
    [
        ('videomt/videomt_vit-s_ytvis19', (360, 640), 35.6),
        ('videomt/videomt_vit-s_ytvis19', (448, 796), 57.0),
        ('pmt/pmt_vit-l-dinov3_ovis', (32, 64), None),
    ],
)
def test_multiply_adds_of_plain_transformers(name, size, expected):
    """Those of the published networks, which make the masks of all 200 queries."""
    model = operations.build_model(load_config(CONFIGS / f'{name}.py'))
    height, width = operations.padded_size(model, size)
    found = operations.count_clip(model, 1, size)
    reported, channels = model.test_cfg.max_per_video, model.backbone.embed_dims
    masks = 2 * channels * (height // 4) * (width // 4)
    assert found.by_module[operations.PRODUCTS] == reported * masks
    total = found.total + (200 - reported) * masks
    if expected is None:  # by hand: a frame of 8 patches, 5 other tokens and 200 queries
        expected = pmt_by_hand(channels, 8) / 2e9
    assert total / 2e9 == pytest.approx(expected, rel=1e-3)


def pmt_by_hand(C, P):
    def block(tokens, mlp):
        return 2 * tokens * C * (4 * C + 2 * mlp) + 4 * tokens**2 * C

    S, Q, classes = P + 5, 200, 26
    encoder = 2 * P * 3 * 16**2 * C + 24 * block(S, 4 * C)
    laterals = 4 * 2 * S * C * C  # two layers of half the width
    heads = 2 * Q * C * (classes + 3 * C) + 2 * Q * C * C  # and the query updater
    upscaling = sum(2 * P * cells * C * (4 * C + 4 * 9) for cells in (1, 4))
    return encoder + laterals + 6 * block(S + Q, C) + heads + upscaling + 2 * Q * C * 16 * P


def test_large_models_take_no_memory_for_weights():
    cfg = load_config(CONFIGS / 'tevit/tevit_swin-l_mstrain.py')
    measure.reset_peak_resident()
    before = measure.peak_resident_gb()
    model = operations.build_model(cfg)
    found = operations.count_clip(model, 1, (32, 32))
    assert sum(parameter.numel() for parameter in model.parameters()) == 343_861_820
    assert measure.peak_resident_gb() - before < 0.4  # of 1.4 GB
    assert found.by_module['backbone'] > 1e9


# Clips


@pytest.mark.parametrize('name', ['tevit_msgshift_shapes', 'dvis_online_shapes', 'minvis_shapes'])
def test_modules_add_up(name):
    found = of_clip(shapes(name), 2)
    assert found.total == sum(n for path, n in found.by_module.items() if '.' not in path)
    backbone = [n for path, n in found.by_module.items() if path.startswith('backbone.layers.0.')]
    assert 0 < max(backbone) < found.by_module['backbone']


def test_twice_the_frames():
    cfg = shapes('dvis_offline_shapes')
    once, twice = of_clip(cfg, 4), of_clip(cfg, 8)
    for name in ('backbone', 'panoptic_head', 'tracker', 'refiner.mask_embed', operations.PRODUCTS):
        assert twice.by_module[name] == 2 * once.by_module[name]
    # The refiner attends along time, and classifies whole tracks.
    settings = cfg.model.refiner
    queries = cfg.model.panoptic_head.num_queries
    squares = settings.num_layers * queries * 4 * settings.embed_dims * (8**2 - 2 * 4**2)
    classes = 2 * queries * settings.embed_dims * (settings.num_classes + 1)
    difference = twice.by_module['refiner'] - 2 * once.by_module['refiner']
    assert difference == squares - classes


def test_masks_of_all_queries_for_panoptic_segments():
    cfg = shapes('dvis_offline_shapes_vps')
    model = operations.build_model(cfg)
    found = operations.count_clip(model, 3, SIZE)
    height, width = (length // 4 for length in operations.padded_size(model, SIZE))
    channels = cfg.model.panoptic_head.out_channels
    masks = 2 * 3 * cfg.model.panoptic_head.num_queries * channels * height * width
    assert found.by_module[operations.PRODUCTS] == masks
    assert found.post_processing > 0


def test_models_of_images():
    cfg = load_config(CONFIGS / 'mask2former/mask2former_r50_coco_semantic.py')
    model = operations.build_model(cfg)
    once, twice = (operations.count_clip(model, n, (32, 48)) for n in (1, 2))
    assert twice.total == 2 * once.total
    assert {path for path in once.by_module if '.' not in path} == {'backbone', 'panoptic_head'}
    assert once.post_processing > 0


def test_queryinst():
    cfg = load_config(CONFIGS / 'queryinst/queryinst_r50_fpn_100_coco.py')
    found = operations.count_clip(operations.build_model(cfg), 1, (32, 32))
    # Boxes are few enough to take all stages, but masks come of the last stage alone.
    stages = [found.by_module[f'roi_head.bbox_head.{stage}'] for stage in range(6)]
    assert len(set(stages)) == 1
    assert 'roi_head.mask_head.5' in found.by_module
    assert 'roi_head.mask_head.4' not in found.by_module


# Size of frames


@pytest.mark.parametrize(
    ('name', 'size'),
    [
        ('tevit/tevit_msgshift', (360, 640)),
        ('dvis/dvis_online_swin-l_ytvis19', (480, 853)),
        ('queryinst/queryinst_r50_fpn_100_coco', (750, 1333)),
    ],
)
def test_size_of_the_test_pipeline(name, size):
    assert tool.test_size(load_config(CONFIGS / f'{name}.py')) == size


@pytest.mark.parametrize(
    'step', [dict(type='LoadClip'), dict(type='Resize', scale=(90, 60)), dict(type='ResizeClip')]
)
def test_size_that_cannot_be_told(step):
    dataset = dict(type='Wrapper', dataset=dict(pipeline=[step]))
    assert tool.test_size(Config(dict(test_dataloader=dict(dataset=dataset)))) == (360, 640)
    assert tool.test_size(Config(dict(model={}))) == (360, 640)


# The tool


def test_report(tmp_path, capsys):
    config, out = str(CONFIGS / 'shapes/minvis_shapes.py'), tmp_path / 'new' / 'flops.json'
    options = '--size 60 90 --frames 2 --depth 1 --cfg-options model.panoptic_head.num_queries=7'
    assert run_tool('analysis/get_flops', config, '--out', str(out), *options.split()) == 0
    text, result = capsys.readouterr().out, json.loads(out.read_text())
    expected = operations.count_clip(
        operations.build_model(
            load_config(config, {'model.panoptic_head.num_queries': 7}),
        ),
        2,
        SIZE,
    )
    assert result['flops'] == expected.total
    assert result['flops_per_frame'] == expected.total / 2
    assert (result['size'], result['padded_size']) == ([60, 90], [64, 96])
    names = [row['module'] for row in result['modules']]
    assert names == ['backbone', 'panoptic_head', operations.PRODUCTS]
    assert sum(row['parameters'] for row in result['modules']) == result['parameters']
    assert '2 frames of 60x90, padded to 64x96' in text
    assert 'deformable attention' in text
    assert 'two operations' in text
    rows = {line.split('|')[1].strip(): line for line in text.splitlines() if line.startswith('|')}
    assert f' {expected.total / 1e9:.4g} ' in rows['total']
    assert f' {expected.total / 2e9:.4g} ' in rows['total']
    assert 'backbone.layers' not in rows


def test_depth(capsys):
    config = str(CONFIGS / 'shapes/minvis_shapes.py')
    assert run_tool('analysis/get_flops', config, '--size', '32', '32', '--depth', '3') == 0
    assert '| backbone.layers.0 ' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['shapes/minvis_shapes.py', '--frames', '0'], '--frames 0'),
        (['shapes/minvis_shapes.py', '--size', '0', '32'], '--size 0 32'),
        (['shapes/minvis_shapes.py', '--depth', '0'], '--depth 0'),
        (['_base_/default_runtime.py'], 'has no model'),
        (['shapes/minvis_shape.py'], 'did you mean'),
        (['shapes/minvis_shapes.py', '--cfg-options', 'model.type=MinVSI'], "no model 'MinVSI'"),
    ],
)
def test_user_errors(args, message, capsys):
    assert run_tool('analysis/get_flops', str(CONFIGS / args[0]), *args[1:]) == 1
    assert message in capsys.readouterr().err


def test_other_modules_are_no_models():
    with pytest.raises(UserError, match='Linear is no model'):
        operations.count_clip(nn.Linear(1, 1), 1, SIZE)
