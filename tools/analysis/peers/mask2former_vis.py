"""mmdet's Mask2Former-VIS (ResNet-50, 100 queries, 40 classes) as a peer of benchmark.py.

Its code as installed, random weights, the whole video in one pass as published; from uint8 frames
to boolean masks of the 10 best tubes, which are not run-length coded. Nothing of mmvseg is
imported: its operators would take the place of mmcv's.
"""

import sys
import types
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import machine
from peer import WARM_UP, Answer, Task

#: In the package of mmdet, whose wheel has its configs.
CONFIG = '.mim/configs/mask2former_vis/mask2former_r50_8xb2-8e_youtubevis2021.py'


class _NoOperators(types.ModuleType):
    """Lets mmcv without compiled operators be imported; on a CPU the model calls none."""

    def __getattr__(self, name: str) -> str:
        if name.startswith('__'):
            raise AttributeError(name)
        return f"mmcv's compiled operator {name}"


def main() -> None:
    task = Task.given()
    torch.set_num_threads(task.threads)
    if find_spec('mmcv._ext') is None:
        if task.device != 'cpu':
            raise SystemExit('mask2former_vis.py: on a GPU it needs mmcv with compiled operators')
        sys.modules['mmcv._ext'] = _NoOperators('mmcv._ext')
        sys.modules['mmcv._ext'].__spec__ = ModuleSpec('mmcv._ext', None)
    frames = task.load()
    model = build().to(task.device).eval()
    synchronize = machine.synchronizer(task.device)
    with torch.no_grad():
        model.test_step(batch_of(frames[:WARM_UP], task.ori_size))
        machine.reset_peak(task.device)
        batch = batch_of(frames, task.ori_size)
        with machine.elapsed(synchronize) as run:
            model.test_step(batch)
    Answer(
        name="mmdet's Mask2Former-VIS, R50",
        wall_s=run.wall_s,
        cpu_s=run.cpu_s,
        peak_memory_gb=machine.peak_gb(task.device),
        precision=str(next(model.parameters()).dtype).removeprefix('torch.'),
        environment=machine.environment(task.device),
        other_cores=run.other_cores,
    ).give()


def build() -> torch.nn.Module:
    """The model with random weights: nothing is downloaded."""
    import mmdet
    from mmdet.registry import MODELS
    from mmdet.utils import register_all_modules
    from mmengine.config import Config
    from mmengine.registry import DefaultScope

    register_all_modules(init_default_scope=False)
    cfg = Config.fromfile(Path(mmdet.__file__).parent / CONFIG).model
    cfg.init_cfg = cfg.backbone.init_cfg = None
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg)
    model.init_weights()
    return model


def batch_of(frames: np.ndarray, ori_size: tuple[int, int]) -> dict[str, Any]:
    """RGB frames (T, h, w, 3) as mmdet's loader gives a video: BGR, one sample a frame."""
    from mmdet.structures import DetDataSample, TrackDataSample

    size = frames.shape[1:3]
    metainfo = dict(
        ori_shape=ori_size,
        img_shape=size,
        scale_factor=(size[1] / ori_size[1], size[0] / ori_size[0]),
    )
    samples = [DetDataSample(metainfo=dict(metainfo, frame_id=i)) for i in range(len(frames))]
    track = TrackDataSample()
    track.video_data_samples = samples
    bgr = torch.from_numpy(frames).flip(3).permute(0, 3, 1, 2).contiguous()  # (T, 3, h, w)
    return dict(inputs=[bgr], data_samples=[track])


if __name__ == '__main__':
    main()
