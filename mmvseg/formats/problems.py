"""What can be wrong with a file, said in the same words by who reads it and who checks it.

The functions that read a format are generators: they yield what they find and return what they
read. A reader stops at the first fault (:func:`strictly`), a checker collects everything.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from mmvseg.errors import UserError

T = TypeVar('T')

CHECKER = 'tools/dataset_converters/check_dataset.py'


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
        field: key of the file, ``frame`` or ``mask``.
        rule: what is wrong.
        video: id of the video, if it concerns one.
        annotation: id of the annotation, if it concerns one.
        frame: 0-based index, if it concerns one.
        segment: id of the segment, if it concerns one.
        level: what follows.
    """

    file: str
    field: str
    rule: str
    video: Any = None
    annotation: Any = None
    frame: int | None = None
    segment: int | None = None
    level: Level = Level.FAULT

    def __str__(self) -> str:
        parts = [f'{"note: " if self.is_note else ""}{self.file}:']
        for name in ('video', 'annotation', 'frame', 'segment'):
            value = getattr(self, name)
            if value is not None:
                parts.append(f'{name} {value},')
        return printable(f'{" ".join(parts)} {self.field}: {self.rule}')

    @property
    def is_note(self) -> bool:
        """Whether no rule is broken."""
        return self.level is Level.NOTE


#: What a reading function yields, and returns in the end.
Findings: TypeAlias = Generator[Problem, None, T]


def strictly(
    findings: Findings[T],
    notes: list[Problem] | None = None,
    hint: str = f' ({CHECKER} lists all problems of a file)',
) -> T:
    """What is read, if there is no fault.

    Args:
        findings: of a reading function.
        notes: gets flaws and notes.
        hint: what to do about a fault.

    Raises:
        UserError: with the first fault.
    """
    while True:
        try:
            problem = next(findings)
        except StopIteration as end:
            return end.value
        if problem.level is Level.FAULT:
            raise UserError(f'{problem}{hint}')
        if notes is not None:
            notes.append(problem)


def printable(text: str) -> str:
    """A text with its control characters escaped, which a terminal would obey."""
    return ''.join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def quoted(value: Any) -> str:
    """A value of a file for a message: short, control characters escaped."""
    text = repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'
