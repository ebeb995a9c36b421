import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask

from mmvseg.formats.rle import (
    MalformedRLE,
    RunLengthCode,
    compressed,
    decode_masks,
    rle_areas,
    to_rle,
)

small_masks = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 1))
)


def encode(mask):
    return coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))


@st.composite
def masks(draw, shapes=((3, 4), (1, 1), (40, 60))):
    height, width = draw(st.sampled_from(shapes))
    seed, density = draw(st.integers(0, 2**16)), draw(st.sampled_from([0, 0.02, 0.5, 1]))
    return np.random.default_rng(seed).random((height, width)) < density


def runs_by_hand(mask: np.ndarray) -> list[int]:
    runs, value = [0], 0
    for pixel in mask.flatten(order='F').tolist():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


@settings(deadline=None, max_examples=60)
@given(small_masks)
def test_all_spellings_give_the_mask(mask):
    height, width = mask.shape
    spellings = [
        RunLengthCode([height, width], runs_by_hand(mask)),
        RunLengthCode([height, width], encode(mask)['counts'].decode()),
    ]
    rles = [to_rle(s, [height, width]) for s in spellings]
    assert rle_areas(rles).tolist() == [mask.sum()] * 2
    assert (decode_masks(rles, height, width) == mask).all()


def test_long_runs():
    mask = np.zeros((3000, 4000), np.uint8)
    mask[100:200, 50:3900:7] = 1
    assert rle_areas([encode(mask)]).tolist() == [mask.sum()]


def test_polygons_are_united():
    squares = [[1, 1, 4, 1, 4, 4, 1, 4], [6, 6, 9, 6, 9, 9, 6, 9]]
    mask = decode_masks([to_rle(squares, [10, 12])], 10, 12)[0]
    assert mask[2, 2] == mask[7, 7] == 1
    assert mask.sum() == 2 * decode_masks([to_rle(squares[:1], [10, 12])], 10, 12)[0].sum()


def test_no_masks():
    assert decode_masks([], 4, 5).shape == (0, 4, 5)
    assert rle_areas([]).shape == (0,)


@pytest.mark.parametrize(
    ('segmentation', 'words'),
    [
        (RunLengthCode([5, 4], 'd0'), 'not the video size'),
        (RunLengthCode([4, 5], [3, 4]), 'with sum 4'),
        (RunLengthCode([4, 5], [-1, 21]), 'non-negative'),
        (RunLengthCode([4, 5], []), 'with sum 4'),
        (RunLengthCode([4, 5], 'é'), 'not ASCII'),
        ([[1, 1, 2, 2]], 'at least 3 points'),
        ([[1, 1, 2, 2, 3, 3, 4]], 'at least 3 points'),
        ([[1, 1, 2, 2, 3, 1e9]], 'far outside'),
        ([[1, 1, 2, 2, 3, -1e308]], 'far outside'),
    ],
)
def test_broken_segmentation(segmentation, words):
    with pytest.raises(ValueError, match=words):
        to_rle(segmentation, [4, 5])


def test_codes_of_results_keep_their_size():
    assert compressed('6', [2, 3]) == dict(size=[2, 3], counts=b'6')


@settings(max_examples=60, deadline=None)
@given(st.lists(masks(), min_size=1, max_size=8))
def test_areas_are_the_pixel_counts(masks):
    rles = [encode(mask) for mask in masks]
    rles[0]['counts'] = rles[0]['counts'].decode()
    np.testing.assert_array_equal(rle_areas(rles), [mask.sum() for mask in masks])


def test_areas_of_more_codes_than_fit_a_batch():
    masks = [np.arange(12).reshape(3, 4) < n % 13 for n in range(600)]
    expected = [n % 13 for n in range(600)]
    np.testing.assert_array_equal(rle_areas([encode(mask) for mask in masks]), expected)


@pytest.mark.parametrize(
    ('counts', 'reason'),
    [
        (b'', 'is empty'),
        ('é', 'not ASCII'),
        (b'z', 'no code'),
        (b'!', 'no code'),
        (b'P', 'cut off'),
        (b'ooooooooo0', 'huge run'),
        (b'O', 'negative'),
        (b'5O0', 'negative'),
        (b'3', 'covers 3 pixels, the size is [4, 4]'),
        (b'1000', 'covers 1 pixel'),
    ],
)
def test_broken_code_is_named(counts, reason):
    good = encode(np.eye(4))
    with pytest.raises(MalformedRLE) as caught:
        rle_areas([good] * 300 + [dict(size=[4, 4], counts=counts), good])
    assert caught.value.index == 300
    assert reason in caught.value.reason
