import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmvseg.formats.segment_maps import find_regions

SIDES = st.integers(1, 7)


@settings(max_examples=60, deadline=None)
@given(st.tuples(SIDES, SIDES).flatmap(lambda s: arrays(np.int32, s, elements=st.integers(0, 3))))
def test_equals_looking_at_each_segment(ids):
    ids = ids * 5_000_000
    regions = find_regions(ids)
    assert list(regions) == np.unique(ids).tolist()
    for segment, (area, box) in regions.items():
        y, x = np.nonzero(ids == segment)
        assert area == len(x)
        assert box == [x.min(), y.min(), x.max() - x.min() + 1, y.max() - y.min() + 1]


@pytest.mark.parametrize('shape', [(0, 4), (4, 0)])
def test_no_pixels(shape):
    assert find_regions(np.zeros(shape, np.uint8)) == {}
