"""Where VPQ goes, in points, and what it would be if one kind of error were mended.

PQ of a class is the sum of the IoUs of its matches, divided by their number and half of the false
positives and false negatives. So what it lacks is a sum of parts, and each wrong segment has one:

- *poor*: what the IoUs of the matches lack;
- *too poor*: a missed and a false segment of the class that are on each other (IoU of at least
  0.1), but do not match;
- *class*: segments that match one of another class;
- *false*, *missed*: the others.

These are counted in single frames. Two more parts are what VPQ loses in longer windows:

- *association*: what it gains in all windows if the same masks are linked rightly;
- *flicker*: the rest. Linked rightly, a mask that comes and goes still costs its whole window. It
  is negative where a window is better than its frames.

All seven add up to what VPQ lacks. What mending gains is another number: the mean runs over classes
and windows, and an error can hide another one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mmvseg.evaluation.functional.vpq import VPQ, WINDOWS, in_group
from mmvseg.formats.categories import Category

from .panoptic_counts import (
    CONFUSED_FALSE,
    CONFUSED_IOU,
    CONFUSED_MISSED,
    FALSE,
    HITS,
    IOU,
    MISSED,
    POOR_PAIRS,
    VideoCounts,
)

#: Kinds of errors in single frames.
FRAME_KINDS = ('poor', 'too_poor', 'class', 'false', 'missed')
#: All kinds; flicker cannot be mended on its own.
KINDS = (*FRAME_KINDS, 'association', 'flicker')
MENDABLE = KINDS[:-1]


@dataclass
class PanopticLosses:
    """Losses of some videos. Fractions in [0, 1]; NaN where VPQ is undefined.

    Attributes:
        categories: the K classes.
        counts: as in :class:`.panoptic_counts.VideoCounts`, of all videos.
        relinked: the same.
        windows: lengths of the windows that VPQ is the mean of.
    """

    categories: Sequence[Category]
    counts: dict[int, np.ndarray]
    relinked: dict[int, np.ndarray]
    windows: Sequence[int] = WINDOWS

    @classmethod
    def of(cls, categories: Sequence[Category], videos: Iterable[VideoCounts]) -> 'PanopticLosses':
        """Add up videos, at least one."""
        videos = [*videos]
        counts, relinked = (
            {k: np.sum([getattr(video, name)[k] for video in videos], axis=0) for k in first}
            for name, first in zip(('counts', 'relinked'), videos[0][:2], strict=True)
        )
        return cls(categories, counts, relinked)

    @property
    def quality(self) -> VPQ:
        """What is lost is lost of this."""
        return VPQ(self.categories, {k: counts[:, :4] for k, counts in self.counts.items()})

    def parts(self, k: int) -> dict[str, np.ndarray]:
        """SQ and RQ of each class in windows of k frames, (K,); NaN for classes without any."""
        iou, hits, false, missed = self.counts[k][:, :4].T
        total = hits + (false + missed) / 2
        with np.errstate(invalid='ignore'):
            mean_iou = np.divide(iou, hits, out=np.zeros(len(hits)), where=hits > 0)
            return dict(SQ=np.where(total > 0, mean_iou, np.nan), RQ=hits / total)

    def by_class(self) -> dict[str, np.ndarray]:
        """What each class loses by kind, (K,)."""
        counts = self.counts[1]
        total = counts[:, HITS] + (counts[:, FALSE] + counts[:, MISSED]) / 2
        parts = {
            'poor': counts[:, HITS] - counts[:, IOU],
            'too_poor': counts[:, POOR_PAIRS],
            'class': (counts[:, CONFUSED_FALSE] + counts[:, CONFUSED_MISSED]) / 2,
            'false': _only_false(counts) / 2,
            'missed': _only_missed(counts) / 2,
        }
        with np.errstate(invalid='ignore'):
            losses = {kind: part / total for kind, part in parts.items()}
        quality, relinked = self.quality, VPQ(self.categories, self.relinked)
        mean, mended = (
            np.mean([of.per_class(k) for k in self.windows], axis=0) for of in (quality, relinked)
        )
        return dict(losses, association=mended - mean, flicker=quality.per_class(1) - mended)

    def by_kind(self, group: str = 'All') -> dict[str, float]:
        """What a group of classes loses by kind; together with its VPQ this is 1."""
        chosen = in_group(self.categories, group) & ~np.isnan(self.quality.per_class(1))
        losses = self.by_class()
        found = {
            kind: float(losses[kind][chosen].mean()) if chosen.any() else float('nan')
            for kind in FRAME_KINDS
        }
        mended = VPQ(self.categories, self.relinked).mean(self.windows, group)
        found['association'] = mended - self.quality.mean(self.windows, group)
        found['flicker'] = self.quality.quality(1, group) - mended
        return found

    def gain(self, kind: str, group: str = 'All') -> float:
        """What VPQ of a group gains if errors of one kind, of :data:`MENDABLE`, are mended."""
        if kind == 'association':
            mended = self.relinked
        else:
            mended = {k: _mended(kind, counts) for k, counts in self.counts.items()}
        after = VPQ(self.categories, mended).mean(self.windows, group)
        return after - self.quality.mean(self.windows, group)


def _only_false(counts: np.ndarray) -> np.ndarray:
    return counts[:, FALSE] - counts[:, CONFUSED_FALSE] - counts[:, POOR_PAIRS]


def _only_missed(counts: np.ndarray) -> np.ndarray:
    return counts[:, MISSED] - counts[:, CONFUSED_MISSED] - counts[:, POOR_PAIRS]


def _mended(kind: str, counts: np.ndarray) -> np.ndarray:
    """The counts of VPQ without the errors of one kind, (K, 4)."""
    iou, hits, false, missed = counts[:, :4].T.copy()
    if kind == 'poor':
        iou = hits
    elif kind == 'too_poor':
        pairs = counts[:, POOR_PAIRS]
        iou, hits, false, missed = iou + pairs, hits + pairs, false - pairs, missed - pairs
    elif kind == 'class':
        iou, hits = iou + counts[:, CONFUSED_IOU], hits + counts[:, CONFUSED_MISSED]
        false, missed = false - counts[:, CONFUSED_FALSE], missed - counts[:, CONFUSED_MISSED]
    elif kind == 'false':
        false = false - _only_false(counts)
    else:
        added = _only_missed(counts)
        iou, hits, missed = iou + added, hits + added, missed - added
    return np.stack([iou, hits, false, missed], axis=1)
