"""Focal loss against its formula and mmdet's own, and compiled mmcv on a GPU."""

import math

import pytest
import torch
from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss

from mmvseg import compat
from mmvseg.ops import sigmoid_focal_loss

LOGITS = torch.tensor([[0.3, -2.0, 1.5], [4.0, 0.0, -1.0], [-30.0, 30.0, 0.2]])
TARGET = torch.tensor([1, 3, 0])  # 3: background


def formula(gamma, alpha):
    loss = torch.zeros(3, 3, dtype=torch.float64)
    for n, row in enumerate(LOGITS.double().tolist()):
        for k, logit in enumerate(row):
            p = 1 / (1 + math.exp(-logit))
            if k == TARGET[n]:
                loss[n, k] = -alpha * (1 - p) ** gamma * math.log(p)
            else:
                loss[n, k] = (1 - alpha) * p**gamma * math.log(1 + math.exp(logit))
    return loss


@pytest.mark.parametrize(('gamma', 'alpha'), [(2.0, 0.25), (1.0, 0.5)])
def test_equals_formula(gamma, alpha):
    expected = formula(gamma, alpha)
    none = sigmoid_focal_loss(LOGITS.double(), TARGET, gamma, alpha, None, 'none')
    torch.testing.assert_close(none, expected)
    for reduction, total in (('sum', expected.sum()), ('mean', expected.sum() / 3)):
        got = sigmoid_focal_loss(LOGITS.double(), TARGET, gamma, alpha, None, reduction)
        torch.testing.assert_close(got, total)


def test_class_weight_follows_the_row():
    weight = torch.tensor([2.0, 5.0, 7.0])
    plain = sigmoid_focal_loss(LOGITS, TARGET, reduction='none')
    weighted = sigmoid_focal_loss(LOGITS, TARGET, weight=weight, reduction='none')
    torch.testing.assert_close(weighted, plain * torch.tensor([[5.0], [1.0], [2.0]]))


def test_equals_mmdet():
    one_hot = torch.nn.functional.one_hot(TARGET, 4)[:, :3]
    expected = py_sigmoid_focal_loss(LOGITS, one_hot, reduction='none')
    torch.testing.assert_close(sigmoid_focal_loss(LOGITS, TARGET, reduction='none'), expected)


def test_gradient():
    logits = LOGITS.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: sigmoid_focal_loss(x, TARGET), logits)


def test_half_precision_is_computed_in_float32():
    half = LOGITS.half()
    got = sigmoid_focal_loss(half, TARGET, reduction='none')
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, sigmoid_focal_loss(half.float(), TARGET, reduction='none'))


def test_no_rows():
    loss = sigmoid_focal_loss(torch.zeros(0, 3, requires_grad=True), TARGET[:0])
    loss.backward()
    assert loss == 0


@pytest.mark.skipif(
    not (torch.cuda.is_available() and compat.has_compiled_ops()),
    reason='no GPU or no compiled mmcv',
)
def test_equals_compiled_mmcv():
    from mmcv.ops import sigmoid_focal_loss as compiled

    results = []
    for function in (sigmoid_focal_loss, compiled):
        logits = LOGITS.cuda().requires_grad_()
        loss = function(logits, TARGET.cuda(), 2.0, 0.25, None, 'none')
        loss.sum().backward()
        results.append((loss, logits.grad))
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected)
