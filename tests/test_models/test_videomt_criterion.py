import pytest
import query_cases as cases
import torch
from query_cases import HEIGHT, WIDTH, K

from mmvseg.models.losses import QueryCriterion, VidEoMTCriterion

SETTINGS = dict(num_points=HEIGHT * WIDTH, oversample_ratio=1.0, importance_sample_ratio=1.0)


def losses_of(kind, labels, monkeypatch):
    cases.use_pixel_centres(monkeypatch)
    criterion = kind(K, dict(type='ExclusiveQueryMatcher'), **SETTINGS)
    predicted, target = cases.predictions(), cases.targets(labels)
    losses = criterion([predicted], [target], videos='a')
    (assignment,) = criterion.matcher.assign(predicted, [target], 1, 'a')
    return losses, torch.stack(assignment, dim=1).tolist()


def test_no_object_is_matched_as_such_and_trained_as_the_last_class(monkeypatch):
    labels = [0, K]
    losses, pairs = losses_of(VidEoMTCriterion, labels, monkeypatch)
    predicted, target = cases.predictions(), cases.targets(labels)
    matcher = QueryCriterion(K, dict(type='ExclusiveQueryMatcher'), **SETTINGS).matcher
    (expected,) = matcher.assign(predicted, [target], 1, 'a')  # with K: "no object"
    assert pairs == torch.stack(expected, dim=1).tolist()
    plain = cases.losses(predicted, [cases.targets([0, K - 1])], [pairs], num_masks=2)
    for name, loss in losses.items():
        assert loss.item() == pytest.approx(plain[name].item(), rel=1e-6)


def test_other_criteria_train_it_as_no_object(monkeypatch):
    last_class, pairs = losses_of(VidEoMTCriterion, [0, K], monkeypatch)
    no_object, same = losses_of(QueryCriterion, [0, K], monkeypatch)
    assert pairs == same
    assert last_class['loss_ce'].item() != pytest.approx(no_object['loss_ce'].item())


def test_real_classes_stay_what_they_are(monkeypatch):
    ours, pairs = losses_of(VidEoMTCriterion, [1, 0], monkeypatch)
    plain, same = losses_of(QueryCriterion, [1, 0], monkeypatch)
    assert pairs == same
    assert {name: loss.item() for name, loss in ours.items()} == {
        name: loss.item() for name, loss in plain.items()
    }
