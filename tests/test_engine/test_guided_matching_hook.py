from types import SimpleNamespace

import pytest
from mmengine.model import MMDistributedDataParallel
from torch import nn

from mmvseg.engine.hooks import GuidedMatchingHook
from mmvseg.errors import UserError


class Guided(nn.Module):
    guided_matching = None


def guidance(hook, model, max_iters, bare=None):
    """The flag in each iteration."""
    seen = []
    for iteration in range(max_iters):
        runner = SimpleNamespace(model=model, iter=iteration, max_iters=max_iters)
        hook.before_train_iter(runner, iteration)
        seen.append((bare or model).guided_matching)
    return seen


@pytest.mark.parametrize(
    ('fraction', 'expected'), [(0.5, [True] * 3 + [False] * 3), (0, [False] * 6), (1, [True] * 6)]
)
def test_the_first_part_is_guided(fraction, expected):
    assert guidance(GuidedMatchingHook(fraction), Guided(), 6) == expected


def test_odd_number_of_iterations():
    assert guidance(GuidedMatchingHook(), Guided(), 3) == [True, True, False]


def test_wrapped_model(monkeypatch):
    monkeypatch.setattr(
        MMDistributedDataParallel, '__init__', lambda self: nn.Module.__init__(self)
    )
    wrapper = MMDistributedDataParallel()
    wrapper.module = Guided()
    GuidedMatchingHook().before_train(SimpleNamespace(model=wrapper))
    assert guidance(GuidedMatchingHook(), wrapper, 2, wrapper.module) == [True, False]


def test_model_that_cannot_be_guided():
    with pytest.raises(UserError, match=r'model\.type is Linear; remove the hook'):
        GuidedMatchingHook().before_train(SimpleNamespace(model=nn.Linear(1, 1)))
    with pytest.raises(UserError, match=r'fraction=2'):
        GuidedMatchingHook(2)
