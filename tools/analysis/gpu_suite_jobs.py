"""The measurements of gpu_suite.py, each run in a process of its own."""

import json
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import measure
import model_parts
import numpy as np
import torch
from mmengine.structures import InstanceData

from mmvseg.datasets.transforms import LoadClip, ResizeClip
from mmvseg.engine.config import load_config
from mmvseg.engine.device import use_device
from mmvseg.image_io import write_image
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.structures import VideoDataSample, VideoWindow

PRECISIONS = {'fp32': torch.float32, 'fp16': torch.float16, 'bf16': torch.bfloat16}
TRAIN_CLIPS, TRAIN_FRAMES = 2, 5


@dataclass(frozen=True)
class Setting:
    """What every measurement shares.

    Attributes:
        device: ``cpu`` or ``cuda``.
        size: (h, w) of the frames; training uses the same.
        ori_size: (H, W) of the results.
        num_frames: of the video.
        records: file to which a measurement adds its line of JSON.
    """

    device: str
    size: tuple[int, int]
    ori_size: tuple[int, int]
    num_frames: int
    records: Path


def measure_decoding(setting: Setting) -> None:
    """Read JPEG frames and resize them, as a data worker does; on one core."""
    cv2.setNumThreads(1)
    height, width = setting.ori_size
    coarse = np.random.default_rng(0).integers(0, 256, (height // 16, width // 16, 3), np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'frame.jpg'
        write_image(path, image)
        paths = [str(path)] * setting.num_frames
        item = dict(video_id=1, height=height, width=width, frame_paths=paths)
        item['frame_ids'] = list(range(setting.num_frames))
        load, resize = LoadClip(), ResizeClip(setting.size)
        seconds = []
        for _ in range(3):
            with measure.elapsed() as time_taken:
                resize.transform(load.transform(dict(item)))
            seconds.append(time_taken.wall_s)
    wall = statistics.median(seconds)
    record(setting, section='decode', frames_per_s=setting.num_frames / wall)


def measure_inference(setting: Setting, path: Path, compiled: bool) -> None:
    """Speed and peak memory of a video in every precision."""
    model = _build(setting, path)
    if compiled:
        model_parts.compile_model(model)
    window = measure.make_window(setting.num_frames, setting.size, setting.ori_size)
    for precision in PRECISIONS:
        _attempt(
            setting,
            lambda: _infer(setting, model, window, precision),  # noqa: B023 - called at once
            section='compile' if compiled else 'speed',
            model=path.stem,
            precision=precision,
        )


@torch.no_grad()
def _infer(
    setting: Setting, model: VideoSegmentor, window: VideoWindow, precision: str
) -> dict[str, Any]:
    synchronize = measure.synchronizer(setting.device)
    with _autocast(setting, precision):
        with measure.elapsed(synchronize) as first:  # warms up, and compiles
            model.predict([window])
        _reset_peak(setting)
        runs = []
        while len(runs) < 3 and sum(runs) < 15:
            with measure.elapsed(synchronize) as run:
                model.predict([window])
            runs.append(run.wall_s)
        peak = _peak(setting)
        with model_parts.PartTimer(model_parts.post_processing_of(model), synchronize) as timer:
            model.predict([window])
    wall = statistics.median(runs)
    post = sum(part.wall_s for path, part in timer.times.items() if len(path) == 1)
    return dict(
        frames_per_s=len(window.frames) / wall,
        model_ms_per_frame=1e3 * (wall - post) / len(window.frames),
        post_ms_per_frame=1e3 * post / len(window.frames),
        first_call_s=first.wall_s,
        peak_memory_gb=peak,
    )


def measure_training(setting: Setting, path: Path) -> None:
    """Duration and peak memory of a training step in every precision."""
    model = _build(setting, path).train()
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=1e-6)
    batch = _training_batch(setting)
    # A CPU has no fast half-precision convolutions to train with: a minute a step.
    for precision in PRECISIONS if setting.device == 'cuda' else ('fp32', 'bf16'):
        _attempt(
            setting,
            lambda: _train(setting, model, optimizer, batch, precision),  # noqa: B023
            section='train',
            model=path.stem,
            precision=precision,
        )


def _train(
    setting: Setting,
    model: VideoSegmentor,
    optimizer: torch.optim.Optimizer,
    batch: dict[str, Any],
    precision: str,
) -> dict[str, Any]:
    synchronize = measure.synchronizer(setting.device)
    scaler = torch.amp.GradScaler(setting.device, enabled=precision == 'fp16')

    def step() -> None:
        with _autocast(setting, precision):
            data = model.data_preprocessor(dict(batch), training=True)
            losses = model(**data, mode='loss')
        loss, _ = model.parse_losses(losses)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()

    step()  # warms up, and allocates the optimizer's state
    _reset_peak(setting)
    seconds = []
    for _ in range(3):
        with measure.elapsed(synchronize) as run:
            step()
        seconds.append(run.wall_s)
    return dict(step_s=statistics.median(seconds), peak_memory_gb=_peak(setting))


def _training_batch(setting: Setting, num_objects: int = 4) -> dict[str, Any]:
    """Clips of noise with rectangles as objects, as a collated batch."""
    height, width = setting.size
    generator = torch.Generator().manual_seed(0)
    clips, samples = [], []
    for _ in range(TRAIN_CLIPS):
        shape = (TRAIN_FRAMES, 3, height, width)
        clips.append(torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator))
        corner = torch.rand(num_objects, 2, generator=generator) / 2
        boxes = torch.cat([corner, corner + 0.4], 1) * torch.tensor([width, height] * 2)
        masks = torch.zeros(num_objects, height, width, dtype=torch.uint8)
        for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist(), strict=True):
            mask[y1:y2, x1:x2] = 1
        sample = VideoDataSample(metainfo=dict(img_shape=setting.size, ori_shape=setting.size))
        sample.gt_instances = [
            InstanceData(
                bboxes=boxes.clone(),
                labels=torch.zeros(num_objects, dtype=torch.long),
                masks=masks.clone(),
                instance_ids=torch.arange(num_objects),
            )
            for _ in range(TRAIN_FRAMES)
        ]
        samples.append(sample)
    return dict(inputs=clips, data_samples=samples)


def _build(setting: Setting, path: Path) -> VideoSegmentor:
    use_device(setting.device)
    return measure.build_model(load_config(path), setting.device)


def _autocast(setting: Setting, precision: str) -> torch.autocast:
    return torch.autocast(
        setting.device, PRECISIONS[precision] if precision != 'fp32' else None, precision != 'fp32'
    )


def _reset_peak(setting: Setting) -> None:
    if setting.device == 'cuda':
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    else:
        measure.reset_peak_resident()


def _peak(setting: Setting) -> float:
    on_gpu = setting.device == 'cuda'
    return torch.cuda.max_memory_allocated() / 1e9 if on_gpu else measure.peak_resident_gb()


def _attempt(setting: Setting, function: Callable[[], dict[str, Any]], **what: Any) -> None:
    """Record what a measurement gives, or why it failed: the others go on."""
    try:
        figures = function()
    except Exception as error:  # whatever a precision or torch.compile stumbles over is a finding
        lines = str(error).strip().splitlines()
        figures = dict(error=f'{type(error).__name__}: {lines[0] if lines else ""}'[:300])
    record(setting, **what, **figures)


def record(setting: Setting, **fields: Any) -> None:
    """Add a line to the suite's records and show it."""
    with setting.records.open('a') as file:
        file.write(json.dumps(fields) + '\n')
    shown = {k: f'{v:.4g}' if isinstance(v, float) else v for k, v in fields.items()}
    print(', '.join(f'{key} {value}' for key, value in shown.items() if value != ''), flush=True)
