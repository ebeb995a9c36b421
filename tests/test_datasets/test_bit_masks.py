"""Masks as bits, against what each operation makes of the masks one by one."""

import cv2
import mmcv
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from mmvseg.datasets.transforms.bit_masks import BitMasks
from mmvseg.formats.rle import MalformedRLE


def random_masks(seed: int, count: int, height: int = 14, width: int = 19) -> np.ndarray:
    """Masks of blobs, one of them empty if there are several."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((count, height, width), np.uint8)
    for mask in masks[1:] if count > 1 else masks:
        y, x = rng.integers(0, height - 3), rng.integers(0, width - 3)
        mask[y : y + rng.integers(1, height), x : x + rng.integers(1, width)] = 1
    return masks


def code(mask: np.ndarray) -> dict:
    return coco_mask.encode(np.asfortranarray(mask))


cases = st.tuples(st.integers(0, 2**16), st.sampled_from([0, 1, 3, 8, 9, 17]))


@settings(deadline=None, max_examples=40)
@given(cases, st.integers(3, 40), st.integers(3, 40), st.sampled_from(['cv2', 'pillow']))
def test_operations_are_those_of_single_masks(case, height, width, backend):
    masks = random_masks(*case)
    bits = BitMasks.from_dense(masks)
    assert len(bits) == len(masks)
    assert np.array_equal(bits.dense(), masks)
    resized = np.zeros((len(masks), height, width), np.uint8)
    for small, mask in zip(resized, masks, strict=True):
        small[:] = mmcv.imresize(mask, (width, height), interpolation='nearest', backend=backend)
    assert np.array_equal(bits.resized((height, width), backend).dense(), resized)
    assert np.array_equal(bits.flipped().dense(), masks[..., ::-1])
    cropped = bits.cropped(slice(2, 9), slice(5, 6))
    assert cropped.size == (7, 1)
    assert np.array_equal(cropped.dense(), masks[:, 2:9, 5:6])
    turn = cv2.getRotationMatrix2D((9, 6), 11, 1.0)
    turned = [cv2.warpAffine(mask, turn, (19, 14), flags=cv2.INTER_NEAREST) for mask in masks]
    assert np.array_equal(bits.warped(turn).dense(), np.reshape(turned, masks.shape))


@settings(deadline=None, max_examples=40)
@given(cases)
def test_what_is_visible_and_its_boxes(case):
    masks = random_masks(*case)
    bits = BitMasks.from_dense(masks)
    visible = masks.any((1, 2))
    assert bits.are_visible().tolist() == visible.tolist()
    shown = bits.select(visible).select(np.arange(visible.sum())[::-1])
    assert np.array_equal(shown.dense(), masks[visible][::-1])
    for box, mask in zip(shown.boxes().tolist(), shown.dense(), strict=True):
        y, x = np.nonzero(mask)
        assert box == [x.min(), y.min(), x.max() + 1, y.max() + 1]


@settings(deadline=None, max_examples=40)
@given(cases)
def test_of_codes_and_of_maps(case):
    masks = random_masks(*case)
    assert np.array_equal(BitMasks.from_codes([*map(code, masks)], 14, 19).dense(), masks)
    ids = np.full((14, 19), 5, np.int32)
    for number, mask in enumerate(masks, 70_000):
        ids[mask > 0] = number
    shown = np.array([*range(70_000, 70_000 + len(masks)), 5])
    dense = BitMasks.from_map(ids, shown).dense()
    assert np.array_equal(dense, (ids == shown[:, None, None]).astype(np.uint8))


@pytest.mark.parametrize('mask', [np.ones((3, 4)), np.zeros((3, 4)), np.eye(3, 4)])
def test_codes_that_begin_or_end_with_either_value(mask):
    mask = mask.astype(np.uint8)
    assert np.array_equal(BitMasks.from_codes([code(mask)], 3, 4).dense(), mask[None])


def test_a_code_of_another_size_is_refused():
    good, small = code(np.eye(4, 4, dtype=np.uint8)), code(np.eye(3, 4, dtype=np.uint8))
    with pytest.raises(MalformedRLE, match=r'make up the size \[4, 4\]') as caught:
        BitMasks.from_codes([good, dict(small, size=[4, 4])], 4, 4)
    assert caught.value.index == 1
