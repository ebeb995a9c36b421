"""What the measures of tracking have in common: counts that add up."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TypeVar

Own = TypeVar('Own', bound='Sums')


@dataclass
class Sums:
    """Counts of one class in one video, or of several together; made without arguments, zeros."""

    def __add__(self: Own, other: Own) -> Own:
        names = [field.name for field in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))

    @classmethod
    def of(cls: type[Own], parts: Iterable[Own]) -> Own:
        """Add up videos or classes, field by field."""
        return sum(parts, start=cls())


def ratio(part: float, whole: float) -> float:
    """A fraction of counts; what has nothing to count is divided by 1, as TrackEval does."""
    return float(part / max(1, whole))
