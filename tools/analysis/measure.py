"""What the measuring tools share: models with random weights, videos, clocks, memory, machine."""

import datetime
import logging
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger

import mmvseg
from mmvseg.engine.config import config_errors, require
from mmvseg.errors import UserError
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample, VideoWindow

#: Boxes of an untrained model leave the image within a few stages unless they move less.
FC_REG_SCALE = 0.05

PROTOCOL = (
    f"Random weights from the model's own initialisation (fc_reg times {FC_REG_SCALE}, if there is "
    'one: boxes then stay on screen); eval mode, no gradients. Frames of noise, zero padded to a '
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
    generator = torch.Generator().manual_seed(seed)
    frames = torch.randint(0, 256, (num_frames, 3, *size), dtype=torch.uint8, generator=generator)
    return window_of(frames, ori_size, range(num_frames), num_frames)


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


# Time


@dataclass
class Elapsed:
    """Duration of a block.

    Attributes:
        wall_s: by the clock.
        cpu_s: of this process, all threads.
        other_cores: mean number of cores that other processes kept busy; None if unknown.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    other_cores: float | None = None


@contextmanager
def elapsed(synchronize: Callable[[], None] = lambda: None) -> Iterator[Elapsed]:
    """Time the block; the object is filled when it ends."""
    result = Elapsed()
    synchronize()
    busy, wall, cpu = _busy_s(), time.perf_counter(), time.process_time()
    yield result
    synchronize()
    result.wall_s = time.perf_counter() - wall
    result.cpu_s = time.process_time() - cpu
    if busy is not None:
        others = (_busy_s() - busy - result.cpu_s) / result.wall_s
        result.other_cores = round(max(others, 0.0), 2)


def _busy_s() -> float | None:
    """Seconds that all cores have been at work since boot; None where that is not known."""
    try:
        fields = Path('/proc/stat').read_text().split('\n', 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _, _, irq, softirq, *_ = map(int, fields)
    return (user + nice + system + irq + softirq) / os.sysconf('SC_CLK_TCK')


def synchronizer(device: str) -> Callable[[], None]:
    """What waits for a device's work."""
    return torch.cuda.synchronize if torch.device(device).type == 'cuda' else (lambda: None)


# Memory


def resident_gb() -> float:
    """Memory of this process now, 10^9 bytes."""
    return _status_gb('VmRSS')


def peak_resident_gb() -> float:
    """Largest memory of this process so far, 10^9 bytes.

    Not ``getrusage``: its maximum survives exec, so a child would begin with its parent's.
    """
    return _status_gb('VmHWM')


def reset_peak_resident() -> None:
    """Let :func:`peak_resident_gb` count from now."""
    Path('/proc/self/clear_refs').write_text('5')


def memory_gb(device: str) -> float:
    """Memory of tensors on a GPU, or of this process if the device is the CPU, 10^9 bytes."""
    on_gpu = torch.device(device).type == 'cuda'
    return torch.cuda.memory_allocated() / 1e9 if on_gpu else resident_gb()


def peak_gb(device: str) -> float:
    """Largest :func:`memory_gb` since :func:`reset_peak`."""
    on_gpu = torch.device(device).type == 'cuda'
    return torch.cuda.max_memory_allocated() / 1e9 if on_gpu else peak_resident_gb()


def reset_peak(device: str) -> None:
    """Let :func:`peak_gb` count from now."""
    if torch.device(device).type == 'cuda':
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    else:
        reset_peak_resident()


def _status_gb(key: str) -> float:
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(key + ':'):
            return int(line.split()[1]) * 1024 / 1e9
    raise RuntimeError(f'/proc/self/status has no {key}')


# Machine


def environment(device: str) -> dict[str, Any]:
    """Machine, versions, threads and date that figures belong to."""
    versions = {'mmvseg': mmvseg.__version__, 'torch': torch.__version__}
    for package in ('mmengine', 'mmdet', 'mmcv', 'mmcv-lite', 'numpy'):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    result = dict(
        date=datetime.date.today().isoformat(),
        cpu=_cpu_name(),
        cores=os.cpu_count(),
        ram_gb=round(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9, 1),
        threads=torch.get_num_threads(),
        system=f'{platform.system()} {platform.release()}',
        python=platform.python_version(),
        versions=versions,
        device='cpu',
    )
    if torch.device(device).type == 'cuda':
        properties = torch.cuda.get_device_properties(0)
        result.update(
            device=properties.name,
            gpu_memory_gb=round(properties.total_memory / 1e9, 1),
            cuda=torch.version.cuda,
            tf32=dict(
                matmul=torch.backends.cuda.matmul.allow_tf32,
                cudnn=torch.backends.cudnn.allow_tf32,
            ),
        )
    return result


def _cpu_name() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor()


def describe(env: dict[str, Any]) -> str:
    """One line for people."""
    versions = ', '.join(f'{name} {version}' for name, version in env['versions'].items())
    device = '' if env['device'] == 'cpu' else f'{env["device"]} ({env["gpu_memory_gb"]} GB), '
    return (
        f'{device}{env["cores"]} x {env["cpu"]}, {env["ram_gb"]} GB RAM, {env["threads"]} threads; '
        f'Python {env["python"]}, {versions}; {env["date"]}'
    )


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
