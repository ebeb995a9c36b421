import pytest
import torch
from dense_heads import probabilities

from mmvseg.models.postprocess import mask_probabilities
from mmvseg.models.postprocess.mask_probabilities import probability_bands
from mmvseg.models.postprocess.query_masks import FrameGeometry

GEOMETRIES = [
    FrameGeometry((73, 109), (61, 91), (64, 96)),  # enlarged
    FrameGeometry((31, 41), (61, 91), (64, 96)),  # reduced
    FrameGeometry((90, 47), (61, 91), (64, 96)),  # higher and narrower
    FrameGeometry((61, 91), (61, 91), (64, 96)),
    FrameGeometry((64, 96), (64, 96), (64, 96)),
    FrameGeometry((1, 1), (5, 7), (32, 32)),
    FrameGeometry((200, 3), (1, 1), (32, 32)),
]


def logits_of(geometry, count=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    height, width = geometry.padded
    return torch.randn(count, height // 4, width // 4, generator=generator) * 5


@pytest.mark.parametrize('geometry', GEOMETRIES)
@pytest.mark.parametrize('band_bytes', [1, 5000, 2**23])
def test_bands_equal_the_plain_steps(geometry, band_bytes, monkeypatch):
    monkeypatch.setitem(mask_probabilities.BAND_BYTES, 'cpu', band_bytes)
    logits = logits_of(geometry)
    bands = list(probability_bands(logits, geometry))
    actual = torch.cat(bands, dim=1)
    expected = probabilities(logits[:, None], geometry)[:, 0]
    assert actual.shape == (3, *geometry.original)
    torch.testing.assert_close(actual, expected, atol=1e-6, rtol=0)
    if band_bytes == 1:
        assert len(bands) == geometry.original[0]
    if band_bytes == 2**23:
        assert len(bands) == 1


def test_large_frames_are_resized_exactly():
    geometry = FrameGeometry((1080, 64), (719, 50), (736, 64))
    logits = logits_of(geometry, count=2)
    actual = torch.cat(list(probability_bands(logits, geometry, num_values=5000)), dim=1)
    expected = probabilities(logits[:, None], geometry)[:, 0]
    torch.testing.assert_close(actual, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize('num_values', [0, 124])
@pytest.mark.parametrize('geometry', [FrameGeometry((480, 853), (720, 1280), (736, 1280))])
def test_bands_stay_within_the_budget(geometry, num_values):
    logits = torch.zeros(100, 184, 320)
    band = next(probability_bands(logits, geometry, num_values))
    rows = band.shape[1]
    before_shrinking = rows * 720 / 480 * 1280
    assert max(len(logits), num_values) * before_shrinking * 4 <= 2**23
    assert rows > 5


def test_half_precision_becomes_full():
    geometry = GEOMETRIES[0]
    logits = logits_of(geometry).bfloat16()
    with torch.autocast('cpu', torch.bfloat16):
        (band,) = probability_bands(logits, geometry)
    assert band.dtype == torch.float32
    expected = probabilities(logits.float()[:, None], geometry)[:, 0]
    torch.testing.assert_close(band, expected, atol=1e-6, rtol=0)
