"""Progress and remaining time: a bar on a terminal, a line now and then in a log file."""

import sys
import time
from collections import deque

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from .errors import say

SECONDS_BETWEEN_LINES = 10.0
#: What the remaining time goes by.
RECENT_S = 60.0


class RecentRate:
    """How long a step has taken lately.

    Example:
        >>> rate = RecentRate(0, 0.0)
        >>> rate.update(4, 2.0)
        0.5
    """

    def __init__(self, done: int, now_s: float) -> None:
        self._marks = deque([(now_s, done)])

    def update(self, done: int, now_s: float) -> float:
        """Seconds a step over the last minute, or since the start; 0 before the first step.

        Args:
            done: number of steps that are done.
            now_s: by a clock that may stand still meanwhile.
        """
        marks = self._marks
        if now_s - marks[-1][0] >= RECENT_S / 100 or len(marks) == 1:
            marks.append((now_s, done))
        while len(marks) > 2 and now_s - marks[1][0] >= RECENT_S:
            marks.popleft()
        start_s, before = marks[0]
        return (now_s - start_s) / (done - before) if done > before else 0.0


class _RateColumn(ProgressColumn):
    """Steps a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """What the bar shows."""
        return Text(f'{task.speed:.1f} {self._unit}/s' if task.speed else '')


class ProgressReport:
    """Shows on stderr how far a job is.

    Args:
        description: what is being done, e.g. ``segmenting``.
        total: number of steps; None if unknown.
        unit: what a step is.
        done: steps that were done before.
        rate: also show how many steps a second there are.

    Example:
        >>> with ProgressReport('drawing', total=2) as progress:  # doctest: +SKIP
        ...     progress.advance()
        ...     progress.advance()
    """

    def __init__(
        self,
        description: str,
        total: int | None = None,
        unit: str = 'frames',
        *,
        done: int = 0,
        rate: bool = False,
    ) -> None:
        self.description, self.total, self.unit = description, total, unit
        self.done, self._shows_rate = done, rate
        self._printed: int | None = None
        self._bar: Progress | None = None

    def __enter__(self) -> 'ProgressReport':
        self._start_s = time.monotonic()
        self._next_line_s = self._start_s + SECONDS_BETWEEN_LINES
        self._rate = RecentRate(self.done, self._start_s)
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn('{task.description}'),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn(self.unit),
                *([_RateColumn(self.unit)] if self._shows_rate else []),
                TimeElapsedColumn(),
                TextColumn('left:'),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._bar.start()
            self._task = self._bar.add_task(self.description, total=self.total, completed=self.done)
        return self

    def advance(self, steps: int = 1) -> None:
        """Count ``steps`` more as done."""
        self.done += steps
        if self._bar:
            self._bar.advance(self._task, steps)
        elif time.monotonic() >= self._next_line_s:
            self._print_line()
            self._next_line_s = time.monotonic() + SECONDS_BETWEEN_LINES

    def __exit__(self, *error) -> None:
        if self._bar:
            self._bar.stop()
        elif self.done != self._printed:
            self._print_line()

    def _print_line(self) -> None:
        self._printed = self.done
        now_s = time.monotonic()
        elapsed_s, per_step_s = now_s - self._start_s, self._rate.update(self.done, now_s)
        line = f'{self.description}: {self.done}'
        if self.total:
            line += f'/{self.total}'
        line += f' {self.unit} in {elapsed_s:.0f} s'
        if self._shows_rate and per_step_s:
            line += f', {1 / per_step_s:.1f} {self.unit}/s'
        if self.total and 0 < self.done < self.total:
            line += f', about {per_step_s * (self.total - self.done):.0f} s left'
        say(line, sys.stderr)
