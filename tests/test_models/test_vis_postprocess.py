import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from mmvseg.models.postprocess.vis import paste_and_encode, paste_masks, select_top

SHAPE = (24, 37)


def probabilities(num, size=28, seed=0):
    generator = torch.Generator().manual_seed(seed)
    smooth = torch.rand(num, 1, 4, 4, generator=generator)
    return F.interpolate(smooth, size=(size, size), mode='bilinear')[:, 0]


def sampled(probs, boxes, shape):
    """The same with grid_sample, for samples (1/28 of a box) of at most two pixels."""
    (height, width), outputs = shape, []
    for prob, (x1, y1, x2, y2) in zip(probs, boxes.tolist(), strict=True):
        y = (torch.arange(height) + 0.5 - y1) / (y2 - y1) * 2 - 1
        x = (torch.arange(width) + 0.5 - x1) / (x2 - x1) * 2 - 1
        grid = torch.stack(torch.meshgrid(x, y, indexing='xy'), dim=-1)[None]
        outputs.append(F.grid_sample(prob[None, None], grid, align_corners=False)[0, 0])
    return torch.stack(outputs)


def decode(rles):
    return torch.stack([torch.from_numpy(mask_utils.decode(rle)) for rle in rles]).bool()


BOXES = torch.tensor(
    [[3.2, 4.1, 20.7, 19.9], [-9.0, -5.5, 12.0, 9.0], [25.0, 10.0, 60.0, 50.0], [0, 0, 37, 24.0]]
)


def test_pasting_samples_at_pixel_centres():
    probs = probabilities(4)
    dense = paste_masks(probs, BOXES, SHAPE)
    assert dense.shape == (4, *SHAPE)
    torch.testing.assert_close(dense, sampled(probs, BOXES, SHAPE), rtol=0, atol=1e-5)


@pytest.mark.parametrize('threshold', [0.3, 0.5, 0.9])
def test_codes_are_those_of_the_dense_masks(threshold):
    probs = probabilities(4)
    rles = paste_and_encode(probs, BOXES, SHAPE, threshold)
    dense = paste_masks(probs, BOXES, SHAPE) >= threshold
    assert torch.equal(decode(rles), dense)
    expected = [mask_utils.encode(m.numpy().astype('uint8', order='F')) for m in dense]
    assert rles == expected


@pytest.mark.parametrize(
    'box',
    [
        [40.0, 2, 60, 9],  # right of the frame
        [-30.0, 2, -8, 9],
        [3.0, -50, 9, -20],
        [3.0, 25, 9, 40],
        [1e5, 1e5, 2e5, 2e5],
        [5.0, 5, 5, 5],  # no area
        [9.0, 9, 4, 4],  # turned round
    ],
)
def test_boxes_that_miss_the_frame_give_empty_masks(box):
    (rle,) = paste_and_encode(torch.ones(1, 28, 28), torch.tensor([box]), SHAPE)
    assert rle['size'] == list(SHAPE)
    assert mask_utils.area(rle) == 0
    empty = np.zeros(SHAPE, dtype=np.uint8, order='F')
    assert rle == mask_utils.encode(empty)


def test_full_frame_and_no_masks():
    box = torch.tensor([[-100.0, -100, 200, 200]])
    (rle,) = paste_and_encode(torch.ones(1, 28, 28), box, SHAPE)
    assert mask_utils.area(rle) == SHAPE[0] * SHAPE[1]
    assert paste_and_encode(torch.zeros(0, 28, 28), torch.zeros(0, 4), SHAPE) == []


@settings(max_examples=40, deadline=None)
@given(
    corner=st.tuples(st.floats(-60, 60), st.floats(-60, 60)),
    size=st.tuples(st.floats(0.01, 120), st.floats(0.01, 120)),
    seed=st.integers(0, 99),
)
def test_any_box_encodes_as_its_dense_mask(corner, size, seed):
    probs = probabilities(1, size=7, seed=seed)
    box = torch.tensor([[*corner, corner[0] + size[0], corner[1] + size[1]]])
    rles = paste_and_encode(probs, box, SHAPE)
    assert torch.equal(decode(rles), paste_masks(probs, box, SHAPE) >= 0.5)


def test_select_top_orders_query_class_pairs():
    scores = torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
    best, query, label = select_top(scores, 3)
    assert best.tolist() == pytest.approx([0.9, 0.8, 0.7])
    assert query.tolist() == [0, 1, 2]
    assert label.tolist() == [1, 0, 1]
    assert len(select_top(scores, 10)[0]) == 6
