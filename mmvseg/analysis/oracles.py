"""What AP would be if one kind of error were mended: perfect association, perfect masks and so on.

Each oracle is applied on its own, and all are applied one on top of the other in the order of
:data:`.tube_kinds.KINDS`. The gains on their own need not add up to what is missing: an error can
hide another one, and two that are on one object gain nothing each alone. In order they do, but each
gain then depends on what was mended before.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from mmvseg.evaluation.functional.precision_recall import (
    MAX_DETECTIONS,
    Verdicts,
    accumulate,
    mean_of_valid,
)

from .perfecting import with_perfect_extent, with_perfect_masks
from .tube_kinds import KINDS, TubeKinds, duplicates, tube_kinds
from .tubes import Tubes, match
from .video_overlap import VideoOverlap

#: The tubes as they are, among the names of oracles.
PREDICTED = 'predicted'
#: Prefix of the names of oracles that follow all earlier ones.
IN_ORDER = 'then '


class OracleAP:
    """Collects the verdicts of all videos under each oracle.

    Args:
        category_ids: ids of the categories of the ground truth.

    Attributes:
        verdicts: those of all videos so far with the ids of their videos, by name of the oracle.
    """

    def __init__(self, category_ids: Sequence[int]) -> None:
        self.category_ids = [*category_ids]
        self.verdicts: dict[str, list[tuple[int, Verdicts]]] = defaultdict(list)

    def add(self, found: TubeKinds, tubes: Tubes, relinked: Tubes, overlap: VideoOverlap) -> None:
        """Take a video.

        Args:
            found: what is wrong with its tubes.
            tubes: its tubes as they are.
            relinked: the same masks linked rightly.
            overlap: the video.
        """
        self._keep(PREDICTED, found.matching.verdicts, overlap)
        chained = tube_kinds(relinked, overlap)
        for kind in KINDS:
            if kind == 'association':
                alone = chained.matching
            else:
                mended = mend(kind, tubes, found, overlap)
                alone = found.matching if mended is tubes else match(mended, overlap)
                last, relinked = relinked, mend(kind, relinked, chained, overlap)
                chained = chained if relinked is last else tube_kinds(relinked, overlap)
            self._keep(kind, alone.verdicts, overlap)
            self._keep(IN_ORDER + kind, chained.matching.verdicts, overlap)

    def numbers(self) -> dict[str, dict[str, float]]:
        """AP and AP50 as predicted, and what each oracle gains, on its own and in order.

        Returns:
            ``predicted``, and for each kind what it gains ``alone`` and ``in_order``, AP and
            AP50 as fractions. AP is -1 without annotations, and no gain is given then.
        """
        ap = {name: self._ap(name) for name in self.verdicts}
        before = ap.get(PREDICTED, dict(AP=-1.0, AP50=-1.0))
        numbers = {PREDICTED: before, 'alone': {}, 'in_order': {}}
        if before['AP'] < 0:
            return numbers
        last = before
        for kind in KINDS:
            chained = ap[IN_ORDER + kind]
            numbers['alone'][kind] = {m: ap[kind][m] - before[m] for m in before}
            numbers['in_order'][kind] = {m: chained[m] - last[m] for m in before}
            last = chained
        numbers['mended'] = last
        return numbers

    def _keep(self, name: str, verdicts: list[Verdicts], overlap: VideoOverlap) -> None:
        self.verdicts[name] += [(overlap.video.id, verdict) for verdict in verdicts]

    def by_video(self, name: str) -> list[tuple[int, Verdicts]]:
        """The verdicts under an oracle by ascending video id, as equal scores rank officially."""
        return sorted(self.verdicts[name], key=lambda of_video: of_video[0])

    def _ap(self, name: str) -> dict[str, float]:
        of_all = [verdict for _, verdict in self.by_video(name)]
        curves = accumulate(of_all, self.category_ids, limits=MAX_DETECTIONS[-1:])
        precision = curves.precision[:, :, :, 0, 0]
        return dict(AP=mean_of_valid(precision), AP50=mean_of_valid(precision[0]))


def mend(kind: str, tubes: Tubes, found: TubeKinds, overlap: VideoOverlap) -> Tubes:
    """Mend all errors of one kind but association.

    Args:
        kind: of :data:`.tube_kinds.KINDS`.
        tubes: N tubes.
        found: what is wrong with them.
        overlap: the video.

    Returns:
        Other tubes, or ``tubes`` where there is nothing to mend.
    """
    of_kind = found.kinds == kind
    if kind == 'missed':
        return _with_missed(tubes, found, overlap) if found.missed.any() else tubes
    if kind in ('duplicate', 'false'):
        return tubes.where(~of_kind) if of_kind.any() else tubes
    if kind == 'class':
        if not of_kind.any():
            return tubes
        mended = tubes.copy()
        mended.category_ids[of_kind] = overlap.object_categories[found.targets[of_kind]]
    else:
        aimed = found.matching.right | (found.kinds == 'mask') | (found.kinds == 'extent')
        if not aimed.any():
            return tubes
        perfect = with_perfect_masks if kind == 'mask' else with_perfect_extent
        mended = perfect(tubes, overlap, np.where(aimed, found.targets, -1))
    # What has become right may stand beside another tube of the object: then one of them goes.
    again = duplicates(match(mended, overlap), mended, overlap) & (found.kinds != 'duplicate')
    return mended.where(~again) if again.any() else mended


def _with_missed(tubes: Tubes, found: TubeKinds, overlap: VideoOverlap) -> Tubes:
    """Add a perfect tube for each missed object, ranked first."""
    added = np.flatnonzero(found.missed)
    return Tubes(
        tracks=np.append(tubes.tracks, np.full(len(added), -1)),
        category_ids=np.append(tubes.category_ids, overlap.object_categories[added]),
        scores=np.append(tubes.scores, np.full(len(added), np.inf)),
        areas=np.concatenate([tubes.areas, overlap.object_areas[added]]),
        common=np.concatenate([tubes.common, overlap.object_common[added]]),
    )
