import math
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import init_default_scope
from torch import nn

from mmvseg.engine.schedule import check_schedule
from mmvseg.registry import PARAM_SCHEDULERS

LEAVES = sorted(str(path) for path in Path('configs').rglob('*.py') if '_base_' not in path.parts)


@pytest.mark.parametrize('path', LEAVES)
def test_leaf_configs_are_short_and_say_what_they_need(path, capsys):
    lines = Path(path).read_text().splitlines()
    heading = '\n'.join(line for line in lines if line.startswith('#'))
    assert len(lines) <= 70
    assert ' x ' in heading  # GPUs x clips x frames
    assert 'rained' in heading or 'Measured' in heading
    cfg = Config.fromfile(path)
    assert {'model', 'train_dataloader', 'test_dataloader', 'optim_wrapper'} <= cfg.keys()
    if 'max_iters' in cfg.train_cfg:
        check_schedule(cfg)
        assert capsys.readouterr().err == ''  # no rate falls for longer than the training


def learning_rates(schedule, iterations):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=2.5e-4)
    schedulers = [PARAM_SCHEDULERS.build(dict(s, optimizer=optimizer)) for s in schedule]
    rates = []
    for _ in range(iterations):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


def test_tevit_learning_rate_is_the_published_one():
    init_default_scope('mmvseg')
    schedule = Config.fromfile('configs/tevit/tevit_msgshift.py').param_scheduler
    rates = learning_rates(schedule, 8501)
    for iteration, expected in {
        0: 2.5e-7,
        1: 5.743506e-7,
        385: 1.25125e-4,
        769: 2.496756e-4,
        770: 2.5e-4,
        6099: 2.5e-4,
        6100: 2.5e-5,
        8500: 2.5e-6,
    }.items():
        assert math.isclose(rates[iteration], expected, rel_tol=1e-5), iteration


class Parts(nn.Module):
    """Parameters under the names that the rules of the Swin-L config look for."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.ModuleDict(dict(norm0=nn.LayerNorm(2), proj=nn.Linear(2, 2)))
        self.backbone.relative_position_bias_table = nn.Parameter(torch.zeros(2))
        self.head = nn.ModuleDict(
            dict(attention_norm=nn.LayerNorm(2), bn=nn.BatchNorm2d(2), fc=nn.Linear(2, 2))
        )


def test_swin_parameters_take_the_rule_with_the_longest_key():
    init_default_scope('mmvseg')
    cfg = Config.fromfile('configs/tevit/tevit_swin-l_mstrain.py').optim_wrapper
    model = Parts()
    wrapper = DefaultOptimWrapperConstructor(
        dict(type='OptimWrapper', optimizer=cfg.optimizer), cfg.paramwise_cfg
    )(model)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = {names[id(g['params'][0])]: g for g in wrapper.optimizer.param_groups}
    rate_and_decay = {name: (g['lr'], g['weight_decay']) for name, g in groups.items()}
    assert rate_and_decay['backbone.relative_position_bias_table'] == (2.5e-4, 0)
    assert rate_and_decay['backbone.norm0.weight'] == (2.5e-5, 1e-4)
    assert rate_and_decay['backbone.proj.weight'] == (2.5e-5, 1e-4)
    assert rate_and_decay['head.attention_norm.weight'] == (2.5e-4, 0)
    assert rate_and_decay['head.bn.weight'] == (2.5e-4, 1e-4)
    assert rate_and_decay['head.fc.weight'] == (2.5e-4, 1e-4)
