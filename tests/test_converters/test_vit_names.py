"""DINOv2, DINOv3, EoMT, VidEoMT and PMT: published weights to ours and back."""

import re

import pytest
import torch
from published_names import family_lists, published_weights, shapes_of
from query_vits import C, query_vit, random_weights, vit

from mmvseg.checkpoints.conversion_note import ConversionNote
from mmvseg.checkpoints.published import layouts
from mmvseg.converters.translate import to_ours, to_theirs
from mmvseg.errors import UserError

MODELS = [(kind, dinov3) for kind in ('VidEoMT', 'PMT', 'EoMT') for dinov3 in (False, True)]
#: Not used by the models here, so nothing makes them for a model that was trained here.
DEAD = re.compile(r'backbone\.(decoder\.)?attn_mask_probs|backbone\.encoder\.pixel_(mean|std)')


def note(converted):
    return ConversionNote(converted.layout.name, values=converted.noted, added=converted.added)


def same(weights, others):
    return weights.keys() == others.keys() and all(
        torch.equal(tensor, others[name]) for name, tensor in weights.items()
    )


def without_numbers(names):
    return {re.sub(r'\d+', '#', name) for name in names}


@pytest.mark.parametrize('path', family_lists('videomt'), ids=lambda path: path.stem)
def test_round_trip_of_published_names(path):
    weights = published_weights(path)
    converted = to_ours(weights, layouts.recognise(weights))
    assert not converted.unknown
    back, _ = to_theirs(converted.weights, note(converted))
    assert shapes_of(back) == shapes_of(weights)
    own, layout = to_theirs(converted.weights)  # as if trained here, without a note
    assert layout is converted.layout
    assert {name for name in weights if name not in own} == set(filter(DEAD.fullmatch, weights))
    assert own.keys() <= weights.keys()


@pytest.mark.parametrize(('kind', 'dinov3'), MODELS)
def test_round_trip_keeps_every_value(kind, dinov3):
    ours = random_weights(query_vit(kind, dinov3))
    published, layout = to_theirs(ours)
    assert layout.name == f'{kind.lower()}-{"dinov3" if dinov3 else "dinov2"}'
    assert layouts.recognise(published) is layout
    assert layouts.recognise(published, kind.lower()) is layout
    buffers = {'backbone.attn_mask_probs': torch.rand(3)} if kind == 'VidEoMT' else {}
    converted = to_ours(published | buffers, layout)
    assert same(converted.weights, ours)
    assert same(to_theirs(converted.weights, note(converted))[0], published | buffers)


@pytest.mark.parametrize(('kind', 'dinov3'), MODELS[:4])
def test_names_are_those_of_the_lists(kind, dinov3):
    encoder = 'dinov3' if dinov3 else 'dinov2'
    lists = [p for p in family_lists('videomt') if re.search(f'{kind}_._{encoder}', p.stem)]
    published, _ = to_theirs(random_weights(query_vit(kind, dinov3)))
    names = published_weights(lists[0])
    missing = without_numbers(names) - without_numbers(published)
    assert without_numbers(published) <= without_numbers(names)
    assert missing == set(filter(DEAD.fullmatch, names))


def test_projections_of_dinov3_are_one_here():
    ours = random_weights(query_vit('PMT', dinov3=True))
    published, _ = to_theirs(ours)
    for part, theirs in (('backbone', 'encoder.backbone'), ('decoder', 'decoder')):
        attention = f'backbone.{theirs}.blocks.1.attention'
        for index, name in enumerate(('q_proj', 'k_proj', 'v_proj')):
            rows = ours[f'{part}.blocks.1.attn.qkv.weight'][index * C : (index + 1) * C]
            assert torch.equal(published[f'{attention}.{name}.weight'], rows)
        assert torch.equal(
            published[f'{attention}.q_proj.bias'], ours[f'{part}.blocks.1.attn.q_bias']
        )
        assert torch.equal(
            published[f'{attention}.v_proj.bias'], ours[f'{part}.blocks.1.attn.v_bias']
        )
        assert f'{attention}.k_proj.bias' not in published


def test_a_projection_alone_is_unknown():
    published, layout = to_theirs(random_weights(query_vit(dinov3=True)))
    name = 'backbone.encoder.backbone.blocks.0.attention.{}_proj.weight'
    del published[name.format('k')]
    converted = to_ours(published, layout)
    assert converted.unknown == [name.format('q'), name.format('v')]


@pytest.mark.parametrize('kind', ['VidEoMT', 'EoMT'])
def test_names_of_transformers(kind):
    ours = random_weights(query_vit(kind))
    name = f'{kind.lower()}-transformers'
    published, layout = to_theirs(ours, ConversionNote(name))
    assert layout.name == name
    assert layouts.recognise(published) is layout
    assert published['embeddings.position_embeddings.weight'].shape == (16, C)
    assert torch.equal(
        published['layers.1.attention.k_proj.bias'],
        ours['backbone.blocks.1.attn.qkv.bias'][C : 2 * C],
    )
    for theirs, our in (
        ('embeddings.patch_embeddings.projection.weight', 'backbone.patch_embed.weight'),
        ('layers.0.layer_scale2.lambda1', 'backbone.blocks.0.ls2'),
        ('layernorm.bias', 'backbone.norm.bias'),
        ('query.weight', 'panoptic_head.query_feat.weight'),
        ('mask_head.fc3.bias', 'panoptic_head.mask_embed.4.bias'),
        ('upscale_block.block.1.layernorm2d.weight', 'panoptic_head.upscale.1.norm.weight'),
        ('class_predictor.bias', 'panoptic_head.cls_embed.bias'),
    ):
        assert torch.equal(published[theirs], ours[our]), theirs
    extra = {
        'embeddings.mask_token': torch.rand(1, 1, C),
        'criterion.empty_weight': torch.tensor([1, 1, 1, 0.1]),
    }
    converted = to_ours(published | extra, layout)
    assert same(converted.weights, ours)
    assert same(to_theirs(converted.weights, note(converted))[0], published | extra)


def test_raw_dinov2():
    ours = random_weights(vit(), prefix='backbone.')
    published, layout = to_theirs(ours, ConversionNote('dinov2'))
    assert layouts.recognise(published) is layout
    assert published['pos_embed'].shape == (1, 17, C)
    published['pos_embed'][:, :1] = position = torch.randn(1, 1, C)
    published['mask_token'] = torch.rand(1, C)
    converted = to_ours(published, layout)
    assert converted.unused == ['mask_token']
    expected = dict(ours, **{'backbone.cls_token': ours['backbone.cls_token'] + position})
    assert same(converted.weights, expected)
    back, _ = to_theirs(converted.weights, note(converted))
    assert same(to_ours(back, layout).weights, expected)
    assert torch.equal(back['mask_token'], published['mask_token'])


def test_raw_dinov2_of_timm():
    ours = random_weights(vit(), prefix='backbone.')
    published, layout = to_theirs(ours)
    assert layout is layouts.recognise(published) is layouts.LAYOUTS['dinov2-timm']
    assert torch.equal(published['reg_token'], ours['backbone.register_tokens'])
    assert same(to_ours(published, layout).weights, ours)


def test_raw_dinov3_of_transformers():
    ours = random_weights(vit(dinov3=True), prefix='backbone.')
    published, layout = to_theirs(ours)
    assert layout is layouts.recognise(published) is layouts.LAYOUTS['dinov3-transformers']
    assert torch.equal(
        published['layer.1.attention.v_proj.weight'],
        ours['backbone.blocks.1.attn.qkv.weight'][2 * C :],
    )
    published['embeddings.mask_token'] = torch.rand(1, 1, C)
    converted = to_ours(published, layout)
    assert same(converted.weights, ours)
    assert same(to_theirs(converted.weights, note(converted))[0], published)


def test_raw_dinov3_of_its_release():
    ours = random_weights(vit(dinov3=True), prefix='backbone.')
    published, layout = to_theirs(ours, ConversionNote('dinov3'))
    assert layouts.recognise(published) is layout
    bias = published['blocks.0.attn.qkv.bias']
    assert torch.equal(bias[:C], ours['backbone.blocks.0.attn.q_bias'])
    assert torch.equal(bias[2 * C :], ours['backbone.blocks.0.attn.v_bias'])
    assert published['blocks.0.attn.qkv.bias_mask'].tolist() == [1] * C + [0] * C + [1] * C
    bias[C : 2 * C] = 7  # masked
    extra = {'mask_token': torch.rand(1, C), 'rope_embed.periods': torch.rand(2)}
    converted = to_ours(published | extra, layout)
    assert same(converted.weights, ours)
    bias[C : 2 * C] = 0
    assert same(to_theirs(converted.weights, note(converted))[0], published | extra)


def test_a_mask_that_lets_the_bias_of_keys_through():
    published, layout = to_theirs(
        random_weights(vit(dinov3=True), prefix='backbone.'), ConversionNote('dinov3')
    )
    published['blocks.1.attn.qkv.bias_mask'][C] = 1
    with pytest.raises(UserError, match='does not mask the bias of keys alone'):
        to_ours(published, layout)


@pytest.mark.parametrize('kind', ['VidEoMT', 'PMT', 'EoMT'])
def test_loss_weights_are_made_for_models_trained_here(kind):
    published, _ = to_theirs(random_weights(query_vit(kind)))
    assert published['criterion.empty_weight'].tolist() == pytest.approx([1, 1, 1, 0.1])


def test_weights_with_dinov3_have_its_terms():
    names = {layout.name for layout in layouts.LAYOUTS.values() if layout.terms}
    assert names == {name for name in layouts.LAYOUTS if 'dinov3' in name} | {'pmt-image'}
