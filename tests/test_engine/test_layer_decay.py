"""Learning rate, weight decay and schedule of each parameter, against the published tables."""

import csv

import pytest
import torch
from helpers import REPOSITORY
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from query_vits import query_model
from torch import nn

from mmvseg.converters.translate import to_theirs
from mmvseg.errors import UserError

OWN = REPOSITORY / 'tests' / 'data' / 'videomt_optimisation'
SHARED = REPOSITORY.parent / 'shared' / 'families' / 'videomt' / 'lr_groups'
TABLES = {path.stem: path for folder in (OWN, SHARED) for path in sorted(folder.glob('*.tsv'))}


def published(path):
    """Multiplier, weight decay and schedule by published name."""
    with path.open() as file:
        return {
            row['name']: (float(row['lr_multiplier']), float(row['weight_decay']), row['schedule'])
            for row in csv.DictReader(file, delimiter='\t')
        }


def our_names(model):
    """Our names of the trained parameters by the published ones."""
    names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    numbers = {
        name: torch.full_like(parameter, names.index(name) if name in names else -1)
        for name, parameter in model.named_parameters()
    }
    theirs, _ = to_theirs(numbers)
    del theirs['criterion.empty_weight']  # which is no parameter
    first = {name: int(tensor.flatten()[0]) for name, tensor in theirs.items()}
    return {name: names[number] for name, number in first.items() if number >= 0}


def groups_of(model, lr=1e-4, **paramwise_cfg):
    """The groups of AdamW."""
    init_default_scope('mmvseg')
    cfg = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=lr, weight_decay=0.05))
    if paramwise_cfg:
        cfg.update(
            constructor='LayerDecayOptimWrapperConstructor', paramwise_cfg=dict(paramwise_cfg)
        )
    return build_optim_wrapper(model, cfg).optimizer.param_groups


def multipliers(model, **paramwise_cfg):
    """Multiplier, weight decay and schedule of each trained parameter."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {
        names[id(parameter)]: (
            pytest.approx(group['lr'] / 1e-4, rel=1e-8),
            group['weight_decay'],
            'encoder' if group.get('encoder') else 'other',
        )
        for group in groups_of(model, **paramwise_cfg)
        for parameter in group['params']
        if parameter.requires_grad
    }


@pytest.mark.parametrize('table', TABLES)
def test_groups_are_the_published_ones(table):
    size, dino = table.split('_')[-2:]
    dinov3 = dino == 'dinov3'
    kind, options = 'VidEoMT', dict(decay_rate=0.6, decay_final_norm=dinov3)
    if 'PMT' in table:
        kind, options = 'PMT', {}
    model = query_model(kind, 24 if size == 'L' else 12, dinov3)
    groups = multipliers(model, **options)
    ours = {theirs: groups[name] for theirs, name in our_names(model).items()}
    assert ours == published(TABLES[table])
    assert set(our_names(model).values()) == groups.keys()


def test_parameters_of_one_rate_are_one_group():
    groups = groups_of(query_model(depth=4), decay_rate=0.5)
    kinds = [(group['lr'] / 1e-4, group['encoder']) for group in groups]
    assert sorted(kinds) == [(0.125, True), (0.25, True), (0.5, True), (1, False), (1, True)]
    lowest = next(group for group in groups if group['lr'] == 1e-4 / 8)
    assert len(lowest['params']) == 5 + len([*query_model(depth=4).backbone.blocks[0].parameters()])


def test_final_norm():
    def rate(**options):
        return multipliers(query_model(depth=3), decay_rate=0.5, **options)['backbone.norm.bias'][0]

    assert rate() == 1
    assert rate(decay_final_norm=True) == 0.25


def test_query_blocks_at_the_full_rate():
    def rates(**options):
        groups = multipliers(
            query_model('EoMT', depth=4, num_query_blocks=2), decay_rate=0.5, **options
        )
        assert all(groups[f'backbone.blocks.{i}.ls1'][2] == 'encoder' for i in range(4))
        return [groups[f'backbone.blocks.{i}.ls1'][0] for i in range(4)]

    assert rates() == [0.125, 0.25, 0.5, 1]
    assert rates(decay_query_blocks=False) == [0.125, 0.25, 1, 1]


def test_frozen_parameters_are_left_out():
    model = query_model('PMT', depth=4)
    groups = groups_of(model, decay_rate=0.5)
    assert [(group['lr'], group['encoder']) for group in groups] == [(1e-4, False)]
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert len(groups[0]['params']) == len(trained)


class NoVit(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Conv2d(3, 4, 1)


class NoQueries(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = query_model(depth=2).backbone


@pytest.mark.parametrize(
    ('model', 'options', 'message'),
    [
        (NoVit(), dict(decay_rate=0.6), r'constructor: .* is of type Conv2d; remove'),
        (
            nn.Linear(1, 1),
            dict(decay_rate=0.6),
            r'optim_wrapper\.constructor: .* is missing; remove',
        ),
        (
            NoQueries(),
            dict(decay_rate=0.6, decay_query_blocks=False),
            r'optim_wrapper\.paramwise_cfg\.decay_query_blocks = False: .* is NoQueries',
        ),
        (query_model(), dict(decay_rate=0), r'optim_wrapper\.paramwise_cfg\.decay_rate = 0: '),
        (query_model(), dict(decay_rate='x'), r"decay_rate = 'x': .* a number above 0, at most 1"),
        (query_model(), dict(decay_final_norm=True), r'paramwise_cfg\.decay_rate = None'),
        (
            query_model(),
            dict(decay_rate=0.6, norm_decay_mult=0.0),
            r'optim_wrapper\.paramwise_cfg\.norm_decay_mult: .* knows only decay_rate, ',
        ),
        (query_model(), dict(decay_rate=0.6, lr=None), r'optim_wrapper\.optimizer\.lr: '),
    ],
)
def test_what_cannot_be_used_is_named(model, options, message):
    with pytest.raises(UserError, match=message):
        groups_of(model, **options)


def test_training_steps_follow_the_multipliers():
    model = query_model(depth=2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    groups = groups_of(model, decay_rate=0.25)
    optimizer = torch.optim.AdamW(groups, weight_decay=0)
    for group in groups:
        group['weight_decay'] = 0
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()  # AdamW's first step is as long as the rate
    moved = {
        name: float((before[name] - value).mean()) for name, value in model.state_dict().items()
    }
    assert moved['backbone.blocks.0.ls1'] == pytest.approx(0.25e-4, rel=1e-2)
    assert moved['backbone.cls_token'] == pytest.approx(0.25e-4, rel=1e-2)
    assert moved['backbone.blocks.1.ls1'] == pytest.approx(1e-4, rel=1e-2)
    assert moved['query_updater.bias'] == pytest.approx(1e-4, rel=1e-2)
