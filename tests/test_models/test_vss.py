import numpy as np
import pytest
import torch
from dense_heads import semantic

from mmvseg.models.postprocess import mask_probabilities
from mmvseg.models.postprocess.query_masks import FrameGeometry
from mmvseg.models.postprocess.vss import classify_pixels, classify_video

GEOMETRIES = [
    FrameGeometry((40, 57), (61, 91), (64, 96)),
    FrameGeometry((75, 110), (61, 91), (64, 96)),
]


@pytest.mark.parametrize('geometry', GEOMETRIES)
@pytest.mark.parametrize('band_bytes', [10_000, 2**23])
@pytest.mark.parametrize(('num_classes', 'dtype'), [(5, np.uint8), (300, np.uint16)])
def test_equals_the_plain_way(geometry, band_bytes, num_classes, dtype, monkeypatch):
    monkeypatch.setitem(mask_probabilities.BAND_BYTES, 'cpu', band_bytes)
    generator = torch.Generator().manual_seed(0)
    scores = (torch.randn(7, num_classes + 1, generator=generator) * 3).softmax(1)[:, :-1]
    masks = torch.randn(7, 2, 16, 24, generator=generator) * 4
    result = classify_video(scores, masks.transpose(0, 1), geometry)
    actual = np.stack(list(result.maps))
    assert actual.dtype == dtype
    sums = semantic(scores, masks, geometry)  # (K, T, H, W)
    chosen = sums.gather(0, torch.from_numpy(actual.astype(np.int64))[None])[0]
    assert (sums.amax(0) - chosen).max() < 1e-6
    assert len(np.unique(actual)) > 2


@pytest.mark.parametrize(('num_classes', 'dtype'), [(256, np.uint8), (257, np.uint16)])
def test_smallest_type_that_holds_all_classes(num_classes, dtype):
    scores = torch.zeros(1, num_classes)
    scores[0, -1] = 0.1  # no threshold
    item = classify_pixels(scores, torch.zeros(1, 16, 24), GEOMETRIES[0])
    assert item.dtype == dtype
    assert (item == num_classes - 1).all()


def test_half_precision_around_it_changes_nothing():
    scores = torch.rand(7, 5).softmax(1)
    masks = torch.randn(7, 16, 24)
    expected = classify_pixels(scores, masks, GEOMETRIES[0])
    with torch.autocast('cpu', torch.bfloat16):
        assert np.array_equal(classify_pixels(scores, masks, GEOMETRIES[0]), expected)
