import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from mmvseg.evaluation.functional.tube_iou import make_tube, tube_iou


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
        [make_tube([None if m is None else encode(m) for m in track]) for track in side]
        for side in (detections, annotations)
    ]
    iou = tube_iou(*tubes)
    assert iou.shape == (len(detections), len(annotations))
    for d, g in np.ndindex(iou.shape):
        assert iou[d, g] == slow_iou(detections[d], annotations[g])
