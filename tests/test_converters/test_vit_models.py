"""Published EoMT, VidEoMT and PMT fill the full-size models of their configs."""

import json
import re

import pytest
import torch
from published_names import family_lists, published_weights

from mmvseg.checkpoints.published import layouts
from mmvseg.converters.configs import CONFIGS, find_targets, fit_to_target, read_target
from mmvseg.converters.translate import to_ours

#: With 124 classes.
DATA = ('vipseg', 'vspw')


def config_of(path):
    """The config of a list: ``ytvis19__VidEoMT_L_dinov3`` is videomt_vit-l-dinov3_ytvis19."""
    data, kind, size, encoder = re.fullmatch(r'(\w+?)__(\w+)_(\w)_(\w+)', path.stem).groups()
    dinov3 = '-dinov3' if encoder == 'dinov3' else ''
    folder = kind.lower()
    return CONFIGS / folder / f'{folder}_vit-{size.lower()}{dinov3}_{data.lower()}.py'


@pytest.mark.parametrize('path', family_lists('videomt'), ids=lambda path: path.stem)
def test_published_checkpoints_fill_their_models(path):
    weights = published_weights(path)
    converted = to_ours(weights, layouts.recognise(weights))
    target = read_target(config_of(path))
    assert fit_to_target(converted, target, 'auto', path.stem).complete
    counts = json.loads((path.parent / 'param_counts.json').read_text())[path.stem]
    parameters = list(target.skeleton().parameters())
    assert sum(p.numel() for p in parameters) == counts['total']
    assert sum(p.numel() for p in parameters if p.requires_grad) == counts['trainable']


def test_the_config_is_found_by_the_shapes():
    path = next(path for path in family_lists('videomt') if path.stem == 'VSPW__PMT_L_dinov2')
    weights = published_weights(path)
    targets = find_targets(to_ours(weights, layouts.PMT_DINOV2), 'pmt')
    names = {f'pmt_vit-l_{data}{stage}' for data in DATA for stage in ('', '_segmenter')}
    assert {target.path.stem for target in targets} == names


@pytest.mark.parametrize(
    ('config', 'left'),
    [
        ('videomt/videomt_vit-s_ytvis19_segmenter.py', ['panoptic_head', 'query_updater']),
        ('eomt/eomt_vit-s_coco_panoptic_640.py', ['panoptic_head', 'mask_probabilities']),
    ],
)
def test_starts_from_raw_dinov2(config, left):
    path = next(p for p in family_lists('videomt') if p.stem == 'ytvis19__VidEoMT_S_dinov2')
    prefix = 'backbone.encoder.backbone.'
    weights = {
        name.removeprefix(prefix): torch.zeros(tensor.shape)
        for name, tensor in published_weights(path).items()
        if name.startswith(prefix)
    }
    weights['patch_embed.proj.weight'] = torch.zeros(384, 3, 14, 14)
    weights['pos_embed'] = torch.zeros(1, 37**2, 384)
    layout = layouts.recognise(weights)
    start = to_ours(weights, layout)
    fit = fit_to_target(start, read_target(CONFIGS / config), 'dinov2', 'a.pth')
    assert list(fit.resampled.values()) == [
        'positions of a grid of 37 x 37 to 40 x 40',
        'patches of 14 x 14 pixels to 16 x 16',
    ]
    assert sorted(fit.left_to_training(start.weights)) == sorted(left)
