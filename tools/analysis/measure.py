"""What the measuring tools share: models with random weights, videos, clocks, memory, machine."""

import logging
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import machine
import torch
from machine import (
    describe,
    elapsed,
    memory_gb,
    peak_gb,
    peak_resident_gb,
    reset_peak,
    reset_peak_resident,
    resident_gb,
    synchronizer,
)
from mmengine.config import Config
from mmengine.logging import MMLogger

import mmvseg
from mmvseg.engine.config import config_errors, require
from mmvseg.errors import UserError
from mmvseg.media import open_source
from mmvseg.models.precision import dtype_of
from mmvseg.models.prepared import prepare_for_inference
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample, VideoWindow

__all__ = [
    'PROTOCOL',
    'Usage',
    'build_for_inference',
    'build_model',
    'describe',
    'elapsed',
    'environment',
    'make_window',
    'markdown_table',
    'memory_gb',
    'noise',
    'peak_gb',
    'peak_resident_gb',
    'read_frames',
    'reset_peak',
    'reset_peak_resident',
    'resident_gb',
    'run_script',
    'synchronizer',
    'window_of',
]

#: Boxes of an untrained model leave the image within a few stages unless they move less.
FC_REG_SCALE = 0.05

PROTOCOL = (
    f"Random weights from the model's own initialisation (fc_reg times {FC_REG_SCALE}, if there is "
    'one: boxes then stay on screen); eval mode, no gradients. Frames are zero padded to a '
    'multiple of 32, one window a video. Timed: from uint8 frames to coded tubes or maps. Not '
    'included: decoding and resizing.'
)


# Models and inputs


def build_model(cfg: Config, device: str = 'cpu', seed: int = 0) -> VideoSegmentor:
    """The config's model with random weights, in eval mode.

    Raises:
        UserError: for a type or argument that does not exist.
    """
    require(cfg, 'model')
    torch.manual_seed(seed)
    logger = MMLogger.get_instance('mmengine')
    level = logger.level
    logger.setLevel(logging.ERROR)  # initialisation logs a line per parameter
    with config_errors(cfg):
        model = MODELS.build(cfg.model)
    model.init_weights()
    logger.setLevel(level)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if '.fc_reg.' in name:
                parameter.mul_(FC_REG_SCALE)
    return model.to(device).eval()


def build_for_inference(
    cfg: Config, device: str = 'cpu', precision: str = 'fp32'
) -> tuple[VideoSegmentor, torch.dtype]:
    """:func:`build_model`, prepared as ``predict`` and ``test`` do it.

    Args:
        cfg: of the model.
        device: where it runs.
        precision: a key of ``mmvseg.models.precision.PRECISIONS``.

    Returns:
        The model, to be run within ``mmvseg.models.precision.inference``, and what it computes in.
    """
    dtype = dtype_of(precision, torch.device(device))
    return prepare_for_inference(build_model(cfg, device), dtype), dtype


def make_window(
    num_frames: int, size: tuple[int, int], ori_size: tuple[int, int], seed: int = 0
) -> VideoWindow:
    """A whole video of uniform noise as one window.

    Args:
        num_frames: length of the video.
        size: (h, w) of the frames, resized and not padded.
        ori_size: (H, W) of the results.
        seed: of the noise.
    """
    return window_of(noise(num_frames, size, seed), ori_size, range(num_frames), num_frames)


def noise(num_frames: int, size: tuple[int, int], seed: int = 0) -> torch.Tensor:
    """Frames of uniform noise, uint8, (T, 3, h, w)."""
    generator = torch.Generator().manual_seed(seed)
    shape = (num_frames, 3, *size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def read_frames(video: str, num_frames: int, size: tuple[int, int]) -> torch.Tensor:
    """The first frames of a video, resized, RGB uint8, (T, 3, h, w).

    Raises:
        UserError: it cannot be read, or has fewer frames.
    """
    images = [frame.image for frame in islice(open_source(video), num_frames)]
    if len(images) < num_frames:
        raise UserError(f'{video}: has {len(images)} frames, not {num_frames}; use fewer --frames')
    resized = [torch.from_numpy(cv2.resize(image, size[::-1])) for image in images]
    return torch.stack(resized).permute(0, 3, 1, 2).contiguous()


def window_of(
    frames: torch.Tensor, ori_size: tuple[int, int], frame_ids: range, video_length: int
) -> VideoWindow:
    """Some frames of a video as a window.

    Args:
        frames: uint8, (T, 3, h, w).
        ori_size: (H, W) of the results.
        frame_ids: their places in the video.
        video_length: its number of frames.
    """
    size = tuple(frames.shape[2:])
    metainfo = dict(
        video_id=1,
        video_name='noise',
        video_length=video_length,
        frame_ids=list(frame_ids),
        ori_shape=ori_size,
        img_shape=size,
        scale_factor=(size[1] / ori_size[1], size[0] / ori_size[0]),
        is_first=frame_ids[0] == 0,
        is_last=frame_ids[-1] == video_length - 1,
    )
    return VideoWindow(frames, VideoDataSample(metainfo=metainfo))


# Figures


def environment(device: str) -> dict[str, Any]:
    """Machine, versions, threads and date that figures belong to."""
    return machine.environment(device, mmvseg=mmvseg.__version__)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table, columns padded to one width; numbers as they come."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    cells.insert(1, ['-' * width for width in widths])
    lines = [
        '| ' + ' | '.join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + ' |'
        for row in cells
    ]
    return '\n'.join(lines)


# Other processes

#: CPU time of all threads and the largest memory, as the process itself sees them at its end.
_CHILD = """
import atexit, resource, runpy, sys
def report():
    use = resource.getrusage(resource.RUSAGE_SELF)
    peak = [line for line in open('/proc/self/status') if line.startswith('VmHWM')][0].split()[1]
    print(f'\\n{use.ru_utime + use.ru_stime} {int(peak) * 1024}', file=sys.stderr)
atexit.register(report)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@dataclass
class Usage:
    """What a process took, from the start of Python to its end.

    Attributes:
        wall_s: by the clock.
        cpu_s: of all threads.
        peak_bytes: largest memory.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int


def run_script(script: Path, *arguments: str | Path) -> Usage:
    """Run a tool in a fresh process and measure it.

    Raises:
        UserError: it fails.
    """
    command = [sys.executable, '-c', _CHILD, script, *arguments]
    start = time.perf_counter()
    run = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    wall_s = time.perf_counter() - start
    if run.returncode:
        raise UserError(f'{script.name} failed: {run.stderr.strip()[-500:]}')
    cpu_s, peak_bytes = run.stderr.splitlines()[-1].split()
    return Usage(wall_s, float(cpu_s), int(peak_bytes))
