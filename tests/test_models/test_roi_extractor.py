import pytest
import torch
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor

from mmvseg.compat import has_compiled_ops
from mmvseg.models.heads import FrameRoIExtractor

CONFIG = dict(
    roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=2),
    out_channels=3,
    featmap_strides=[4, 8, 16, 32],
)


def pyramid(num_frames, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    sizes = [(64, 96), (32, 48), (16, 24), (8, 12)]
    return [torch.randn(num_frames, 3, *size, generator=generator).to(dtype) for size in sizes]


def boxes_of_all_levels(num_frames):
    corner = torch.tensor([3.3, 5.7])
    extents = torch.tensor([[20.0, 30.0], [120, 130], [240, 230], [300, 480], [-1, -1]])
    boxes = torch.cat([corner.expand(5, 2), corner + extents], dim=1)
    return torch.stack([boxes + shift for shift in range(num_frames)])


def test_pools_as_mmdet_does():
    feats, boxes = pyramid(2), boxes_of_all_levels(2)[:, :4]
    index = torch.arange(2.0).repeat_interleave(4)[:, None]
    expected = SingleRoIExtractor(**CONFIG)(feats, torch.cat([index, boxes.flatten(0, 1)], dim=1))
    pooled = FrameRoIExtractor(**CONFIG)(feats, boxes)
    torch.testing.assert_close(pooled, expected, rtol=0, atol=1e-6)


def test_boxes_keep_their_precision_in_half_precision():
    feats, boxes = pyramid(1, torch.bfloat16), boxes_of_all_levels(1)[:, :4]
    pooled = FrameRoIExtractor(**CONFIG)(feats, boxes)
    expected = FrameRoIExtractor(**CONFIG)([feat.float() for feat in feats], boxes)
    assert pooled.dtype == torch.float32
    assert torch.equal(pooled, expected)


@pytest.mark.parametrize('chosen', [slice(0, 1), slice(0, 0)])
def test_levels_without_boxes_stay_in_the_graph(chosen):
    feats = [feat.requires_grad_() for feat in pyramid(1)]
    FrameRoIExtractor(**CONFIG)(feats, boxes_of_all_levels(1)[:, chosen]).sum().backward()
    assert all(feat.grad is not None for feat in feats)
    assert not any(feat.grad.any() for feat in feats[1:])


@pytest.mark.skipif(has_compiled_ops(), reason="mmcv's operator refuses them on a CPU")
def test_turned_round_boxes_do_not_fail():
    assert FrameRoIExtractor(**CONFIG)(pyramid(1), boxes_of_all_levels(1)).shape == (5, 3, 7, 7)


def test_memory_layout_of_the_maps_does_not_matter():
    feats, boxes = pyramid(2), boxes_of_all_levels(2)[:, :4]
    channels_last = [feat.contiguous(memory_format=torch.channels_last) for feat in feats]
    extractor = FrameRoIExtractor(**CONFIG)
    torch.testing.assert_close(extractor(channels_last, boxes), extractor(feats, boxes))
