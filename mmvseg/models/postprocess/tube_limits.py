"""How many tubes a model reports: the best of a video, or all that matter of each stretch of it."""

from dataclasses import dataclass, replace
from typing import TypeVar

from torch import Tensor

from mmvseg.errors import UserError

from .vis import select_top

Limits = TypeVar('Limits', bound='TubeLimits')

#: Enough for all objects of a stretch, and a bound of the memory.
MANY = 100


@dataclass(frozen=True)
class TubeLimits:
    """The part of a config's ``test_cfg`` that says how many tubes are reported.

    A benchmark counts the best few of a whole video. A person wants to see all objects of a video
    of any length, those that are there for a moment, too; so scores and numbers then count for
    each stretch of frames on its own.

    Attributes:
        max_per_video: (query, class) pairs to report of a video.
        max_per_stretch: pairs to report of each stretch instead, whatever ``max_per_video`` is. 0
            for none; None: as 0 in tests, and many where a video is segmented to be looked at.
        min_score: with stretches, a pair that scores less in one is not reported of it, unless it
            is its best.
    """

    max_per_video: int = 10
    max_per_stretch: int | None = None
    min_score: float = 0.1

    def __post_init__(self) -> None:
        check_count('max_per_video', self.max_per_video, least=1)
        if self.max_per_stretch is not None:
            check_count('max_per_stretch', self.max_per_stretch, least=0)

    @property
    def by_stretches(self) -> bool:
        """Whether numbers count for each stretch."""
        return bool(self.max_per_stretch)

    def settled(self: Limits) -> Limits:
        """These limits for a video that is looked at."""
        return self if self.max_per_stretch is not None else replace(self, max_per_stretch=MANY)

    def select(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The pairs to report of a video, or of a stretch.

        Args:
            scores: class probabilities of the queries, (Q, K).

        Returns:
            scores, query indices and class indices, (n,) each, by descending score; n is at
            least 1.
        """
        if not self.by_stretches:
            return select_top(scores, self.max_per_video)
        best, queries, labels = select_top(scores, self.max_per_stretch)
        count = max(1, int((best >= self.min_score).sum()))
        return best[:count], queries[:count], labels[:count]


def check_count(key: str, value: object, least: int) -> None:
    """Make sure that a setting is a whole number of a certain size.

    Args:
        key: of ``model.test_cfg``.
        value: what is set.
        least: the smallest number that it may be.

    Raises:
        UserError: it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UserError(f'model.test_cfg: {key}={value!r}: give a whole number of at least {least}')
