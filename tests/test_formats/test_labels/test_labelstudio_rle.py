"""The run-length code of Label Studio's brush, with any mixture of blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_code import BitWriter, encode

from mmvseg.formats.labels.labelstudio_rle import decode_brush


@given(st.data())
def test_any_mixture_of_runs_and_values(data):
    height, width = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    length = data.draw(st.integers(1, 16))
    counters = data.draw(st.lists(st.integers(1, 16), min_size=4, max_size=4))
    largest = 2**length - 1
    pixel = st.sampled_from([0, 0, 0, 1, largest])
    values = data.draw(st.lists(pixel, min_size=height * width * 4, max_size=height * width * 4))

    def draw_runs(place, equal):
        is_run = data.draw(st.booleans())
        return is_run, data.draw(st.integers(1, 40)), data.draw(st.integers(0, 3))

    mask = decode_brush(encode(values, length, counters, draw_runs), height, width)
    alpha = np.array(values).reshape(height, width, 4)[..., 3]
    assert (mask == (alpha > 0)).all()


def test_a_large_mask_is_read_row_by_row():
    rng = np.random.default_rng(0)
    mask = rng.random((120, 200)) > 0.7
    values = np.repeat(mask.ravel(), 4) * 255
    code = encode(values, 8, (3, 4, 8, 16), lambda place, equal: (True, equal, 3))
    assert (decode_brush(code, 120, 200) == mask).all()


def single_run(count, value=1):
    return encode([value] * count, 8, (3, 4, 8, 16), lambda place, equal: (True, equal, 3))


@pytest.mark.parametrize(
    ('code', 'message'),
    [
        (single_run(96), 'of 96 values; a picture of 6x5 has 120'),
        (single_run(120)[:-1], 'ends too early'),
        (b'', 'ends too early'),
        (single_run(128), 'of 128 values'),
    ],
)
def test_broken_codes(code, message):
    with pytest.raises(ValueError, match=message):
        decode_brush(code, 5, 6)


def test_a_run_does_not_reach_over_the_end():
    writer = BitWriter()
    writer.number(120, 32)
    writer.number(7, 5)
    for counter in (3, 4, 8, 16):
        writer.number(counter - 1, 4)
    writer.number(1, 1)
    writer.number(3, 2)
    writer.number(500, 16)
    writer.number(1, 8)
    with pytest.raises(ValueError, match='more than its 120 values'):
        decode_brush(writer.data(), 5, 6)
