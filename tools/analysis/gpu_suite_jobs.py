"""The measurements of gpu_suite.py, each run in a process of its own."""

import itertools
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
import training

from mmvseg.datasets.transforms import LoadClip, ResizeClip
from mmvseg.engine.config import load_config
from mmvseg.engine.device import use_device
from mmvseg.media.images import write_image
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.structures import VideoWindow

#: Clips of a training step; their length is the config's.
TRAIN_CLIPS = (1, 2)
#: Compiling takes most of the time, for each of them anew.
COMPILED_PRECISIONS = ('bf16', 'fp32')


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


def measure_inference(setting: Setting, path: Path, section: str) -> None:
    """Speed and peak memory of a video in every precision; compiled in bf16 and fp32.

    Args:
        setting: see :class:`Setting`.
        path: of the config.
        section: ``speed`` as it is, ``compile`` with torch.compile, ``graphs`` with CUDA graphs;
            of the last, models for which none are known have no figures.
    """
    model = _build(setting, path)
    if section == 'graphs' and not model_parts.graph_targets(model):
        return
    if section != 'speed':
        model_parts.compile_model(model, graphs=section == 'graphs')
    window = measure.make_window(setting.num_frames, setting.size, setting.ori_size)
    for precision in training.PRECISIONS if section == 'speed' else COMPILED_PRECISIONS:
        _attempt(
            setting,
            lambda: _infer(setting, model, window, precision),  # noqa: B023 - called at once
            section=section,
            model=path.stem,
            precision=precision,
        )


@torch.no_grad()
def _infer(
    setting: Setting, model: VideoSegmentor, window: VideoWindow, precision: str
) -> dict[str, Any]:
    synchronize = measure.synchronizer(setting.device)
    with training.autocast(setting.device, precision):
        with measure.elapsed(synchronize) as first:  # warms up, and compiles
            model.predict([window])
        measure.reset_peak(setting.device)
        runs = []
        while len(runs) < 3 and sum(runs) < 15:
            with measure.elapsed(synchronize) as run:
                model.predict([window])
            runs.append(run.wall_s)
        peak = measure.peak_gb(setting.device)
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
    """Duration and peak memory of a training step in every precision, on one clip and on two."""
    num_frames = training.clip_length(load_config(path))
    model = _build(setting, path)
    # A CPU has no fast half-precision convolutions to train with: a minute a step.
    precisions = training.PRECISIONS if setting.device == 'cuda' else ('fp32', 'bf16')
    for num_clips, precision in itertools.product(TRAIN_CLIPS, precisions):
        _attempt(
            setting,
            lambda: _train(setting, model, num_clips, num_frames, precision),  # noqa: B023
            section='train',
            model=path.stem,
            precision=precision,
            clips=num_clips,
            frames=num_frames,
        )


def _train(
    setting: Setting, model: VideoSegmentor, num_clips: int, num_frames: int, precision: str
) -> dict[str, Any]:
    synchronize = measure.synchronizer(setting.device)
    batch = training.make_batch(num_clips, num_frames, setting.size)
    step = training.training_step(model, batch, setting.device, precision)
    step()  # warms up, and allocates the optimizer's state
    measure.reset_peak(setting.device)
    seconds = []
    for _ in range(3):
        with measure.elapsed(synchronize) as run:
            step()
        seconds.append(run.wall_s)
    return dict(step_s=statistics.median(seconds), peak_memory_gb=measure.peak_gb(setting.device))


def _build(setting: Setting, path: Path) -> VideoSegmentor:
    use_device(setting.device)
    return measure.build_model(load_config(path), setting.device)


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
