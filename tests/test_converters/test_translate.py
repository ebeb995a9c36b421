"""Published weights to ours and back: names, shapes and values."""

import pytest
import torch
from mmdet.models.backbones.pvt import pvt_convert
from mmdet.models.backbones.swin import swin_converter
from published_names import name_lists, published_weights, shapes_of

from mmvseg.checkpoints.conversion_note import ConversionNote
from mmvseg.checkpoints.published import layouts
from mmvseg.checkpoints.skeleton import build_skeleton
from mmvseg.converters.translate import rename, to_ours, to_theirs
from mmvseg.engine.config import load_config
from mmvseg.errors import UserError
from mmvseg.registry import MODELS


def note(converted):
    """What the converted file would note for the way back."""
    return ConversionNote(converted.layout.name, values=converted.noted, added=converted.added)


def random_state(model):
    """A state dict of the model's names and shapes with random values."""
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.randn(tensor.shape, generator=generator)
        if tensor.is_floating_point()
        else tensor.clone()
        for name, tensor in model.state_dict().items()
    }


@pytest.mark.parametrize('path', name_lists(), ids=lambda path: path.stem)
def test_round_trip_of_published_names(path):
    weights = published_weights(path)
    converted = to_ours(weights, layouts.recognise(weights))
    assert not converted.unknown
    back, layout = to_theirs(converted.weights)  # as if trained here, without a note
    assert layout is converted.layout
    assert shapes_of(back).keys() == weights.keys()
    kinds = shapes_of(weights)
    assert {name: kind for name, kind in shapes_of(back).items() if kind != kinds[name]} == {}


@pytest.mark.parametrize('backbone', ['r50', 'swin-l'])
def test_round_trip_keeps_every_value(backbone):
    parts = dict(**{'r50': 'MinVIS_R50', 'swin-l': 'swin__DVIS_Offline_SwinL'})
    path = next(path for path in name_lists() if path.stem.endswith(parts[backbone]))
    # the widest tensors aside, which are renamed like the rest, to save time
    weights = {
        name: tensor
        for name, tensor in published_weights(path, with_values=True).items()
        if tensor.numel() < 3e5 or 'downsample' in name
    }
    converted = to_ours(weights, layouts.recognise(weights))
    back, _ = to_theirs(converted.weights, note(converted))
    assert shapes_of(back) == shapes_of(weights)
    assert all(torch.equal(back[name], tensor) for name, tensor in weights.items())


def small_swin():
    return MODELS.build(
        dict(
            type='mmdet.SwinTransformer',
            embed_dims=12,
            depths=(1, 2, 1),
            num_heads=(1, 2, 4),
            strides=(4, 2, 2),
            out_indices=(0, 1, 2),
            window_size=4,
        )
    )


def test_swin_as_mmdet_converts_it():
    ours = random_state(small_swin())
    published, _ = to_theirs(
        {f'backbone.{name}': tensor for name, tensor in ours.items()},
        ConversionNote('swin'),
    )
    assert 'layers.0.blocks.0.attn.qkv.weight' in published
    oracle = swin_converter(published)  # its names begin with backbone.
    converted = to_ours(published, layouts.SWIN).weights
    assert oracle.keys() == converted.keys() == {f'backbone.{name}' for name in ours}
    for name, tensor in converted.items():
        assert torch.equal(tensor, oracle[name]), name
        assert torch.equal(tensor, ours[name.removeprefix('backbone.')]), name


def test_pvtv2_as_mmdet_converts_it():
    model = MODELS.build(
        dict(
            type='mmdet.PyramidVisionTransformerV2',
            embed_dims=8,
            num_layers=[1, 2, 1, 1],
            num_heads=[1, 1, 2, 2],
        )
    )
    ours = {f'backbone.{name}': tensor for name, tensor in random_state(model).items()}
    published, layout = to_theirs(ours)
    assert layout is layouts.PVTV2
    assert published['block1.0.attn.kv.weight'].shape == (16, 8)
    assert published['block1.0.mlp.fc1.weight'].dim() == 2
    oracle = pvt_convert(published | {'head.weight': torch.zeros(1)})
    converted = to_ours(published | {'head.weight': torch.zeros(1)}, layouts.recognise(published))
    assert converted.unused == ['head.weight']
    assert converted.weights.keys() == {f'backbone.{name}' for name in oracle} == ours.keys()
    for name, tensor in converted.weights.items():
        assert torch.equal(tensor, oracle[name.removeprefix('backbone.')]), name
        assert torch.equal(tensor, ours[name]), name


@pytest.mark.parametrize('layout', [layouts.TORCHVISION_RESNET, layouts.DETECTRON2_IMAGENET])
def test_resnet_without_counters(layout):
    model = MODELS.build(dict(type='mmdet.ResNet', depth=18, base_channels=8, stem_channels=8))
    ours = {f'backbone.{name}': tensor for name, tensor in random_state(model).items()}
    published, _ = to_theirs(ours, ConversionNote(layout.name))
    published = {n: t for n, t in published.items() if not n.endswith('num_batches_tracked')}
    converted = to_ours(published, layout)
    assert converted.weights.keys() == ours.keys()
    assert converted.weights['backbone.bn1.num_batches_tracked'] == 0
    back, _ = to_theirs(converted.weights, note(converted))
    assert back.keys() == published.keys()


def test_classifiers_are_not_used():
    names = {
        layouts.SWIN: ['head.weight', 'norm.bias', 'layers.0.blocks.1.attn_mask'],
        layouts.TORCHVISION_RESNET: ['fc.weight', 'fc.bias'],
        layouts.DETECTRON2_IMAGENET: ['stem.fc.weight', 'fc.bias'],
        layouts.PVTV2: ['head.bias'],
    }
    for layout, unused in names.items():
        converted = to_ours({name: torch.zeros(1) for name in unused}, layout)
        assert converted.unused == unused
        assert not converted.weights


def test_queries_of_older_checkpoints():
    weights = {'sem_seg_head.predictor.static_query.weight': torch.zeros(2, 3)}
    renamed = rename(weights, layouts.DETECTRON2_RESNET)
    assert list(renamed) == ['panoptic_head.query_feat.weight']


def test_loss_weights_are_made_for_models_trained_here():
    ours = {
        'panoptic_head.query_feat.weight': torch.zeros(2, 3),
        'panoptic_head.cls_embed.bias': torch.zeros(4),
        'backbone.conv1.weight': torch.zeros(1),
    }
    published, _ = to_theirs(ours)
    assert published['criterion.empty_weight'].tolist() == pytest.approx([1, 1, 1, 0.1])


@pytest.mark.parametrize(
    'name',
    [
        'backbone.fc.weight',
        'sem_seg_head.predictor.input_proj.0.bias',
        'tracker.transformer_time_self_attention_layers.0.norm.bias',
        'refiner.pos_embed.weight',
        'other.weight',
    ],
)
def test_unknown_names_are_reported(name):
    weights = {name: torch.zeros(1)}
    converted = to_ours(weights, layouts.DETECTRON2_RESNET)
    assert converted.unknown == [name]
    assert not converted.weights
    with pytest.raises(UserError, match=name):
        rename(weights, layouts.DETECTRON2_RESNET)


def test_way_back_of_other_models():
    with pytest.raises(UserError, match=r'none of the published models: head\.fc'):
        to_theirs({'head.fc': torch.zeros(1)})
    skeleton = build_skeleton(load_config('configs/shapes/tevit_msgshift_shapes.py').model)
    minvis = build_skeleton(load_config('configs/shapes/minvis_shapes.py').model)
    with pytest.raises(UserError, match='none of the published models'):  # on PVTv2
        to_theirs(minvis.state_dict())
    with pytest.raises(UserError, match='no model of dvis'):
        to_theirs(skeleton.state_dict(), source='dvis')
    ours = {
        'panoptic_head.query_feat.weight': torch.zeros(1),
        'backbone.conv1.weight': torch.zeros(1),
        'panoptic_head.own.weight': torch.zeros(1),
    }
    with pytest.raises(UserError, match=r'panoptic_head\.own\.weight'):
        to_theirs(ours)


def test_two_names_for_one_parameter():
    names = ('static_query', 'query_feat')
    weights = {f'sem_seg_head.predictor.{name}.weight': torch.zeros(1) for name in names}
    converted = to_ours(weights, layouts.DETECTRON2_RESNET)
    assert converted.unknown == ['sem_seg_head.predictor.query_feat.weight']


@pytest.mark.parametrize(
    ('layout', 'weights'),
    [
        (layouts.SWIN, {'layers.0.downsample.reduction.weight': torch.zeros(2, 7)}),
        (
            layouts.PVTV2,
            {
                'block1.0.attn.q.weight': torch.zeros(2),
                'block1.0.attn.kv.weight': torch.zeros(2, 2),
            },
        ),
    ],
)
def test_shapes_that_a_part_cannot_have(layout, weights):
    with pytest.raises(UserError, match=f'not those of {layout.name}'):
        to_ours(weights, layout)


def test_way_back_of_shapes_that_a_part_cannot_have():
    ours = {'backbone.layers.0.1.0.attn.attn.in_proj_weight': torch.zeros(())}
    with pytest.raises(UserError, match='shapes of backbone'):
        to_theirs(ours, ConversionNote('pvtv2'))


@pytest.mark.parametrize('values', [{'criterion.empty_weight': ['a']}, {'pixel_mean': [[1], 2]}])
def test_malformed_values_in_a_note(values):
    with pytest.raises(UserError, match='values is malformed'):
        to_theirs({}, ConversionNote('detectron2-resnet', values=values))


def test_a_note_can_neither_replace_nor_remove_weights():
    weights = {'panoptic_head.query_feat.weight': torch.zeros(1)}
    name = 'sem_seg_head.predictor.query_feat.weight'
    note = ConversionNote('detectron2-resnet', values={name: [1.0]}, added=list(weights))
    published, _ = to_theirs(weights, note)
    assert published == {name: torch.zeros(1)}


def test_unknown_queries_and_keys_of_pvtv2():
    names = [f'block9.0.attn.{name}.weight' for name in ('q', 'kv')]
    converted = to_ours({name: torch.zeros(2, 2) for name in names}, layouts.PVTV2)
    assert converted.unknown == ['block9.0.attn.in_proj.weight']
