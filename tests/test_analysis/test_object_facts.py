"""What objects are grouped by, against values counted by hand or pixel by pixel."""

import numpy as np
import pytest
from analysis_scenes import analyze

from mmvseg.analysis.object_facts import covered_shares, mask_boxes, mean_areas, mean_shifts


def facts(objects):
    overlap = analyze(objects, []).overlap
    areas = overlap.object_areas
    return mask_boxes(overlap.objects, areas), areas


def test_boxes_have_ends_and_are_zero_without_a_mask():
    boxes, _ = facts(['b.B0'])
    assert boxes.tolist() == [[[8, 0, 16, 1], [0] * 4, [8, 0, 14, 1], [0] * 4]]


def test_areas_are_over_the_frames_with_a_mask():
    assert mean_areas(np.array([[8, 0, 6], [0, 0, 0]])).tolist() == [7, 0]


def test_shifts_are_over_pairs_of_adjacent_frames():
    # Strips of 8 pixels that move by 8 pixels: sqrt(8) sides. Nothing is said over the gap.
    boxes, areas = facts(['abb.c', 'a.b.c', 'aaaaa'])
    moved, unknown, still = mean_shifts(boxes, areas)
    assert moved == pytest.approx(np.sqrt(8) / 2)
    assert np.isnan(unknown)
    assert still == 0


def test_a_shift_is_relative_to_both_areas():
    boxes = np.array([[[0, 0, 2, 2], [3, 4, 5, 6]]])
    assert mean_shifts(boxes, np.array([[4, 2]])) == pytest.approx(5 / np.sqrt(3))


def test_covered_shares_of_boxes():
    # a: 0 to 8, the strip 3: 4 to 16
    shares = covered_shares(*facts(['aa', '3.', '.c', '..']))
    assert shares == pytest.approx([(4 / 8 + 0) / 2, 4 / 12, 0, np.nan], nan_ok=True)


def test_what_several_boxes_cover_counts_once():
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 12, (5, 6, 2))
    boxes = np.concatenate([starts, starts + rng.integers(3, 13, (5, 6, 2))], axis=2)
    areas = np.ones((5, 6), int)
    areas[1, 2] = areas[4, 2] = 0
    boxes[areas == 0] = 0

    def painted(chosen, t):
        canvas = np.zeros((24, 24), bool)
        for left, top, right, bottom in boxes[chosen, t]:
            canvas[top:bottom, left:right] = True
        return canvas

    expected = [
        np.mean(
            [
                (painted([g], t) & painted([n for n in range(5) if n != g], t)).sum()
                / painted([g], t).sum()
                for t in np.flatnonzero(areas[g])
            ]
        )
        for g in range(5)
    ]
    assert 0.2 < min(expected) < max(expected) < 0.95
    assert covered_shares(boxes, areas) == pytest.approx(expected)


def test_one_object_is_not_covered():
    assert covered_shares(*facts(['aa'])).tolist() == [0]
