"""Small random models of MinVIS and DVIS, and videos and annotated clips for them."""

import copy
from functools import wraps

import numpy as np
import torch
from helpers import REPOSITORY
from mmengine.config import Config
from mmengine.structures import InstanceData

from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample, VideoWindow

CONFIGS = dict(
    MinVIS='configs/shapes/minvis_shapes.py',
    DVISOnline='configs/shapes/dvis_online_shapes.py',
    DVISOffline='configs/shapes/dvis_offline_shapes.py',
)
KINDS = list(CONFIGS)


def made_once(make):
    """Models of equal arguments are copies of one, which takes a third of the time of making it."""
    made = {}

    @wraps(make)
    def copied(*args, **kwargs):
        key = repr((args, kwargs))
        if key not in made:
            made[key] = make(*args, **kwargs), torch.get_rng_state()
        model, random_state = made[key]
        torch.set_rng_state(random_state)  # as if it had just been made
        return copy.deepcopy(model)

    return copied


@made_once
def build(kind, seed=0, **test_cfg):
    """A random model whose queries differ from each other and from frame to frame."""
    cfg = Config.fromfile(REPOSITORY / CONFIGS[kind]).model
    cfg.backbone.update(embed_dims=8, num_layers=[1] * 4, mlp_ratios=[2] * 4)
    cfg.panoptic_head.in_channels = [8, 16, 40, 64]
    cfg.panoptic_head.transformer_decoder.num_layers = 2
    cfg.criterion.num_points = 64
    cfg.test_cfg = dict(max_per_video=5, **test_cfg)
    torch.manual_seed(seed)
    model = MODELS.build(cfg)
    model.init_weights()
    for name, parameter in model.named_parameters():
        if 'cls_embed' in name or 'class_embed' in name:
            torch.nn.init.normal_(parameter, std=0.5)
    return model.eval()


def sample(num_frames, video_id=1, **metainfo):
    return VideoDataSample(
        metainfo=dict(
            video_id=video_id,
            video_name=f'video {video_id}',
            video_length=num_frames,
            ori_shape=(50, 80),
            img_shape=(40, 64),
            scale_factor=(0.8, 0.8),
            **metainfo,
        )
    )


def video(num_frames=7, seed=0):
    """Two squares that cross on a noisy ground."""
    rng = np.random.default_rng(seed)
    frames = torch.from_numpy(rng.integers(0, 100, (num_frames, 3, 40, 64), dtype=np.uint8))
    for t in range(num_frames):
        frames[t, 0, 8:24, 4 + 5 * t : 20 + 5 * t] = 230
        frames[t, 1, 16:32, 44 - 5 * t : 60 - 5 * t] = 230
    return frames


def windows(frames, size, video_id=1):
    for start in range(0, len(frames), size):
        ids = list(range(start, min(start + size, len(frames))))
        meta = dict(frame_ids=ids, is_first=start == 0, is_last=ids[-1] == len(frames) - 1)
        yield VideoWindow(frames[ids], sample(len(frames), video_id, **meta))


def batch(num_clips=2, num_frames=3, num_objects=2):
    """Normalised clips (B, T, 3, 64, 64) and their annotations."""
    torch.manual_seed(1)
    samples = []
    for clip in range(num_clips):
        frames = []
        for t in range(num_frames):
            masks = torch.zeros(num_objects, 64, 64, dtype=torch.uint8)
            for n in range(num_objects):
                masks[n, 8 * n : 8 * n + 20, 4 * t + 10 * n + 3 * clip :][:, :16] = 1
            frames.append(
                InstanceData(
                    labels=torch.arange(num_objects) % 6,
                    masks=masks,
                    instance_ids=torch.arange(num_objects) * 3 + 5,
                )
            )
        data_sample = sample(num_frames, clip)
        data_sample.gt_instances = frames
        samples.append(data_sample)
    return torch.randn(num_clips, num_frames, 3, 64, 64), samples


def assert_equal_instances(first, second):
    assert np.allclose(first.scores, second.scores, atol=1e-6)
    assert first.labels.tolist() == second.labels.tolist()
    assert first.track_ids.tolist() == second.track_ids.tolist()
    assert first.masks == second.masks
