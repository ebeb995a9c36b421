"""Run-length codes of masks that lie on a (pretended) GPU: the positions of the runs leave it."""

import pytest
import torch
import torch.nn.functional as F
from pretend_gpu import PretendGPU
from pycocotools import mask as mask_utils

from mmvseg.models.postprocess import query_masks, vis

GEOMETRY = query_masks.FrameGeometry((73, 108), (60, 90), (64, 96))


def masks():
    """Noise, a full and an empty mask, and runs that begin or end at the ends of the frame."""
    generator = torch.Generator().manual_seed(0)
    found = torch.rand(6, 11, 7, generator=generator) > 0.5
    found[0], found[1] = True, False
    found[2] = False
    found[2, 0, 0] = found[2, -1, -1] = True
    return found  # (n, columns, H)


def test_codes_are_those_of_pycocotools():
    expected = [mask_utils.encode(mask.T.numpy().astype('uint8', order='F')) for mask in masks()]
    assert vis.encode_columns(masks(), 0, 11) == expected
    with PretendGPU() as gpu:
        assert vis.encode_columns(masks().pin_memory().to('cuda', non_blocking=True), 0, 11) == (
            expected
        )
    # how many positions there are, and the positions: no mask
    assert sorted(gpu.waits) == [
        ('mmvseg/models/postprocess/vis.py', 'encode_columns', 'count'),
        ('mmvseg/models/postprocess/vis.py', 'encode_columns', 'download'),
    ]


@pytest.mark.parametrize(('together', 'groups'), [(1, 5), (2, 3), (5, 1), (100, 1)])
def test_frames_are_coded_in_groups(monkeypatch, together, groups):
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(5, 3, 16, 24, generator=generator)
    frames = F.avg_pool2d(F.pad(noise.flatten(0, 1), (1, 1, 1, 1)), 3, 1).view(5, 3, 16, 24)
    frames[3] = -1  # nothing in it
    expected = query_masks.encode_video(frames, GEOMETRY)
    monkeypatch.setattr(vis, 'CODED_PIXELS', together * 3 * 73 * 108)
    with PretendGPU() as gpu:
        sent = frames.pin_memory().to('cuda', non_blocking=True)
        actual = query_masks.encode_video(iter(sent), GEOMETRY)
    assert actual == expected
    assert len(actual) == 5
    asked = gpu.waits['mmvseg/models/postprocess/query_masks.py', '_encode', 'download']
    assert asked == groups


def test_frames_without_masks():
    with PretendGPU():
        frames = torch.zeros(3, 0, 16, 24).pin_memory().to('cuda', non_blocking=True)
        assert query_masks.encode_video(iter(frames), GEOMETRY) == [[], [], []]
