"""What a long video leaves on disk until its end, in a temporary file that has no name."""

import tempfile

from .errors import UserError


class SpillFile:
    """Pieces of bytes, one a frame; the file is made with the first and goes with the object."""

    def __init__(self) -> None:
        self._file = None
        self._spans: list[tuple[int, int]] = []  # offset and length of each piece

    def __len__(self) -> int:
        return len(self._spans)

    def append(self, data: bytes, frame: int) -> None:
        """Write the next piece.

        Args:
            data: the piece.
            frame: whose it is, for the message.

        Raises:
            UserError: the disk for temporary files is full.
        """
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix='mmvseg_')  # noqa: SIM115
            start = self._file.seek(0, 2)
            self._file.write(data)
        except OSError as error:
            raise UserError(
                f'frame {frame}: cannot be kept in {tempfile.gettempdir()} ({error.strerror}); '
                'free space there, or let TMPDIR name another folder'
            ) from error
        self._spans.append((start, len(data)))

    def __getitem__(self, place: int) -> bytes:
        start, length = self._spans[place]
        self._file.seek(start)
        return self._file.read(length)
