"""J and F of DAVIS against their definitions, pixel by pixel."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmvseg.evaluation.functional.region_contour import (
    FrameMasks,
    contour_accuracy,
    contour_map,
    dilated,
    region_similarity,
)


def contour_of(mask):
    """The definition, one pixel after the other."""
    height, width = mask.shape
    contour = np.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            others = []
            if x + 1 < width:
                others.append((y, x + 1))
            if y + 1 < height:
                others.append((y + 1, x))
            if x + 1 < width and y + 1 < height:
                others.append((y + 1, x + 1))
            if y + 1 == height:
                others = [(y, x + 1)] if x + 1 < width else []
            elif x + 1 == width:
                others = [(y + 1, x)]
            contour[y, x] = any(mask[y, x] != mask[other] for other in others)
    return contour


def near(mask, radius):
    """The pixels within a distance of one of the mask."""
    points = np.argwhere(mask)
    result = np.zeros_like(mask)
    for y, x in np.ndindex(mask.shape):
        distances = ((points - (y, x)) ** 2).sum(axis=1)
        result[y, x] = (distances <= radius**2).any()
    return result


def f_of(found, truth):
    radius = math.ceil(0.008 * math.sqrt(found.shape[0] ** 2 + found.shape[1] ** 2))
    of_found, of_truth = contour_of(found), contour_of(truth)
    if not of_found.any() or not of_truth.any():
        return float(of_found.any() == of_truth.any())
    precision = near(of_truth, radius)[of_found].mean()
    recall = near(of_found, radius)[of_truth].mean()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def f(found, truth):
    return contour_accuracy(FrameMasks.of(found[None]), FrameMasks.of(truth[None])).item()


def blob(rng, height, width):
    """A few rectangles, some of which touch the edge."""
    mask = np.zeros((height, width), bool)
    for _ in range(rng.integers(0, 4)):
        y, x = rng.integers(0, height), rng.integers(0, width)
        mask[y : y + rng.integers(1, height + 1), x : x + rng.integers(1, width + 1)] ^= True
    return mask


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 14), st.integers(1, 14))
def test_contours_are_those_of_the_definition(seed, height, width):
    mask = blob(np.random.default_rng(seed), height, width)
    np.testing.assert_array_equal(contour_map(mask), contour_of(mask))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 16), st.integers(1, 16), st.integers(0, 7))
def test_dilation_is_by_a_true_disk(seed, height, width, radius):
    rng = np.random.default_rng(seed)
    mask = rng.random((height, width)) < 0.05
    np.testing.assert_array_equal(dilated(mask, radius), near(np.pad(mask, radius), radius))


@pytest.mark.parametrize(('height', 'width'), [(20, 30), (60, 120), (130, 30)])
def test_f_is_that_of_the_definition(height, width):
    """The tolerance is 1 pixel in the first size, 2 in the others."""
    rng = np.random.default_rng(height)
    for _ in range(6):
        found, truth = blob(rng, height, width), blob(rng, height, width)
        truth ^= found if rng.random() < 0.5 else False
        assert f(found, truth) == pytest.approx(f_of(found, truth), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 14), st.integers(1, 14))
def test_only_the_part_of_a_frame_that_holds_a_mask_is_looked_at(seed, height, width):
    mask = blob(np.random.default_rng(seed), height, width)
    frame = FrameMasks.of(mask[None])
    np.testing.assert_array_equal(frame.contours[0], np.flatnonzero(contour_of(mask)))
    expected = near(contour_of(mask), 1)
    np.testing.assert_array_equal(frame.near[0].reshape(mask.shape), expected)


def square(y, x, size=20, shape=(100, 200)):
    mask = np.zeros(shape, bool)
    mask[y : y + size, x : x + size] = True
    return mask


def test_a_known_case():
    """A square of 20 pixels moved by (3, 3), as the code of DAVIS measures it: 0.125."""
    assert f(square(43, 63), square(40, 60)) == pytest.approx(0.125, abs=5e-4)
    assert f(square(42, 60), square(40, 60)) == 1.0  # within 2 pixels everywhere


def test_empty_masks():
    nothing, one = np.zeros((100, 200), bool), square(40, 60)
    assert f(nothing, nothing) == 1
    assert f(nothing, one) == f(one, nothing) == 0
    j = region_similarity(np.array([nothing, one]), np.array([nothing, one]))
    np.testing.assert_array_equal(j, [[1, 0], [0, 1]])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_j_is_intersection_over_union(seed):
    rng = np.random.default_rng(seed)
    found = np.array([blob(rng, 9, 12) for _ in range(3)])
    truth = np.array([blob(rng, 9, 12) for _ in range(2)])
    got = region_similarity(found, truth)
    for i, a in enumerate(found):
        for j, b in enumerate(truth):
            assert got[i, j] == ((a & b).sum() / (a | b).sum() if (a | b).any() else 1)


def test_no_masks():
    none, one = np.zeros((0, 5, 5), bool), np.ones((1, 5, 5), bool)
    assert region_similarity(none, one).shape == (0, 1)
    assert contour_accuracy(FrameMasks.of(one), FrameMasks.of(none)).shape == (1, 0)
