"""Keeps an array a frame until the end of a video, in memory as far as allowed, then on disk."""

import numpy as np

from mmvseg.spill_file import SpillFile


class FrameStore:
    """Arrays of one shape and type.

    Args:
        memory_mb: MiB that stay in memory; the frames beyond go to a temporary file.
    """

    def __init__(self, memory_mb: float) -> None:
        self._limit = memory_mb * 2**20
        self._in_memory: list[np.ndarray] = []
        self._on_disk = SpillFile()

    def __len__(self) -> int:
        return len(self._in_memory) + len(self._on_disk)

    def append(self, array: np.ndarray) -> None:
        """Keep the next frame's array.

        Raises:
            UserError: the disk for temporary files is full.
        """
        if not len(self._on_disk) and (len(self._in_memory) + 1) * array.nbytes <= self._limit:
            self._in_memory.append(array)
            return
        self._shape, self._dtype = array.shape, array.dtype
        self._on_disk.append(array.tobytes(), frame=len(self))

    def __getitem__(self, frame: int) -> np.ndarray:
        if frame < len(self._in_memory):
            return self._in_memory[frame]
        data = self._on_disk[frame - len(self._in_memory)]
        return np.frombuffer(data, self._dtype).reshape(self._shape)
