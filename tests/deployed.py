"""Tiny models to export, and the same videos for torch and for what was exported."""

import dataclasses

import numpy as np
import pytest
import torch
from helpers import REPOSITORY
from mmengine.config import Config
from pycocotools import mask as mask_utils

from mmvseg.deploy.export.describing import describe
from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample, VideoWindow

SIZE = (40, 64)
#: Share of pixels whose logits may be so near to 0 that rounding decides.
FLIPPED = 2e-3
DVIS = dict(
    MinVIS='minvis_shapes', DVISOnline='dvis_online_shapes', DVISOffline='dvis_offline_shapes'
)


def build_dvis(kind, **test_cfg):
    """MinVIS or DVIS of as few layers as there can be: tracing takes its time for each."""
    cfg = Config.fromfile(REPOSITORY / f'configs/shapes/{DVIS[kind]}.py').model
    cfg.backbone = dict(type='ResNet', depth=18, base_channels=8, stem_channels=8, norm_eval=True)
    cfg.panoptic_head.in_channels = [8, 16, 32, 64]
    cfg.panoptic_head.pixel_decoder.encoder.num_layers = 1
    cfg.panoptic_head.transformer_decoder.num_layers = 1
    for part in ('tracker', 'refiner'):
        if part in cfg:
            cfg[part].num_layers = 1
    cfg.test_cfg = dict(max_per_video=5, **test_cfg)
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    for name, parameter in model.named_parameters():
        if 'cls_embed' in name or 'class_embed' in name:
            torch.nn.init.normal_(parameter, std=0.5)
        elif name.endswith('mask_embed.4.weight'):
            parameter.data *= 20  # masks that differ from query to query
    return model.eval()


def build_tevit(**test_cfg):
    cfg = Config.fromfile(REPOSITORY / 'configs/shapes/tevit_msgshift_shapes.py').model
    cfg.backbone.update(num_msg_tokens=4, embed_dims=8, num_layers=[1, 1, 1, 1], mlp_ratios=[2] * 4)
    cfg.neck.in_channels = [8, 16, 40, 64]
    cfg.roi_head.num_stages = 1
    cfg.test_cfg.update(test_cfg)
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    return model.eval()


def manifest_of(model, size=SIZE, dynamic=False, num_frames=None):
    classes = [f'class {number}' for number in range(6)]
    metainfo = dict(
        classes=classes,
        category_ids=range(1, 7),
        palette=[(40 * number, 0, 0) for number in range(6)],
        thing_classes=None,
    )
    return describe(model, metainfo, dict(scale=None, backend='cv2'), size, dynamic, num_frames)


def video(num_frames=5, size=SIZE, seed=0):
    """Two squares that cross on a noisy ground, (T, H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 100, (num_frames, *size, 3), dtype=np.uint8)
    for t in range(num_frames):
        frames[t, 8:24, 4 + 5 * t : 20 + 5 * t, 0] = 230
        frames[t, 16:32, 44 - 5 * t : 60 - 5 * t, 1] = 230
    return frames


def in_torch(model, frames):
    """What the model itself says of a video."""
    ids = list(range(len(frames)))
    size = frames.shape[1:3]
    sample = VideoDataSample(
        metainfo=dict(
            video_id=1,
            video_name='squares',
            video_length=len(frames),
            frame_ids=ids,
            ori_shape=size,
            img_shape=size,
            scale_factor=(1.0, 1.0),
            is_first=True,
            is_last=True,
        )
    )
    window = VideoWindow(torch.from_numpy(frames).permute(0, 3, 1, 2), sample)
    with torch.no_grad():
        return model.predict([window])[0].pred


class TorchNetwork:
    """A network that torch runs, in the place of one that onnxruntime does."""

    def __init__(self, plan):
        self.module = plan.network

    @torch.no_grad()
    def __call__(self, **arrays):
        inputs = [torch.from_numpy(np.array(arrays[name])) for name in self.module.inputs]
        outputs = self.module(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return {
            name: output.numpy() for name, output in zip(self.module.outputs, outputs, strict=True)
        }


def assert_same(found, expected):
    """Equal results but for rounding."""
    assert type(found) is type(expected)
    if hasattr(found, 'track_ids'):
        assert found.track_ids.tolist() == expected.track_ids.tolist()
        assert found.labels.tolist() == expected.labels.tolist()
        assert np.allclose(found.scores, expected.scores, atol=1e-5)
        masks = zip(dense(found), dense(expected), strict=True)
        assert all((a != b).mean() < FLIPPED for a, b in masks)
        return
    assert getattr(found, 'segments', None) == approximate(getattr(expected, 'segments', None))
    assert all((a != b).mean() < FLIPPED for a, b in zip(found.maps, expected.maps, strict=True))


def dense(instances):
    return [mask_utils.decode(mask) for tube in instances.masks for mask in tube if mask]


def approximate(segments):
    return segments and [
        dataclasses.replace(segment, score=pytest.approx(segment.score, abs=1e-5))
        for segment in segments
    ]
