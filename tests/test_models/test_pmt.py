import pytest
import torch
import torch.nn.functional as F
from dvis_models import batch
from token_models import QUERIES, WIDTH, build, gradients, randomise

from mmvseg.errors import UserError
from mmvseg.models.segmentors.pmt import Lateral
from mmvseg.registry import MODELS


def images(num=2):
    return torch.randn(num, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def test_a_lateral_normalises_over_all_tokens_of_all_images():
    torch.manual_seed(0)
    lateral, tokens = randomise(Lateral(WIDTH)).train(), torch.randn(3, 7, WIDTH) * 2 + 1
    rows = tokens.flatten(0, 1)
    normal = (rows - rows.mean(0)) / (rows.var(0, correction=0) + 1e-5).sqrt()
    normal = normal * lateral.norm.weight + lateral.norm.bias
    hidden = F.gelu(normal @ lateral.mlp[0].weight.T + lateral.mlp[0].bias)
    expected = (normal + hidden @ lateral.mlp[2].weight.T + lateral.mlp[2].bias) * lateral.scale
    torch.testing.assert_close(lateral(tokens).flatten(0, 1), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(lateral.norm.running_mean, 0.1 * rows.mean(0))
    assert lateral.mlp[0].out_features == WIDTH // 2
    one, both = lateral.eval()(tokens[:1]), lateral(tokens)
    torch.testing.assert_close(one, both[:1])  # running statistics


@pytest.mark.parametrize('family', ['DINOv2', 'DINOv3'])
def test_the_decoder_sees_the_sum_of_the_taps(family):
    model = build('PMT', family)
    image = model.backbone.embed(images())
    tokens, expected = image.tokens, 0
    for number, block in enumerate(model.backbone.blocks):
        tokens = block(tokens, image.rotation)
        if number in (1, 3):
            expected = expected + model.laterals[number // 2](model.backbone.norm(tokens))
    found = model.encode(images())
    torch.testing.assert_close(found.tokens, expected)
    assert found.tokens.shape == (2, 5 + 16, WIDTH)
    tokens = torch.cat([model.panoptic_head.query_feat.weight.expand(2, -1, -1), expected], 1)
    for block in model.decoder.blocks:
        tokens = block(tokens, found.rotation)  # rotary positions with either family
    queries = model.decoder.norm(tokens)[:, :QUERIES]
    with torch.no_grad():
        torch.testing.assert_close(model.segment(found).query_embeds, queries)


def test_blocks_after_the_last_tap_do_not_run():
    model = build('PMT', taps=(0, 2))
    model.backbone.blocks[3].forward = None
    model.encode(images())


def count_scales(monkeypatch):
    calls = []
    monkeypatch.setattr(
        'mmvseg.models.backbones.rotary.RotaryPositions.random_scale',
        lambda rotary: calls.append(rotary) or torch.ones(1),
    )
    return calls


@pytest.mark.parametrize('family', ['DINOv2', 'DINOv3'])
def test_training_scales_positions_once_by_option(family, monkeypatch):
    calls = count_scales(monkeypatch)
    model = build('PMT', family).train()
    model.loss(*batch())
    # of the frozen encoder if it has any, which the decoder shares
    assert calls == [model.backbone.rotary or model.decoder.rotary]
    calls.clear()
    model.eval().raw_outputs(images()[None])
    build('PMT', family, scale_positions=False).train().loss(*batch())
    assert not calls


def test_the_encoder_is_frozen_and_the_rest_is_not():
    model = build('PMT', 'DINOv3')
    for mode in (True, False, True):
        model.train(mode)
        assert model.decoder.training == model.laterals[0].norm.training == mode
        assert not model.backbone.training
        assert model.backbone.rotary.training == mode
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    found, _ = gradients(model, *batch())
    assert not any(name.startswith('backbone') for name in found)
    assert all(torch.equal(before[n], value) for n, value in model.backbone.state_dict().items())


def test_training_brings_running_statistics_up_to_date():
    model = build('PMT').train()
    gradients(model, *batch())
    assert all(lateral.norm.num_batches_tracked == 1 for lateral in model.laterals)
    assert all(lateral.norm.running_mean.any() for lateral in model.laterals)


def test_predictions_that_have_a_loss():
    _, losses = gradients(build('PMT').train(), *batch())
    # three blocks of the decoder: before the first two and at the end
    assert {name.split('.')[0] for name in losses if 'loss_ce' in name} == {'d0', 'd1', 'loss_ce'}


@pytest.mark.parametrize('taps', [(), (3, 1), (1, 1), (1, 4), (-1,)])
def test_wrong_taps_are_refused(taps):
    with pytest.raises(UserError, match=r'model\.taps = .*: must be blocks .* 0 to 3, in order'):
        build('PMT', taps=taps)


def test_heads_of_the_decoder_that_do_not_fit_are_refused():
    decoder = dict(depth=1, mlp_dims=WIDTH)
    with pytest.raises(UserError, match=r'model\.decoder\.num_heads = 3: 16 channels'):
        build('PMT', decoder=dict(num_heads=3, **decoder))
    build('PMT', 'DINOv2', decoder=dict(num_heads=4, **decoder))
    with pytest.raises(UserError, match=r'model\.decoder\.num_heads = 4: must be 2, .*rotary'):
        build('PMT', 'DINOv3', decoder=dict(num_heads=4, **decoder))


@pytest.mark.parametrize(
    ('family', 'expected'),
    [
        (dict(position='learned', grid_size=40), 359_681_065),
        (dict(position='rotary', key_bias=False), 358_018_089),
    ],
)
def test_sizes_of_the_published_models(family, expected):
    with torch.device('meta'):
        model = MODELS.build(
            dict(
                type='PMT',
                backbone=dict(type='DINOViT', embed_dims=1024, depth=24, num_heads=16, **family),
                panoptic_head=dict(
                    type='TokenQueryHead', num_classes=40, num_queries=200, embed_dims=1024
                ),
                taps=(5, 11, 17, 23),
                decoder=dict(depth=6, num_heads=16, mlp_dims=1024),
            )
        )
    sizes = dict.fromkeys((True, False), 0)
    for parameter in model.parameters():
        sizes[parameter.requires_grad] += parameter.numel()
    assert sum(sizes.values()) == expected
    assert sizes[True] == 54_889_513
