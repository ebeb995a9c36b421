"""How far a number may be off because other videos might have been filmed: resampling of videos."""

from dataclasses import dataclass

import numpy as np

NUM_DRAWS = 1000
#: Part of the draws that an interval holds; the rest is left out in equal parts at both ends.
CONFIDENCE = 0.95
#: Fewer videos than these say nothing: of five, chance alone makes all differ to one side in one of
#: sixteen cases.
MIN_VIDEOS = 6
#: Smaller differences are due to rounding.
ROUNDING = 1e-9


def draw_videos(num_videos: int, num_draws: int = NUM_DRAWS, seed: int = 0) -> np.ndarray:
    """Draw as many videos as there are, with replacement, again and again.

    Args:
        num_videos: V.
        num_draws: N.
        seed: of the generator.

    Returns:
        How often each video is drawn, (N, V); each row adds up to V.
    """
    rng = np.random.default_rng(seed)
    return rng.multinomial(num_videos, np.full(num_videos, 1 / max(1, num_videos)), num_draws)


@dataclass(frozen=True)
class Difference:
    """A number of two runs A and B, nan where there is nothing to measure.

    Attributes:
        a: in A.
        b: in B.
        low: lower end of the interval of B - A; nan without an interval.
        high: its upper end.
        share_better: part of the draws in which B is better than A; nan without an interval.
        lower_is_better: whether less of it is better.
    """

    a: float
    b: float
    low: float
    high: float
    share_better: float
    lower_is_better: bool = False

    @property
    def difference(self) -> float:
        """B - A."""
        return self.b - self.a

    @property
    def sign(self) -> int:
        """1 if B is clearly better, -1 if it is clearly worse, else 0."""
        sign = int(self.low > ROUNDING) - int(self.high < -ROUNDING)
        return -sign if self.lower_is_better else sign

    @property
    def verdict(self) -> str:
        """What the interval says, in words."""
        if np.isnan(self.difference):
            return 'nothing to compare'
        if np.isnan(self.low):
            return 'too few videos'
        return {1: 'clearly better', -1: 'clearly worse', 0: 'no clear difference'}[self.sign]

    def numbers(self) -> dict[str, float | str | list[float] | None]:
        """All of it; ``a`` and ``b`` are -1 where there is nothing to measure, others then None."""
        with_interval = not np.isnan(self.low)
        return dict(
            a=-1.0 if np.isnan(self.a) else self.a,
            b=-1.0 if np.isnan(self.b) else self.b,
            difference=None if np.isnan(self.difference) else self.difference,
            interval=[self.low, self.high] if with_interval else None,
            verdict=self.verdict,
            share_better=self.share_better if with_interval else None,
        )


def paired_difference(
    whole: tuple[float, float],
    draws: tuple[np.ndarray, np.ndarray],
    num_videos: int,
    lower_is_better: bool = False,
) -> Difference:
    """Compare a number of A and B.

    The interval is that of the percentiles of B - A over draws of the same videos for both. Draws
    in which either is nan do not count.

    Args:
        whole: A and B over all videos.
        draws: A and B in each draw, (N,) each.
        num_videos: how many videos have anything to do with the number. There is no interval if
            they are fewer than :data:`MIN_VIDEOS`.
        lower_is_better: whether less of it is better.
    """
    a, b = map(float, whole)
    differences = draws[1] - draws[0]
    differences = differences[~np.isnan(differences)]
    if num_videos < MIN_VIDEOS or not len(differences) or np.isnan(b - a):
        return Difference(a, b, np.nan, np.nan, np.nan, lower_is_better)
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(differences, [outside, 1 - outside]).tolist()
    better = -differences if lower_is_better else differences
    return Difference(a, b, low, high, float((better > ROUNDING).mean()), lower_is_better)
