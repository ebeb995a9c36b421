"""A training step on clips of noise, for gpu_suite.py and train_memory.py."""

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

from mmvseg.errors import UserError
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.structures import VideoDataSample

PRECISIONS = {'fp32': torch.float32, 'fp16': torch.float16, 'bf16': torch.bfloat16}


def clip_length(cfg: Config) -> int:
    """Frames of the clips that a config trains on.

    Raises:
        UserError: if its training data set has no clips.
    """
    waiting = [(cfg.get('train_dataloader') or {}).get('dataset') or {}]
    for item in waiting:
        if 'num_frames' in (item.get('clip') or {}):
            return item['clip']['num_frames']
        waiting += [value for value in item.values() if isinstance(value, dict)]
    raise UserError(f'{cfg.filename}: train_dataloader has no data set with clip.num_frames')


def make_batch(
    num_clips: int, num_frames: int, size: tuple[int, int], num_objects: int = 4
) -> dict[str, Any]:
    """Clips of noise with rectangles as objects, as a collated batch.

    Args:
        num_clips: B.
        num_frames: T, of each.
        size: (h, w) of the frames.
        num_objects: visible in every frame.
    """
    height, width = size
    generator = torch.Generator().manual_seed(0)
    clips, samples = [], []
    for _ in range(num_clips):
        shape = (num_frames, 3, height, width)
        clips.append(torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator))
        corner = torch.rand(num_objects, 2, generator=generator) / 2
        boxes = torch.cat([corner, corner + 0.4], 1) * torch.tensor([width, height] * 2)
        masks = torch.zeros(num_objects, height, width, dtype=torch.uint8)
        for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist(), strict=True):
            mask[y1:y2, x1:x2] = 1
        sample = VideoDataSample(metainfo=dict(video_name='noise', img_shape=size, ori_shape=size))
        sample.gt_instances = [
            InstanceData(
                bboxes=boxes.clone(),
                labels=torch.zeros(num_objects, dtype=torch.long),
                masks=masks.clone(),
                instance_ids=torch.arange(num_objects),
            )
            for _ in range(num_frames)
        ]
        samples.append(sample)
    return dict(inputs=clips, data_samples=samples)


def training_step(
    model: VideoSegmentor, batch: dict[str, Any], device: str, precision: str = 'fp32'
) -> Callable[[], None]:
    """A function that takes one step of AdamW; the first call also allocates its state.

    DVIS matches every layer itself, as in the second half of its training: that takes more memory
    than the first half.
    """
    model.train()
    if hasattr(model, 'guided_matching'):
        model.guided_matching = False
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=1e-6)
    scaler = torch.amp.GradScaler(device, enabled=precision == 'fp16')

    def step() -> None:
        with autocast(device, precision):
            data = model.data_preprocessor(dict(batch), training=True)
            losses = model(**data, mode='loss')
        loss, _ = model.parse_losses(losses)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()

    return step


def autocast(device: str, precision: str) -> contextlib.AbstractContextManager:
    """The context of a key of :data:`PRECISIONS`."""
    if precision == 'fp32':
        return contextlib.nullcontext()
    return torch.autocast(torch.device(device).type, PRECISIONS[precision])
