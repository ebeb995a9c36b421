"""Backbones and what reads their maps."""

import re

import pytest
import torch
from helpers import REPOSITORY
from mmdet.models import SwinTransformer
from mmengine.registry import DefaultScope

from mmvseg.engine.config import load_config
from mmvseg.errors import UserError
from mmvseg.models.segmentors.channels import check_channels
from mmvseg.registry import MODELS

SECTION = (REPOSITORY / 'docs/configs.md').read_text().split('## Another backbone')[1]
MODELS_AND_READERS = [
    ('minvis_r50_ytvis19', 'panoptic_head'),
    ('dvis_online_r50_ytvis19', 'panoptic_head'),
    ('dvis_offline_r50_ytvis19', 'panoptic_head'),
    ('tevit_r50', 'neck'),
]


def build(config):
    with DefaultScope.overwrite_default_scope('mmvseg'), torch.device('meta'):
        return MODELS.build(config)


@pytest.mark.parametrize(('name', 'reader'), MODELS_AND_READERS)
def test_a_reader_for_another_backbone_is_refused(name, reader):
    message = rf'model\.backbone: .* ResNet has 512 .*model\.{reader}\.in_channels ends with 2048'
    with pytest.raises(UserError, match=message):
        build(load_config(name, {'model.backbone.depth': 18}).model)


def test_swin_too():
    swin = SwinTransformer(embed_dims=8, depths=[1] * 4, num_heads=[1] * 4)
    check_channels(swin, 'neck', dict(in_channels=[8, 16, 32, 64]))
    with pytest.raises(UserError, match=r'SwinTransformer has 64 .*neck\.in_channels .* 128'):
        check_channels(swin, 'neck', dict(in_channels=[16, 32, 64, 128]))


@pytest.mark.parametrize(
    ('depth', 'channels'),
    [
        (18, [64, 128, 256, 512]),
        (34, [64, 128, 256, 512]),
        (50, [256, 512, 1024, 2048]),
        (101, [256, 512, 1024, 2048]),
    ],
)
def test_resnets_have_the_channels_that_the_page_says(depth, channels):
    resnet = build(dict(load_config('minvis_r50_ytvis19').model.backbone, depth=depth))
    resnet.eval()
    check_channels(resnet, 'panoptic_head', dict(in_channels=channels))
    maps = resnet(torch.zeros(1, 3, 32, 32, device='meta'))
    assert [feat.shape[1] for feat in maps] == channels
    assert re.search(rf'\| [\d, ]*\b{depth}\b[\d, ]* \| `{re.escape(str(channels))}` \|', SECTION)


def test_the_config_of_the_page_fits(tmp_path):
    path = tmp_path / 'minvis_r18.py'
    path.write_text(SECTION.split('```python\n')[1].split('```')[0])
    cfg = load_config(path)
    assert cfg.load_from is None
    model = build(cfg.model)
    assert model.backbone.depth == 18
    assert model.panoptic_head.pixel_decoder.input_convs[0].in_channels == 512
