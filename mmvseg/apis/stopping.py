"""Ctrl-C and SIGTERM as a wish to stop, which keeps what is done."""

import signal
import sys
from contextlib import suppress
from types import FrameType

from mmvseg.errors import say


class Stopped(KeyboardInterrupt):
    """Ends a program at once.

    Attributes:
        status: exit status of the program.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.status = 128 + number


class StopWish:
    """Within its block, Ctrl-C and SIGTERM are wishes that loops look at.

    A loop that ends early takes the wish; the next signal is a wish again. A signal while a wish
    waits, or before :attr:`is_heeded`, raises :class:`Stopped`.

    Attributes:
        is_heeded: whether there is something to keep, and a loop that will look.
        number: the last signal; None if there was none.

    Example:
        >>> with StopWish() as stop:
        ...     stop.is_heeded = True
        ...     done = [index for index in range(3) if not stop.taken()]
        >>> done, stop.status
        ([0, 1, 2], 0)
    """

    def __init__(self) -> None:
        self.is_heeded = False
        self.number: int | None = None
        self._waits = False

    def taken(self) -> bool:
        """Whether the loop that asks has to end now."""
        waits, self._waits = self._waits, False
        return waits

    @property
    def status(self) -> int:
        """The exit status, 130 after Ctrl-C, 143 after SIGTERM, else 0."""
        return 0 if self.number is None else 128 + self.number

    def __enter__(self) -> 'StopWish':
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        # Who starts a program in the background (nohup, &) may want it to ignore signals.
        self._before = {n: h for n, h in before.items() if h not in (signal.SIG_IGN, None)}
        for number in self._before:
            signal.signal(number, self._handle)
        return self

    def __exit__(self, *error) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        if self._waits or not self.is_heeded:
            raise Stopped(number)
        self._waits = True
        name = 'Ctrl-C' if number == signal.SIGINT else 'SIGTERM'
        with suppress(RuntimeError):  # the signal came in the midst of another line
            say(f'{name}: finishing what is done; once more ends at once', sys.stderr)
