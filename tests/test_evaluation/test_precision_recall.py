"""Precision and recall of verdicts that are written by hand."""

import numpy as np
import pytest

from mmvseg.evaluation.functional.precision_recall import Verdicts, accumulate


def verdicts(hits):
    """Of one video and category with two objects; a letter a detection: r is right, w wrong."""
    hit = np.array([[[letter == 'r' for letter in hits]] * 10])
    scores = np.linspace(1, 0.5, len(hits))
    return Verdicts(1, scores, hit, np.zeros_like(hit), np.array([2]))


def test_limits_leave_out_the_detections_with_lower_scores():
    curves = accumulate([verdicts('rwr')], [1], limits=[1, 2, 3])
    assert curves.recall[0, 0, 0].tolist() == [0.5, 0.5, 1]
    assert curves.precision[0, -1, 0, 0].tolist() == pytest.approx([0, 0, 2 / 3])
    alone = accumulate([verdicts('rwr')], [1], limits=[3])
    np.testing.assert_array_equal(alone.precision[..., 0], curves.precision[..., 2])
    assert alone.average_precision() == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_as_many_limits_as_officially_by_default():
    assert accumulate([verdicts('r')], [1]).recall.shape == (10, 1, 1, 3)
