"""The pixel decoder with sizes that the CPU knows, against mmdet's."""

import pytest
import torch
from mmdet.models.layers import MSDeformAttnPixelDecoder
from mmengine.config import ConfigDict

from mmvseg.errors import UserError
from mmvseg.models.heads import PixelDecoder
from mmvseg.registry import MODELS

SIZES = [(20, 28), (10, 14), (5, 7), (3, 4)]


def settings(**encoder):
    attention = dict(embed_dims=32, num_heads=4, num_levels=3, num_points=2, dropout=0.0)
    layer = dict(self_attn_cfg=attention, ffn_cfg=dict(embed_dims=32, feedforward_channels=48))
    return ConfigDict(
        in_channels=[8, 12, 16, 20],
        feat_channels=32,
        out_channels=24,
        norm_cfg=dict(type='GN', num_groups=4),
        encoder=dict(num_layers=2, layer_cfg=layer, **encoder),
        positional_encoding=dict(num_feats=16, normalize=True),
    )


@pytest.fixture(scope='module')
def both():
    torch.manual_seed(0)
    theirs = MSDeformAttnPixelDecoder(**settings())
    theirs.init_weights()
    for parameter in theirs.encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.2)  # offsets that depend on the pixel
    ours = MODELS.build(settings() | dict(type='MSDeformAttnPixelDecoder'))
    assert type(ours) is PixelDecoder
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def features(requires_grad=False):
    torch.manual_seed(1)
    channels = [8, 12, 16, 20]
    return [
        torch.randn(2, c, *size, requires_grad=requires_grad)
        for c, size in zip(channels, SIZES, strict=True)
    ]


def test_equals_that_of_mmdet(both):
    (their_features, their_maps), (features_, maps) = (model(features()) for model in both)
    torch.testing.assert_close(features_, their_features, rtol=0, atol=0)
    assert [m.shape for m in maps] == [(2, 32, *size) for size in SIZES[:0:-1]]
    for ours, theirs in zip(maps, their_maps, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_learns_as_that_of_mmdet(both):
    gradients = []
    for model in both:
        feats = features(requires_grad=True)
        with torch.inference_mode():
            model(features())  # what it keeps of the sizes serves training as well
        mask_features, maps = model.train()(feats)
        (mask_features.square().sum() + sum(m.square().sum() for m in maps)).backward()
        gradients.append([f.grad for f in feats] + [p.grad for p in model.parameters()])
        model.zero_grad()
    for theirs, ours in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_other_sizes_follow(both):
    theirs, ours = both
    smaller = [feat[..., :2] for feat in features()]
    assert ours(smaller)[0].equal(theirs(smaller)[0])


def test_a_setting_without_effect_is_refused(monkeypatch):
    layers = 'mmdet.models.layers.transformer.deformable_detr_layers'
    monkeypatch.setattr(f'{layers}.checkpoint_wrapper', lambda layer: layer)
    with pytest.raises(UserError, match='num_cp'):
        PixelDecoder(**settings(num_cp=1))
