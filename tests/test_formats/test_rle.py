import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask

from mmvseg.formats.rle import check_rle, decode_masks, rle_runs, to_rle

masks = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 1))
)


def runs_by_hand(mask: np.ndarray) -> list[int]:
    runs, value = [0], 0
    for pixel in mask.flatten(order='F').tolist():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


@settings(deadline=None, max_examples=60)
@given(masks)
def test_all_spellings_give_the_mask(mask):
    height, width = mask.shape
    runs = runs_by_hand(mask)
    compressed = coco_mask.encode(np.asfortranarray(mask))
    spellings = [
        dict(size=[height, width], counts=runs),
        dict(size=[height, width], counts=compressed['counts'].decode()),
    ]
    assert rle_runs(compressed['counts']).tolist() == runs
    decoded = decode_masks([to_rle(s, height, width) for s in spellings], height, width)
    assert (decoded == mask).all()


def test_long_runs():
    mask = np.zeros((3000, 4000), np.uint8)
    mask[100:200, 50:3900:7] = 1
    rle = coco_mask.encode(np.asfortranarray(mask))
    check_rle(rle)
    assert rle_runs(rle['counts']).tolist()[:3] == [50 * 3000 + 100, 100, 7 * 3000 - 100]


def test_polygons_are_united():
    squares = [[1, 1, 4, 1, 4, 4, 1, 4], [6, 6, 9, 6, 9, 9, 6, 9]]
    mask = decode_masks([to_rle(squares, 10, 12)], 10, 12)[0]
    assert mask[2, 2] == mask[7, 7] == 1
    assert mask.sum() == 2 * decode_masks([to_rle(squares[:1], 10, 12)], 10, 12)[0].sum()


def test_no_masks():
    assert decode_masks([], 4, 5).shape == (0, 4, 5)


@pytest.mark.parametrize(
    ('segmentation', 'words'),
    [
        (dict(size=[5, 4], counts='d0'), 'not the video size'),
        (dict(size=None, counts='d0'), 'not the video size'),
        (dict(size=[4, 5]), 'neither an RLE'),
        (7, 'neither an RLE'),
        (dict(size=[4, 5], counts=[3, 4]), 'add up to 7'),
        (dict(size=[4, 5], counts=[-1, 21]), 'integers >= 0'),
        (dict(size=[4, 5], counts=[0.5, 19.5]), 'integers >= 0'),
        (dict(size=[4, 5], counts=None), 'integers >= 0'),
        (dict(size=[4, 5], counts='é'), 'no RLE has'),
        ([], 'empty list'),
        ([[1, 1, 2, 2]], 'at least 6'),
        ([[1, 1, 2, 2, 3, 3, 4]], 'even number'),
        ([[1, 1, 2, 2, 3, 'x']], 'not a number'),
        ([[1, 1, 2, 2, 3, float('nan')]], 'not a number'),
        ([[1, 1, 2, 2, 3, 1e9]], 'far outside'),
    ],
)
def test_broken_segmentation(segmentation, words):
    with pytest.raises(ValueError, match=words):
        to_rle(segmentation, 4, 5)


@pytest.mark.parametrize('counts', [b'', b'12', b'zzzz', b'0P', b'\x01\x02', b'PPPPPPPPP0', b'd1'])
def test_broken_code(counts):
    with pytest.raises(ValueError, match='RLE'):
        decode_masks([dict(size=[4, 5], counts=counts)], 4, 5)
