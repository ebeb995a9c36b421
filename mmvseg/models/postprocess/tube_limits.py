"""How many tubes a model reports: the best of a video, or all that matter of each stretch of it."""

from dataclasses import dataclass, replace
from typing import TypeVar

from torch import Tensor

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
