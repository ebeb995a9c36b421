"""The identity measures: IDF1, of one assignment of objects to tracks over a video, at IoU 0.5.

The numbers are those of TrackEval.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from .sums import Sums, ratio
from .track_overlap import TrackOverlap

THRESHOLD = 0.5


@dataclass
class IdentitySums(Sums):
    """What a class contributes in a video, or in several.

    Attributes:
        true: masks of objects that are found by the one track that stands for the object.
        missed: masks of objects that are not.
        false: masks of tracks that are not on the object that they stand for.
    """

    true: int = 0
    missed: int = 0
    false: int = 0

    def numbers(self) -> dict[str, float]:
        """All fields by TrackEval's names."""
        return dict(
            IDF1=ratio(self.true, self.true + 0.5 * self.missed + 0.5 * self.false),
            IDR=ratio(self.true, self.true + self.missed),
            IDP=ratio(self.true, self.true + self.false),
            IDTP=self.true,
            IDFN=self.missed,
            IDFP=self.false,
        )


def identity_sums(overlap: TrackOverlap) -> IdentitySums:
    """Count one class in one video."""
    common = np.zeros((len(overlap.object_lengths), len(overlap.track_lengths)), int)
    for frame in overlap.frames:
        common[frame.objects[:, None], frame.tracks] += frame.iou >= THRESHOLD
    # Fewest misses and false masks together are most masks in common: who stands for nobody has
    # none, so nobody need be left alone.
    true = int(common[linear_sum_assignment(common, maximize=True)].sum())
    missed = int(overlap.object_lengths.sum()) - true
    return IdentitySums(true, missed, int(overlap.track_lengths.sum()) - true)
