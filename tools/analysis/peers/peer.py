"""What a command that benchmark.py compares with is told, and how it answers.

It is told by the environment:

- ``BENCHMARK_FRAMES``: a file of NumPy, RGB frames, uint8, (T, h, w, 3);
- ``BENCHMARK_ORI_SIZE``: HxW of the results;
- ``BENCHMARK_THREADS``: threads of the CPU, which ``OMP_NUM_THREADS`` says, too;
- ``BENCHMARK_DEVICE``: ``cpu`` or ``cuda``.

It segments the first ``WARM_UP`` frames, then times the whole video once, and prints as its last
line the fields of :class:`Answer` as JSON. Every run is a process of its own.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

#: Frames of the clip that a peer segments before it is timed.
WARM_UP = 2


@dataclass(frozen=True)
class Task:
    """What is to be timed.

    Attributes:
        frames: path of the frames.
        ori_size: (H, W) of the results.
        threads: of the CPU.
        device: where the model runs.
    """

    frames: str
    ori_size: tuple[int, int]
    threads: int
    device: str

    @classmethod
    def given(cls) -> 'Task':
        """The task of this process."""
        height, width = os.environ['BENCHMARK_ORI_SIZE'].split('x')
        return cls(
            os.environ['BENCHMARK_FRAMES'],
            (int(height), int(width)),
            int(os.environ['BENCHMARK_THREADS']),
            os.environ['BENCHMARK_DEVICE'],
        )

    def variables(self) -> dict[str, str]:
        """The task as variables of an environment."""
        return dict(
            BENCHMARK_FRAMES=self.frames,
            BENCHMARK_ORI_SIZE='x'.join(map(str, self.ori_size)),
            BENCHMARK_THREADS=str(self.threads),
            BENCHMARK_DEVICE=self.device,
            OMP_NUM_THREADS=str(self.threads),
        )

    def load(self) -> np.ndarray:
        """The frames, RGB uint8, (T, h, w, 3)."""
        return np.load(self.frames)


@dataclass(frozen=True)
class Answer:
    """What a run took.

    Attributes:
        name: of the model.
        wall_s: by the clock, from uint8 frames to masks.
        cpu_s: of the process, all threads.
        peak_memory_gb: largest memory of the process since the warm-up, 10^9 bytes; on a GPU,
            of the device's.
        precision: of the model's numbers, e.g. ``float32``.
        environment: ``cpu``, ``threads``, ``versions`` (with torch's) and whatever else.
        coded: whether the masks are run-length coded within that time.
        coding_wall_s: part of ``wall_s`` that the coding takes, if known.
        coding_cpu_s: part of ``cpu_s``, likewise.
        other_cores: how many cores other processes kept busy meanwhile, if known.
    """

    name: str
    wall_s: float
    cpu_s: float
    peak_memory_gb: float
    precision: str
    environment: Mapping[str, Any]
    coded: bool = False
    coding_wall_s: float | None = None
    coding_cpu_s: float | None = None
    other_cores: float | None = None

    def give(self) -> None:
        """Print it for the process that asked."""
        print(json.dumps(asdict(self)), flush=True)
