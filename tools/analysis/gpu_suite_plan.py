"""Which job of gpu_suite.py may take how long, so that every section gets its share."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: In the order in which they run: what part of the time each may take, with what is left over by
#: those before.
SHARES = dict(tests=0.2, speed=0.33, decode=0.04, compile=0.19, graphs=0.1, train=0.14)
#: A job may take so many times the even share of its section: models differ in size.
_STRETCH = 2


@dataclass(frozen=True)
class Job:
    """One process of the suite.

    Attributes:
        section: a key of :data:`SHARES`.
        model: name of a config; empty where the section has one job.
    """

    section: str
    model: str = ''

    def __str__(self) -> str:
        return f'{self.section} {self.model}'.strip()


class Plan:
    """Deals out the time among jobs that come one after the other.

    Args:
        seconds: for all of them.
        jobs: in the order in which they come, section by section in that of :data:`SHARES`.
        clock: tells the time in seconds.
    """

    def __init__(
        self, seconds: float, jobs: Sequence[Job], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._waiting = list(jobs)
        self._section_end = {}
        self._taken: dict[Job, float] = {}

    def start(self, job: Job) -> tuple[float, str | None]:
        """What the next job may take.

        Returns:
            Seconds, and None; or a reason why it is not to be started.
        """
        left = self._left_of_section(job.section)
        same = [item for item in self._waiting if item.section == job.section]
        seconds = min(left, _STRETCH * left / len(same))
        self._waiting.remove(job)
        expected = self._expected(job)
        if seconds <= 0:
            return 0, 'not started: the minutes were spent'
        if expected > seconds:
            return 0, (
                f'not started: would take at least {expected:.0f} s, and {seconds:.0f} s are left '
                'for it; give it more --minutes, or choose --only and --models'
            )
        return seconds, None

    def note(self, job: Job, seconds: float) -> None:
        """Say how long a job took that came to its end."""
        self._taken[job] = seconds

    def _left_of_section(self, section: str) -> float:
        now = self._clock()
        if section not in self._section_end:
            share = sum(SHARES[name] for name in {job.section for job in self._waiting})
            part = SHARES[section] / share if share else 1
            self._section_end[section] = now + part * max(0, self._end - now)
        return self._section_end[section] - now

    def _expected(self, job: Job) -> float:
        """A lower bound: it builds what the model's first job built, and does as much as others."""
        first = self._taken.get(Job('speed', job.model), 0.0)
        others = [taken for done, taken in self._taken.items() if done.section == job.section]
        return max(first, min(others)) if others else first
