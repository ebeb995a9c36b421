from dataclasses import replace

import numpy as np
import pytest
from run_records import record

from mmvseg.analysis.bootstrap import draw_videos
from mmvseg.analysis.weighted_tracking import NAMES, WeightedTracking
from mmvseg.evaluation.functional.tracking_numbers import CLASS_SUM

FIELDS = dict(
    HOTA=('mean_over_alpha', 'HOTA'),
    DetA=('mean_over_alpha', 'DetA'),
    AssA=('mean_over_alpha', 'AssA'),
    IDF1=('Identity', 'IDF1'),
    IDSW=('CLEAR', 'IDSW'),
)
#: Of three classes, the last one occurs nowhere.
TRACKING = record(
    [['aaaa', 'bbbb'], ['aaaa', 'cc..'], ['aaaa']],
    [['aabb', 'bbaa', 'dddd'], ['AAAA', '..cc'], ['aa..', '..aa', 'bbbb']],
    num_categories=3,
    object_categories=[1, 1, 1, 2, 1],
    categories=[1, 1, 2, 1, 2, 1, 1, 1],
).tracking


def repeated(tracking, weights):
    """The videos as often as they are drawn, under other ids."""
    copies = [
        (v, n) for v, number in zip(tracking.videos, weights, strict=True) for n in range(number)
    ]
    return replace(
        tracking,
        videos={f'{v} {n}': f'{v} {n}' for v, n in copies},
        sums={
            (f'{v} {n}', c): sums
            for (video, c), sums in tracking.sums.items()
            for v, n in copies
            if v == video
        },
    )


@pytest.mark.parametrize('weights', [[1, 1, 1], *draw_videos(3, 6).tolist()])
def test_a_video_counts_as_often_as_it_is_drawn(weights):
    values = WeightedTracking(TRACKING)(np.array([weights]))
    many = repeated(TRACKING, weights)
    overall, occurring = many.overall(), [c for c in (1, 2, 3) if many.of_category(c).occurs]
    for name, (measure, field) in FIELDS.items():
        expected = overall[CLASS_SUM][measure][field]
        assert values.class_sum[name][0] == pytest.approx(expected, rel=0, abs=1e-12)
        of_classes = [overall[f'class_{c}'][measure][field] for c in occurring]
        found = values.classes[name][0]
        np.testing.assert_allclose(found[[c - 1 for c in occurring]], of_classes, atol=1e-12)
        assert np.isnan(found).sum() == 3 - len(occurring)
        mean = sum(of_classes) / (1 if name == 'IDSW' else len(occurring))
        assert values.class_mean[name][0] == pytest.approx(mean, rel=0, abs=1e-12)


def test_the_scene_has_something_of_everything():
    values = WeightedTracking(TRACKING)(np.ones((1, 3), int))
    assert all(0 < values.class_sum[name][0] < 1 for name in NAMES[:-1])
    assert values.class_sum['IDSW'][0] == 3


def test_a_video_without_anything_has_no_numbers():
    tracking = record([['aaaa'], ['....']], [['aaaa'], []]).tracking
    values = WeightedTracking(tracking)(np.eye(2, dtype=int))
    for name in NAMES:
        np.testing.assert_array_equal(np.isnan(values.class_sum[name]), [False, True])
        np.testing.assert_array_equal(np.isnan(values.class_mean[name]), [False, True])
