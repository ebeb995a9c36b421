"""Masks as polygons: exact outlines, and simpler ones that keep what they should."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmvseg.formats.label_exports.polygons import CORNERS, PIXELS, filled, outlines

both = pytest.mark.parametrize('convention', [CORNERS, PIXELS], ids=['corners', 'pixels'])
sides = st.integers(1, 12)
masks = st.tuples(sides, sides).flatmap(lambda shape: arrays(bool, shape))


def iou(one, other):
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)


def disc(size=80, radius=30):
    y, x = np.mgrid[:size, :size]
    return (x - size / 2) ** 2 + (y - size / 2) ** 2 < radius**2


@both
@given(mask=masks)
@settings(max_examples=60, deadline=None)
def test_outlines_are_the_mask(convention, mask):
    parts = outlines(mask, convention)
    np.testing.assert_array_equal(filled(parts, convention, *mask.shape), mask)
    assert len(parts) == cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1


@both
@given(seed=st.integers(0, 10**6), least=st.sampled_from([0.5, 0.9, 0.98]))
@settings(max_examples=40, deadline=None)
def test_simpler_outlines_keep_what_is_stated(convention, seed, least):
    noise = np.random.default_rng(seed).random((30, 40))
    mask = cv2.GaussianBlur(noise, (0, 0), 1.5) > 0.5
    assert iou(filled(outlines(mask, convention, least), convention, *mask.shape), mask) >= least


def test_a_box_has_the_corners_of_its_convention():
    mask = np.zeros((9, 9), bool)
    mask[2:5, 3:8] = True
    (corners,), (pixels,) = outlines(mask, CORNERS), outlines(mask, PIXELS)
    assert {*map(tuple, corners.outer.tolist())} == {(3, 2), (8, 2), (8, 5), (3, 5)}
    assert {*map(tuple, pixels.outer.tolist())} == {(3, 2), (7, 2), (7, 4), (3, 4)}


@both
def test_outlines_go_clockwise(convention):
    (part,) = outlines(disc(), convention)
    x, y = part.outer.T
    assert x @ np.roll(y, -1) > y @ np.roll(x, -1)  # y points down


@both
def test_simpler_ones_have_fewer_points(convention):
    counts = [len(outlines(disc(), convention, least)[0].outer) for least in (1, 0.98, 0.9)]
    assert counts[0] > 3 * counts[1] > 3 * counts[2]


@both
def test_specks_and_small_holes_vanish_where_they_may(convention):
    mask = disc()
    mask[40, 40] = False
    mask[2, 2] = True
    exact, simple = outlines(mask, convention), outlines(mask, convention, 0.98)
    assert [len(part.holes) for part in exact] == [1, 0]
    assert [len(part.holes) for part in simple] == [0]


@both
def test_large_holes_and_parts_stay(convention):
    mask = disc()
    mask[30:50, 30:50] = False
    mask[36:44, 36:44] = True  # a part within the hole
    mask[:10, :10] = True
    parts = outlines(mask, convention, 0.98)
    assert [len(part.holes) for part in parts] == [1, 0, 0]
    assert len(parts[0].holes[0]) == 4


@both
def test_an_empty_mask_has_no_outline(convention):
    assert outlines(np.zeros((4, 4), bool), convention) == []
