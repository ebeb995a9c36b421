"""Shapes as masks: which pixels belong to them, in each convention."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from mmvseg.formats.labels import outlines

points = st.lists(
    st.tuples(st.floats(-3, 15, width=32), st.floats(-3, 13, width=32)), min_size=3, max_size=7
)


def inside(x, y, corners):
    """Whether a point lies in a polygon, by the number of edges to its left."""
    edges = zip(corners, corners[1:] + corners[:1], strict=True)
    crossings = 0
    for (x0, y0), (x1, y1) in edges:
        if (y0 <= y) != (y1 <= y):
            crossings += x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x
    return crossings % 2 == 1


@settings(max_examples=60, deadline=None)
@given(points)
def test_pixels_of_a_corner_polygon_are_those_whose_centres_are_in_it(corners):
    mask = outlines.corner_polygon(corners, 10, 12)
    expected = [[inside(x + 0.5, y + 0.5, corners) for x in range(12)] for y in range(10)]
    assert mask.tolist() == expected


@pytest.mark.parametrize('box', [(4, 2, 28, 9), (0, 0, 32, 16), (-5, 3, 40, 4)])
def test_whole_corners_are_as_in_coco(box):
    left, top, right, bottom = box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    theirs = coco_mask.decode(coco_mask.frPyObjects([np.ravel(corners).tolist()], 16, 32))[..., 0]
    np.testing.assert_array_equal(outlines.corner_polygon(corners, 16, 32), theirs > 0)


def test_a_pixel_polygon_has_its_outline():
    mask = outlines.pixel_polygon([(4, 2), (27, 2), (27, 8), (4, 8)], 16, 32)
    assert mask.sum() == 24 * 7
    assert mask[2:9, 4:28].all()


def test_boxes_turn_clockwise_about_a_point():
    np.testing.assert_allclose(outlines.box_corners(2, 4, 6, 2), [[2, 4], [8, 4], [8, 6], [2, 6]])
    about_centre = outlines.box_corners(2, 4, 6, 2, 90)
    np.testing.assert_allclose(about_centre, [[6, 2], [6, 8], [4, 8], [4, 2]], atol=1e-9)
    about_corner = outlines.box_corners(2, 4, 6, 2, 90, 'corner')
    np.testing.assert_allclose(about_corner, [[2, 4], [2, 10], [0, 10], [0, 4]], atol=1e-9)


def test_an_ellipse_turns_as_its_box():
    mask = outlines.corner_ellipse(20, 16, 12, 4, 0, 32, 40)
    assert abs(mask.sum() - math.pi * 12 * 4) < 6
    assert (mask[16, 8:32].all(), mask[16, 7]) == (True, False)
    turned = outlines.corner_ellipse(20, 16, 12, 4, 90, 32, 40)
    assert (turned[4:28, 20].all(), turned[3, 20], turned[16, 25]) == (True, False, False)
    slanted = outlines.corner_ellipse(20, 16, 12, 4, 45, 32, 40)
    assert slanted[16 + 7, 20 + 7]  # clockwise: down to the right
    assert not slanted[16 - 7, 20 + 7]


def test_runs_along_the_rows():
    mask = outlines.row_runs([2, 3, 1], 2, 3)
    assert mask.tolist() == [[False, False, True], [True, True, False]]
    assert outlines.row_runs([0, 6], 2, 3).all()
    for runs in ([2, 3], []):
        with pytest.raises(ValueError, match='the mask has 2 x 3'):
            outlines.row_runs(runs, 2, 3)
    with pytest.raises(ValueError, match='a run of -1 pixels'):
        outlines.row_runs([2, -1, 5], 2, 3)


@pytest.mark.parametrize('most', [1, 3, 255])
@pytest.mark.parametrize('type_', [np.uint8, np.uint16, np.int32])
def test_values_of_a_map(type_, most):
    rng = np.random.default_rng(most)
    for size in ((1, 1), (1, 7), (7, 1), (5, 8)):
        ids = rng.integers(0, most, size, type_, endpoint=True)
        found = dict(outlines.value_masks(ids))
        assert list(found) == [value for value in np.unique(ids).tolist() if value > 0]
        assert all(rle == outlines.encode(ids == value) for value, rle in found.items())


def test_union_of_parts():
    left, right = np.zeros((2, 4), bool), np.zeros((2, 4), bool)
    left[:, 0], right[:, 3] = True, True
    both = outlines.union([outlines.encode(left), outlines.encode(right)])
    np.testing.assert_array_equal(coco_mask.decode([both])[..., 0] > 0, left | right)
    assert not outlines.is_empty(both)
    assert outlines.is_empty(outlines.encode(np.zeros((2, 4))))


@pytest.mark.parametrize(
    ('corners', 'rule'),
    [
        ([(1, 1), (2, 2)], '2 points; at least 3'),
        ([(1, 1)], '1 point;'),
        ([(1, 1), (2, 2), (1e9, 3)], 'far outside of the 10 x 12 frame'),
        ([(1, 1), (2, 2), (math.nan, 3)], 'far outside'),
    ],
)
def test_points_that_are_no_polygon(corners, rule):
    assert rule in outlines.polygon_rule(corners, 10, 12)


def test_points_that_are_one():
    assert outlines.polygon_rule([(1, 1), (2, 2), (1, 30)], 10, 12) is None
