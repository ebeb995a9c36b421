"""AP of weighted videos against AP of videos that are really there so often."""

import numpy as np
import pytest
from run_records import random_verdicts

from mmvseg.analysis import weighted_ap
from mmvseg.analysis.bootstrap import draw_videos
from mmvseg.analysis.weighted_ap import WeightedAP, mean_of_classes
from mmvseg.evaluation.functional.precision_recall import Verdicts, accumulate

NUM_VIDEOS, CATEGORIES = 7, [3, 1, 2]


def weighted(verdicts, categories=CATEGORIES):
    return WeightedAP(verdicts, range(10, 10 + NUM_VIDEOS), categories)


def repeated(verdicts, weights, categories=CATEGORIES):
    """AP by threshold and class, (T, K), of the videos repeated in the list."""
    many = [v for video, v in verdicts for _ in range(weights[video - 10])]
    precision = accumulate(many, categories).precision[:, :, :, 0, -1]
    return np.where(precision < 0, np.nan, precision).mean(axis=1)


@pytest.mark.parametrize('seed', range(3))
def test_with_weights_of_one_it_is_ap(seed):
    verdicts = random_verdicts(NUM_VIDEOS, CATEGORIES, seed)
    values = weighted(verdicts)(np.ones((1, NUM_VIDEOS), int))
    np.testing.assert_allclose(values[0], repeated(verdicts, [1] * NUM_VIDEOS), rtol=0, atol=1e-14)
    official = accumulate([v for _, v in verdicts], CATEGORIES).average_precision()
    assert 0.1 < official < 0.9
    assert mean_of_classes(values.mean(axis=1))[0] == pytest.approx(official, rel=0, abs=1e-14)


def test_a_video_that_is_drawn_twice_counts_twice():
    verdicts = random_verdicts(NUM_VIDEOS, CATEGORIES)
    draws = draw_videos(NUM_VIDEOS, 20)
    assert draws.max() > 2
    values = weighted(verdicts)(draws)
    expected = [repeated(verdicts, draw) for draw in draws]
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)
    assert len({*values.mean(axis=1)[:, 0].round(6)}) > 10


def test_a_video_alone():
    verdicts = random_verdicts(NUM_VIDEOS, CATEGORIES)
    values = weighted(verdicts)(np.eye(NUM_VIDEOS, dtype=int))
    for video in range(NUM_VIDEOS):
        own = [v for v in verdicts if v[0] == 10 + video]
        expected = repeated(own, [1] * NUM_VIDEOS)
        np.testing.assert_allclose(values[video], expected, rtol=0, atol=1e-14)
    assert np.isnan(values).any()
    assert not np.isnan(values).all()


def test_draws_in_parts_are_the_same(monkeypatch):
    verdicts, draws = random_verdicts(NUM_VIDEOS, CATEGORIES), draw_videos(NUM_VIDEOS, 7)
    whole = weighted(verdicts)(draws)
    monkeypatch.setattr(weighted_ap, '_CHUNK_SIZE', 2)
    np.testing.assert_allclose(weighted(verdicts)(draws), whole, rtol=0, atol=1e-14)


def test_a_class_without_objects_or_without_anything_has_no_ap():
    verdicts = random_verdicts(NUM_VIDEOS, [1, 2])
    for _, verdict in verdicts:
        if verdict.category_id == 2:
            verdict.positives[:] = 0
            verdict.hit[:] = False
    values = weighted(verdicts)(np.ones((2, NUM_VIDEOS), int))
    assert np.isnan(values[:, :, [0, 2]]).all()
    assert (values[:, :, 1] > 0).all()
    assert mean_of_classes(values.mean(axis=1)) == pytest.approx(values[:, :, 1].mean(axis=1))
    assert np.isnan(mean_of_classes(values[..., [0]])).all()


def test_objects_that_nothing_finds_make_an_ap_of_zero():
    nothing = np.zeros((1, 10, 0), bool)
    missed = (10, Verdicts(1, np.zeros(0), nothing, nothing, np.array([2])))
    assert (weighted([missed], [1])(np.ones((1, NUM_VIDEOS), int)) == 0).all()


def test_the_copies_of_a_track_stand_side_by_side():
    hit = np.array([[[True, False]] * 10])
    verdict = Verdicts(1, np.array([0.5, 0.5]), hit, np.zeros_like(hit), np.array([1]))
    weights = np.array([[2, *[0] * (NUM_VIDEOS - 1)]])
    np.testing.assert_allclose(weighted([(10, verdict)], [1])(weights), 1)
