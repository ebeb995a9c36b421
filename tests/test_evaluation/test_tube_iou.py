import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from mmvseg.evaluation.functional.tube_iou import MalformedRLE, make_tubes, rle_areas, tube_iou


def encode(mask):
    return coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))


@st.composite
def masks(draw, shapes=((3, 4), (1, 1), (40, 60))):
    height, width = draw(st.sampled_from(shapes))
    seed, density = draw(st.integers(0, 2**16)), draw(st.sampled_from([0, 0.02, 0.5, 1]))
    return np.random.default_rng(seed).random((height, width)) < density


tracks = st.lists(
    st.none() | masks(shapes=((3, 4), (3, 4), (3, 4), (4, 3))), min_size=0, max_size=4
)


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
        (b'1000', 'covers 1 pixels'),
    ],
)
def test_broken_code_is_named(counts, reason):
    good = encode(np.eye(4))
    with pytest.raises(MalformedRLE) as caught:
        rle_areas([good] * 300 + [dict(size=[4, 4], counts=counts), good])
    assert caught.value.index == 300
    assert reason in caught.value.reason


def slow_iou(detection, annotation):
    intersection = union = 0
    for d, g in zip(detection, annotation, strict=False):
        if d is not None and g is not None:
            if d.shape == g.shape:
                intersection += (d & g).sum()
                union += (d | g).sum()
        elif d is not None or g is not None:
            union += (g if d is None else d).sum()
    return intersection / union if union else 0


@settings(max_examples=80, deadline=None)
@given(st.lists(tracks, max_size=3), st.lists(tracks, max_size=3))
def test_iou_of_tubes(detections, annotations):
    tubes = [
        make_tubes([[None if m is None else encode(m) for m in track] for track in side])
        for side in (detections, annotations)
    ]
    iou = tube_iou(*tubes)
    assert iou.shape == (len(detections), len(annotations))
    for d, g in np.ndindex(iou.shape):
        assert iou[d, g] == slow_iou(detections[d], annotations[g])
