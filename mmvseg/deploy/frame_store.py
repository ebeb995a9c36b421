"""Keeps an array a frame until the end of a video, in memory as far as allowed, then on disk."""

import tempfile

import numpy as np

from mmvseg.errors import UserError


class FrameStore:
    """Arrays of one shape and type.

    Args:
        memory_mb: MiB that stay in memory; the frames beyond go to a temporary file.
    """

    def __init__(self, memory_mb: float) -> None:
        self._limit = memory_mb * 2**20
        self._in_memory: list[np.ndarray] = []
        self._file = None
        self._in_file = 0

    def __len__(self) -> int:
        return len(self._in_memory) + self._in_file

    def append(self, array: np.ndarray) -> None:
        """Keep the next frame's array.

        Raises:
            UserError: the disk for temporary files is full.
        """
        if not self._in_file and (len(self._in_memory) + 1) * array.nbytes <= self._limit:
            self._in_memory.append(array)
            return
        self._shape, self._dtype, self._nbytes = array.shape, array.dtype, array.nbytes
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix='mmvseg_')  # noqa: SIM115
            self._file.seek(self._in_file * array.nbytes)
            self._file.write(array.tobytes())
        except OSError as error:
            raise UserError(
                f'frame {len(self)}: cannot be kept in {tempfile.gettempdir()} ({error.strerror}); '
                'free space there, or let TMPDIR name another folder'
            ) from error
        self._in_file += 1

    def __getitem__(self, frame: int) -> np.ndarray:
        if frame < len(self._in_memory):
            return self._in_memory[frame]
        self._file.seek((frame - len(self._in_memory)) * self._nbytes)
        return np.frombuffer(self._file.read(self._nbytes), self._dtype).reshape(self._shape)
