"""Outlines of lines and curves."""

import numpy as np
import pytest

from mmvseg.formats.labels.curves import flattened


def test_lines_stay_as_they_are():
    points = [[0, 0], [8, 0], [8, 8]]
    np.testing.assert_array_equal(flattened(points, 'LLL'), points)


@pytest.mark.parametrize('end', ['L', 'C'])
def test_a_curve_ends_at_the_third_point(end):
    points = flattened([[0, 0], [0, 10], [10, 10], [10, 0], [5, -5]], f'LCC{end}L')
    np.testing.assert_array_equal(points[[0, -2, -1]], [[0, 0], [10, 0], [5, -5]])
    # the middle of the curve is at 1/8, 3/8, 3/8, 1/8 of its points
    assert np.abs(points - [5, 7.5]).sum(1).min() < 0.5
    assert np.linalg.norm(np.diff(points[:-1], axis=0), axis=1).max() < 1.5


def test_a_last_curve_ends_at_the_first_point():
    points = flattened([[0, 0], [10, 0], [10, 10], [0, 10]], 'LLCC')
    np.testing.assert_allclose(points[-1], [0, 0], atol=1e-12)
    assert len(points) > 10


@pytest.mark.parametrize(
    ('types', 'rule'),
    [('LL', '3 vertices and 2 types'), ('LLQ', "types 'LLQ'"), ('LLC', 'ends within a curve')],
)
def test_types_that_do_not_fit(types, rule):
    with pytest.raises(ValueError, match=rule):
        flattened([[0, 0], [8, 0], [8, 8]], types)
