"""Matrix products by either library."""

import pytest
import torch
import torch.nn.functional as F

from mmvseg.ops import linear as module
from mmvseg.ops.linear import ACTIVATIONS, linear, onednn, onednn_is_faster

needs_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason='this torch has no oneDNN'
)


@pytest.fixture
def called(monkeypatch):
    """How often oneDNN computed."""
    calls = []
    product = module.product

    def counted(*args):
        calls.append(args)
        return product(*args)

    monkeypatch.setattr(module, 'product', counted)
    return calls


@needs_onednn
@pytest.mark.parametrize('activation', ACTIVATIONS)
@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('shape', [(5, 12), (2, 3, 12), (1, 1, 12)])
def test_both_libraries_agree(called, activation, bias, shape):
    rows, weight = torch.randn(shape), torch.randn(7, 12)
    bias = torch.randn(7) if bias else None
    expected = linear(rows, weight, bias, activation)
    with torch.no_grad(), onednn(True):
        assert not called
        torch.testing.assert_close(linear(rows, weight, bias, activation), expected)
    assert len(called) == 1


@needs_onednn
@pytest.mark.parametrize(
    'case', ['gradients', 'float64', 'autocast', 'strided', 'empty', 'outside']
)
def test_what_onednn_cannot_do_is_left_to_torch(called, case):
    rows, weight = torch.randn(4, 12), torch.randn(7, 12)
    if case == 'float64':
        rows, weight = rows.double(), weight.double()
    if case == 'strided':
        weight = torch.randn(12, 7).t()
    if case == 'empty':
        rows = rows[:0]
    with (
        torch.set_grad_enabled(case == 'gradients'),
        onednn(case != 'outside'),
        torch.autocast('cpu', torch.bfloat16, enabled=case == 'autocast'),
    ):
        output = linear(rows, weight, None, 'relu')
        torch.testing.assert_close(output, F.linear(rows, weight).relu())
    assert not called


@needs_onednn
@pytest.mark.parametrize(('factor', 'expected'), [(0.5, True), (1.05, True), (1.3, False)])
def test_the_faster_library_is_measured(monkeypatch, factor, expected):
    """A clock that runs ``factor`` times as long for oneDNN."""
    clock = iter(
        x for start in range(100) for x in (start * 9, start * 9 + factor, start * 9 + factor + 1)
    )
    monkeypatch.setattr(module.time, 'thread_time', lambda: next(clock))
    onednn_is_faster.cache_clear()
    try:
        assert onednn_is_faster() is expected
    finally:
        onednn_is_faster.cache_clear()


def test_without_onednn(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, 'is_available', lambda: False)
    onednn_is_faster.cache_clear()
    try:
        assert onednn_is_faster() is False
    finally:
        onednn_is_faster.cache_clear()
