"""What can be wrong with a file, said in the same words by who reads it and who checks it.

The functions that read a format are generators: they yield what they find and return what they
read. A reader stops at the first fault (:func:`strictly`), a checker collects everything.
"""

import gc
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from mmvseg.errors import UserError

T = TypeVar('T')

CHECKER = 'mmvseg check'
LISTS_ALL = f'{CHECKER} lists all problems of a file'
_ADVICE = f' ({LISTS_ALL})'


class Level(Enum):
    """What follows from a problem."""

    #: No reader takes the file.
    FAULT = 'fault'
    #: Readers take the file, but it hardly says what was meant.
    FLAW = 'flaw'
    #: No rule is broken, but something is worth knowing.
    NOTE = 'note'


@dataclass(frozen=True)
class Problem:
    """A rule that a file breaks, and where.

    Attributes:
        file: annotation file, results, list of videos, frame or mask.
        field: key of the file, ``frame`` or ``mask``; empty if all of an entry is meant.
        rule: what is wrong.
        entry: 0-based position in a list of results, if it concerns one.
        video: id of the video, if it concerns one.
        annotation: id of the annotation, if it concerns one.
        frame: 0-based index, if it concerns one.
        segment: id of the segment, if it concerns one.
        level: what follows.
    """

    file: str
    field: str
    rule: str
    entry: int | None = None
    video: Any = None
    annotation: Any = None
    frame: int | None = None
    segment: int | None = None
    level: Level = Level.FAULT

    def __str__(self) -> str:
        return f'{"note: " if self.is_note else ""}{self.file}: {self.place}: {self.rule}'

    @property
    def place(self) -> str:
        """Where in the file, in words."""
        names = ('entry', 'video', 'annotation', 'frame', 'segment')
        values = {name: getattr(self, name) for name in names}
        parts = [f'{name} {value}' for name, value in values.items() if value is not None]
        return ', '.join([*parts, self.field] if self.field else parts)

    @property
    def is_note(self) -> bool:
        """Whether no rule is broken."""
        return self.level is Level.NOTE


#: What a reading function yields, and returns in the end.
Findings: TypeAlias = Generator[Problem, None, T]


def no_annotations(file: str) -> Problem:
    """The note that a file or list comes without annotations, as released test splits do."""
    return Problem(file, 'annotations', 'it has no annotations', level=Level.NOTE)


class Flaws:
    """How many flaws of a file there are in which fields, with the first as an example."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: Problem | None = None

    def add(self, problem: Problem) -> None:
        """Count a problem if it is a flaw."""
        if problem.level is Level.FLAW:
            self._counts[problem.field] += 1
            self._first = self._first or problem

    def __bool__(self) -> bool:
        return bool(self._counts)

    def __str__(self) -> str:
        counts = ', '.join(f'{count} in {field}' for field, count in self._counts.most_common())
        return (
            f'{self._first.file}: {self._counts.total()} entries are hardly meant so ({counts}), '
            f'e.g. {self._first.place}: {self._first.rule} ({CHECKER} lists them all)'
        )


def strictly(findings: Findings[T], flaws: Flaws | None = None, advice: str = _ADVICE) -> T:
    """What is read, if there is no fault.

    Args:
        findings: of a reading function.
        flaws: counts what readers bear.
        advice: what follows the message.

    Raises:
        UserError: with the first fault.
    """
    with _no_search_for_garbage():
        while True:
            try:
                problem = next(findings)
            except StopIteration as end:
                return end.value
            if problem.level is Level.FAULT:
                raise UserError(f'{problem}{advice}')
            if flaws is not None:
                flaws.add(problem)


@contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """What a reader makes stays; to look through it again and again takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def collect(findings: Findings[T], problems: list[Problem]) -> T:
    """What is read; what is found on the way is appended to ``problems``."""
    while True:
        try:
            problems.append(next(findings))
        except StopIteration as end:
            return end.value


def quoted(value: Any) -> str:
    """A value of a file for a message: short, control characters escaped."""
    text = repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'
