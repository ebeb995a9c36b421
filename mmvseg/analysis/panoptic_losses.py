"""Where VPQ goes, in parts that add up, and what it gains if one kind of error is mended.

PQ of a class is the sum of the IoUs of its matches, divided by their number and half of the false
positives and false negatives. So what it lacks in single frames is a sum of parts, one for each
kind of :mod:`.panoptic_errors`. Two more parts are what VPQ loses in longer windows:

- *association*: what it gains in all windows if the same masks are linked rightly;
- *flicker*: the rest. Linked rightly, a mask that comes and goes still costs its whole window. It
  is negative where a window is better than its frames.

All seven add up to what VPQ lacks. A gain is another number: VPQ of the mended frames in all
windows, less what it is. The gains of several kinds need not add up: an error can hide another one,
and a class that is only falsely predicted counts no more once that is mended.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mmvseg.evaluation.functional.vpq import VPQ, WINDOWS, in_group
from mmvseg.formats.categories import Category

from .panoptic_counts import VideoCounts
from .panoptic_errors import FRAME_KINDS
from .panoptic_mending import MENDABLE

#: All kinds of losses; flicker cannot be mended on its own.
KINDS = (*MENDABLE, 'flicker')


@dataclass
class PanopticLosses:
    """Losses of some videos. Fractions in [0, 1]; NaN where VPQ is undefined.

    Attributes:
        quality: the VPQ that is lacking something.
        mended: VPQ without one kind of errors, by kind of :data:`.panoptic_mending.MENDABLE`.
        lost: what single frames lose, (K, 5), see :class:`.FrameErrors`.
        windows: lengths of the windows that VPQ is the mean of.
    """

    quality: VPQ
    mended: dict[str, VPQ]
    lost: np.ndarray
    windows: Sequence[int] = WINDOWS

    @classmethod
    def of(
        cls,
        categories: Sequence[Category],
        videos: Sequence[VideoCounts],
        lengths: Sequence[int],
        windows: Sequence[int] = WINDOWS,
    ) -> 'PanopticLosses':
        """Add up videos, at least one.

        Args:
            categories: the K classes.
            videos: what is counted in each.
            lengths: of the windows that are counted.
            windows: those that VPQ is the mean of.
        """

        def quality(sums: Iterable[dict[int, np.ndarray]]) -> VPQ:
            return VPQ.of(categories, sums, lengths)

        mended = {kind: quality(video.mended[kind] for video in videos) for kind in MENDABLE}
        lost = np.sum([video.lost for video in videos], axis=0)
        return cls(quality(video.sums for video in videos), mended, lost, windows)

    def parts(self, k: int) -> dict[str, np.ndarray]:
        """SQ and RQ of each class in windows of k frames, (K,); NaN for classes without any."""
        iou, hits, false, missed = self.quality.sums[k].T
        total = hits + (false + missed) / 2
        mean_iou = np.divide(iou, hits, out=np.zeros(len(hits)), where=hits > 0)
        with np.errstate(invalid='ignore'):
            return dict(SQ=np.where(total > 0, mean_iou, np.nan), RQ=hits / total)

    def by_class(self) -> dict[str, np.ndarray]:
        """What each class loses by kind, (K,)."""
        _, hits, false, missed = self.quality.sums[1].T
        with np.errstate(invalid='ignore'):
            losses = self.lost / (hits + (false + missed) / 2)[:, None]
        mean, linked = (
            np.mean([of.per_class(k) for k in self.windows], axis=0)
            for of in (self.quality, self.mended['association'])
        )
        found = dict(zip(FRAME_KINDS, losses.T, strict=True))
        return found | dict(association=linked - mean, flicker=self.quality.per_class(1) - linked)

    def by_kind(self, group: str = 'All') -> dict[str, float]:
        """What a group of classes loses by kind; together with its VPQ this is 1."""
        chosen = in_group(self.quality.categories, group) & ~np.isnan(self.quality.per_class(1))
        losses = self.by_class()
        found = {
            kind: float(losses[kind][chosen].mean()) if chosen.any() else float('nan')
            for kind in FRAME_KINDS
        }
        linked = self.mended['association'].mean(self.windows, group)
        found['association'] = self.gain('association', group)
        found['flicker'] = self.quality.quality(1, group) - linked
        return found

    def gain(self, kind: str, group: str = 'All') -> float:
        """What VPQ of a group gains if errors of one kind are mended."""
        after = self.mended[kind].mean(self.windows, group)
        return after - self.quality.mean(self.windows, group)
