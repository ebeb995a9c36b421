"""Clocks, memory and the machine, for every measuring process, also those without mmvseg."""

import datetime
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

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


def environment(device: str, **versions: str) -> dict[str, Any]:
    """Machine, versions (more than those looked up here, if given), threads and date."""
    versions['torch'] = torch.__version__
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
