import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pycocotools import mask as mask_utils

from mmvseg.errors import UserError
from mmvseg.models.postprocess.frame_store import FrameStore, MaskCodec, RawCodec
from mmvseg.models.postprocess.query_masks import (
    FrameGeometry,
    encode_query_masks,
)

GEOMETRIES = [
    FrameGeometry((73, 108), (60, 90), (64, 96)),  # enlarged
    FrameGeometry((31, 40), (60, 90), (64, 96)),  # reduced
    FrameGeometry((64, 96), (64, 96), (64, 96)),
]


def in_two_steps(logits, geometry):
    """The published order of steps."""
    bilinear = dict(mode='bilinear', align_corners=False)
    upsampled = F.interpolate(logits[None], size=geometry.padded, **bilinear)
    cropped = upsampled[..., : geometry.resized[0], : geometry.resized[1]]
    return F.interpolate(cropped, size=geometry.original, **bilinear)[0]


def blobs(seed, count=4):
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, 16, 24, generator=generator)
    return F.avg_pool2d(F.pad(noise, (1, 1, 1, 1)), 3, 1) - 0.2


@pytest.mark.parametrize('geometry', GEOMETRIES)
@pytest.mark.parametrize('seed', range(10))
def test_masks_equal_those_of_the_two_step_resizing(geometry, seed):
    logits = blobs(seed)
    logits[1] = -1
    expected = in_two_steps(logits, geometry)
    masks = mask_utils.decode(encode_query_masks(logits, geometry)).transpose(2, 0, 1)
    differs = torch.from_numpy(masks.astype(bool)) != (expected > 0)
    assert expected[differs].abs().max() < 1e-5 if differs.any() else True
    assert masks[0].any()
    assert not masks[1].any()


def test_a_mask_in_the_padding_only_is_empty():
    logits = torch.full((1, 16, 24), -1.0)
    logits[:, -1] = 1e-4
    (rle,) = encode_query_masks(logits, FrameGeometry((40, 96), (40, 96), (64, 96)))
    assert rle['size'] == [40, 96]
    assert mask_utils.area(rle) == 0


def test_no_masks():
    assert encode_query_masks(torch.zeros(0, 16, 24), GEOMETRIES[0]) == []


@pytest.mark.parametrize('geometry', GEOMETRIES)
@pytest.mark.parametrize('seed', range(10))
def test_coded_logits_give_the_same_masks(geometry, seed):
    logits = blobs(seed)
    codec = MaskCodec()
    back = codec.decode(codec.encode(logits), logits.shape, torch.tensor([2, 0]))
    expected = in_two_steps(logits[[2, 0]], geometry) > 0
    assert torch.equal(in_two_steps(back, geometry) > 0, expected)


def test_codec_saves_space():
    logits = F.interpolate(blobs(0)[None], scale_factor=6, mode='bilinear')[0]
    assert len(MaskCodec().encode(logits)) < logits.nbytes / 3


@pytest.mark.parametrize('limit', [0, 250, 10**6])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16])
def test_store_gives_back_what_it_took(limit, dtype):
    store = FrameStore(limit, RawCodec(dtype))
    frames = [torch.rand(3, 5, 4).to(dtype) for _ in range(4)]
    for frame in frames:
        store.append(frame)
    assert len(store) == 4
    for kept, frame in zip(store, frames, strict=True):
        assert torch.equal(kept, frame)
    assert torch.equal(store.select(3, torch.tensor([2])), frames[3][[2]])


def test_store_survives_reading_between_writing():
    store = FrameStore(0, RawCodec())
    for value in range(3):
        store.append(torch.full((2,), float(value)))
        assert store[0].tolist() == [0, 0]
    assert [frame[0].item() for frame in store] == [0, 1, 2]


def test_full_disk_is_explained(monkeypatch):
    def full(**kwargs):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('tempfile.TemporaryFile', full)
    with pytest.raises(UserError, match=r'No space left.*TMPDIR'):
        FrameStore(0, RawCodec()).append(torch.zeros(3))


def test_store_does_not_keep_the_tensor_that_it_was_given_a_part_of():
    window = torch.rand(100, 3)
    store = FrameStore(10**6, RawCodec())
    store.append(window[0])
    assert store[0].untyped_storage().nbytes() == window[0].nbytes
    assert np.shares_memory(window.numpy(), store[0].numpy()) is False
