import numpy as np
import pytest

from mmvseg.visualization.legend import Legend

CLASSES = tuple(f'class_{n}' for n in range(124))
PALETTE = tuple((n, 255 - n, 2 * n % 256) for n in range(124))


def places(strip, labels):
    """Top left corner of the swatch of each label, None where there is none."""
    found = {}
    for label in labels:
        ys, xs = np.nonzero((strip == PALETTE[label]).all(axis=2))
        found[label] = (ys.min(), xs.min()) if len(ys) > 20 else None
    return found


def test_known_classes_keep_their_place_and_fade_where_absent():
    listed = [5, 90, 17, 3]
    legend = Legend(CLASSES, PALETTE, 400, 12, listed)
    whole = legend.draw(listed)
    assert whole.shape == (legend.height, 400, 3)
    where = places(whole, listed)
    assert list(where.values()) == sorted(where.values())  # in the order of the list
    part = legend.draw([17, 5])
    assert part.shape == whole.shape
    assert places(part, listed) == {5: where[5], 90: None, 17: where[17], 3: None}
    y, x = where[90]
    assert (whole[y, x] < part[y, x]).any()  # its colour is still there, faintly
    assert (part[y, x] < 255).any()


def test_growing_list_keeps_places_and_size():
    legend = Legend(CLASSES, PALETTE, 400, 12)
    first = places(legend.draw([40, 7]), [40, 7])
    height = legend.height
    second = places(legend.draw([100, 7]), [40, 7, 100])
    assert second[7] == first[7]
    assert second[40] is None  # faint
    assert second[100] not in first.values()
    assert places(legend.draw([40]), [40])[40] == first[40]
    assert legend.draw(range(124)).shape == (height, 400, 3)


@pytest.mark.parametrize('listed', [range(124), None])
def test_what_does_not_fit_is_counted(listed):
    many = Legend(CLASSES, PALETTE, 400, 12, listed)
    strip = many.draw(range(124))
    shown = sum(place is not None for place in places(strip, range(124)).values())
    assert 8 <= shown < 124
    few = Legend(CLASSES, PALETTE, 400, 12, range(shown + 1))
    full = few.draw(range(shown + 1))
    assert full.shape == strip.shape
    # The last cell names a class here and says how many are missing there.
    assert places(full, [shown])[shown] is not None
    assert (strip != full).any()


def test_long_names_are_cut_at_their_cells():
    names = [*CLASSES[:40], 'cupboard_or_showcase_or_storage_rack']
    legend = Legend(names, PALETTE, 300, 12, [40, *range(40)])
    strip = legend.draw([40, *range(40)])
    y, x = places(strip, [0])[0]
    assert (strip[y : y + 10, x - 3 : x] == 255).all()  # a gap before the next swatch


@pytest.mark.parametrize('width', [1, 10, 40])
@pytest.mark.parametrize('listed', [[], [3], None])
def test_narrow_strips(width, listed):
    legend = Legend(CLASSES, PALETTE, width, 10, listed)
    assert legend.draw([3]).shape == (legend.height, width, 3)
