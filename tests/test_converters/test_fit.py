"""What converted weights lack, and what they have too much of."""

import pytest
import torch
from published_names import name_lists, published_weights
from torch import nn

from mmvseg.checkpoints.published import layouts
from mmvseg.converters.configs import CONFIGS, find_targets, fit_to_target, read_target
from mmvseg.converters.fit import fit_to_model, refuse_misfit
from mmvseg.converters.translate import Converted, to_ours
from mmvseg.errors import UserError


def model(num_classes=3, queries=5):
    return nn.ModuleDict(
        dict(
            backbone=nn.ModuleDict(dict(conv=nn.Conv2d(3, 4, 1), norm0=nn.LayerNorm(4))),
            roi_head=nn.ModuleDict(
                dict(fc_cls=nn.Linear(4, num_classes), queries=nn.Embedding(queries, 4))
            ),
            tracker=nn.Linear(2, 2),
        )
    )


def converted(without=(), **extra):
    weights = {n: t for n, t in model().state_dict().items() if not n.startswith(tuple(without))}
    return Converted(layouts.MMDET, weights | extra)


def test_complete():
    fit = fit_to_model(converted(), model(), 'tevit')
    assert fit.complete
    assert not fit.left_to_training(model().state_dict())


def test_class_heads_of_another_size_are_dropped():
    weights = converted()
    fit = fit_to_model(weights, model(num_classes=7), 'tevit')
    assert fit.possible
    assert not fit.complete
    assert fit.class_heads == ['roi_head.fc_cls.weight', 'roi_head.fc_cls.bias']
    assert 'roi_head.fc_cls.weight' not in weights.weights
    assert fit.left_to_training(weights.weights) == ['roi_head.fc_cls']


def test_another_number_of_queries_is_refused():
    weights = converted()
    fit = fit_to_model(weights, model(queries=9), 'tevit')
    message = r'roi_head\.queries\.weight: \(5, 4\) in the checkpoint, \(9, 4\) in the model'
    with pytest.raises(UserError, match=message):
        refuse_misfit(fit, 'a.pth')


def test_what_training_adds_may_be_absent():
    weights = converted(without=['tracker'])
    assert not fit_to_model(weights, model(), 'minvis').possible
    fit = fit_to_model(weights, model(), 'minvis', ['tracker'])
    assert fit.possible
    assert fit.left_to_training(weights.weights) == ['tracker']


def test_backbones_alone():
    weights = converted(without=['tracker', 'roi_head', 'backbone.norm0'])
    assert not fit_to_model(weights, model(), 'tevit').possible
    fit = fit_to_model(weights, model(), 'swin')
    assert fit.possible
    assert fit.left_to_training(weights.weights) == ['backbone.norm0', 'roi_head', 'tracker']
    del weights.weights['backbone.conv.bias']
    assert fit_to_model(weights, model(), 'swin').missing == ['backbone.conv.bias']


def test_both_lists_and_the_closest_names_are_shown():
    weights = converted(without=['roi_head.queries'])
    weights.weights['roi_head.querie.weight'] = torch.zeros(5, 4)
    weights.unknown.append('neck.strange')
    fit = fit_to_model(weights, model(), 'tevit')
    with pytest.raises(UserError) as error:
        refuse_misfit(fit, 'a.pth and b.py')
    lines = str(error.value).splitlines()
    assert lines[0].startswith('a.pth and b.py')
    assert 'in the checkpoint only, 2:' in lines
    assert 'in the model only, 1:' in lines
    assert any('roi_head.querie.weight: closest is roi_head.queries.weight' in x for x in lines)
    assert any('neck.strange' in line for line in lines)


def test_tables_of_relative_positions_are_scaled_to_another_window():
    class Attention(nn.Module):
        def __init__(self, window, heads=2):
            super().__init__()
            self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, 2))
            index = torch.full((window**2, window**2), window)
            self.register_buffer('relative_position_index', index)

    def swin(window):
        return nn.ModuleDict(dict(backbone=nn.ModuleDict(dict(attn=Attention(window)))))

    state = swin(4).state_dict()
    name = 'backbone.attn.relative_position_bias_table'
    rows = torch.arange(7.0).repeat_interleave(7)  # grows with the row
    state[name] = torch.stack([rows, -rows], 1)
    weights = Converted(layouts.SWIN, state)
    fit = fit_to_model(weights, swin(7), 'swin')
    assert fit.possible
    assert fit.resized == [name]
    table = weights.weights[name].T.view(2, 13, 13)
    assert torch.allclose(table[0], -table[1])
    assert torch.allclose(table[:, 6], torch.tensor([3.0, -3.0])[:, None].expand(2, 13), atol=1e-4)
    assert (table[0].diff(dim=0) > 0).all()
    index = weights.weights['backbone.attn.relative_position_index']
    assert torch.equal(index, torch.full((49, 49), 7))


@pytest.mark.parametrize('path', name_lists(), ids=lambda path: path.stem)
def test_published_checkpoints_fill_their_models(path):
    weights = published_weights(path)
    source = 'dvis' if path.parts[-3] == 'dvis' else 'tevit'
    if 'MinVIS' in path.stem or 'queryinst' in path.stem:
        source = 'minvis' if 'MinVIS' in path.stem else 'queryinst'
    targets = find_targets(to_ours(weights, layouts.recognise(weights)), source)
    assert targets
    classes = len(next(t for n, t in weights.items() if n.endswith(CLASS_BIASES)))
    for target in targets:
        assert target.path.is_relative_to(CONFIGS / source)
        assert len(target.classes['classes']) == classes - (source in ('dvis', 'minvis'))


CLASS_BIASES = ('predictor.class_embed.bias', 'bbox_head.0.fc_cls.bias')


@pytest.mark.parametrize(
    ('name', 'config', 'left'),
    [
        ('MinVIS_R50', 'dvis/dvis_online_r50_ytvis19.py', ['tracker']),
        ('MinVIS_R50', 'minvis/minvis_r50_ovis.py', ['panoptic_head.cls_embed']),
        (
            'queryinst_r50_fpn_100',
            'tevit/tevit_r50.py',
            [
                f'roi_head.{head}.{stage}.{layer}'
                for head, layer in (('bbox_head', 'fc_cls'), ('mask_head', 'conv_logits'))
                for stage in range(6)
            ],
        ),
    ],
)
def test_starts_of_the_next_stage(name, config, left):
    path = next(path for path in name_lists() if path.stem.endswith(name))
    weights = published_weights(path)
    start = to_ours(weights, layouts.recognise(weights))
    fit = fit_to_target(start, read_target(CONFIGS / config), 'auto', name)
    assert sorted(fit.left_to_training(start.weights)) == sorted(left)


def test_a_later_stage_does_not_fit_an_earlier_model():
    path = next(path for path in name_lists() if path.stem.endswith('DVIS_Offline_R50_720p'))
    weights = published_weights(path)
    offline = to_ours(weights, layouts.recognise(weights))
    target = read_target(CONFIGS / 'dvis/dvis_online_r50_vipseg.py')
    with pytest.raises(UserError, match=r'in the checkpoint only, \d+:\n.*refiner'):
        fit_to_target(offline, target, 'dvis', 'a.pth')
