import pytest
import torch

from mmvseg.models.postprocess.class_scores import RunningMean, class_probabilities


def log(rows):
    return torch.tensor(rows).log()


def test_tracker_rescues_what_the_refiner_calls_no_object():
    refined, online = log([[0.06, 0.04, 0.9]]), log([[0.95, 0.04, 0.01]])
    assert class_probabilities(refined)[0].tolist() == pytest.approx([0.06, 0.04, 0.9])
    both = class_probabilities(refined, online)[0]
    assert both.tolist() == pytest.approx([0.95, 0.04, 0.9])
    assert both.argmax() == 0


def test_no_object_of_the_tracker_does_not_count():
    refined, online = log([[0.6, 0.3, 0.1]]), log([[0.05, 0.35, 0.6]])
    assert class_probabilities(refined, online)[0].tolist() == pytest.approx([0.6, 0.35, 0.1])


def test_probabilities_have_full_precision():
    assert class_probabilities(torch.zeros(2, 3, dtype=torch.bfloat16)).dtype == torch.float32


def test_running_mean_does_not_depend_on_windows():
    logits = torch.randn(7, 2, 3)
    whole, parts = RunningMean(), RunningMean()
    whole.add(logits)
    for part in logits.split([1, 4, 2]):
        parts.add(part)
    assert torch.equal(whole.value, parts.value)
    torch.testing.assert_close(whole.value, logits.mean(0))
