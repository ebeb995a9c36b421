"""The CLEAR measures: MOTA, MOTP, id switches and fragmentations, at IoU 0.5.

The numbers are those of TrackEval.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from .sums import Sums, ratio
from .track_overlap import TrackOverlap

THRESHOLD = 0.5
#: Of its frames, an object followed in more than this is mostly tracked ...
MOSTLY_TRACKED = 0.8
#: ... and one followed in less than this is mostly lost.
MOSTLY_LOST = 0.2
EPSILON = np.finfo(float).eps
#: What a pair of the frame before is worth; any sum of IoUs is less.
_CONTINUED = 1000


@dataclass
class CLEARSums(Sums):
    """What a class contributes in a video, or in several.

    Attributes:
        true: masks of objects that are found.
        missed: masks of objects that are not.
        false: masks of tracks on nothing.
        switches: how often the track of an object is another than at its last match.
        mostly_tracked: objects that are followed in more than 80 % of their frames.
        partly_tracked: objects in between.
        mostly_lost: objects that are followed in less than 20 % of their frames.
        fragmentations: how often the matches of an object begin anew after a gap.
        frames: of the videos that have objects as well as tracks of the class.
        iou: sum over the masks that are found.
    """

    true: int = 0
    missed: int = 0
    false: int = 0
    switches: int = 0
    mostly_tracked: int = 0
    partly_tracked: int = 0
    mostly_lost: int = 0
    fragmentations: int = 0
    frames: int = 0
    iou: float = 0.0

    def numbers(self) -> dict[str, float]:
        """All fields by TrackEval's names."""
        objects, masks = self._num_objects, self.true + self.missed
        switches = self.switches
        damped = float(np.log10(switches)) if switches else 0
        return dict(
            MOTA=ratio(self.true - self.false - switches, masks),
            MOTP=ratio(self.iou, self.true),
            MODA=ratio(self.true - self.false, masks),
            CLR_Re=ratio(self.true, masks),
            CLR_Pr=ratio(self.true, self.true + self.false),
            MTR=ratio(self.mostly_tracked, objects),
            PTR=ratio(self.partly_tracked, objects),
            MLR=ratio(self.mostly_lost, objects),
            sMOTA=ratio(self.iou - self.false - switches, masks),
            CLR_F1=ratio(self.true, self.true + 0.5 * self.missed + 0.5 * self.false),
            FP_per_frame=ratio(self.false, self.frames),
            MOTAL=ratio(self.true - self.false - damped, masks),
            **self._counts(),
        )

    def numbers_of_video(self) -> dict[str, float]:
        """As :meth:`numbers` for one video alone.

        TrackEval computes no ratio for a video that lacks objects or tracks of the class: they are
        0 but for the part of lost objects, which is 1.
        """
        numbers = self.numbers()
        if self.frames:
            return numbers
        return {**dict.fromkeys(numbers, 0.0), 'MLR': 1.0, **self._counts()}

    @property
    def _num_objects(self) -> int:
        return self.mostly_tracked + self.partly_tracked + self.mostly_lost

    def _counts(self) -> dict[str, float]:
        return dict(
            MOTP_sum=self.iou,
            CLR_TP=self.true,
            CLR_FN=self.missed,
            CLR_FP=self.false,
            IDSW=self.switches,
            MT=self.mostly_tracked,
            PT=self.partly_tracked,
            ML=self.mostly_lost,
            Frag=self.fragmentations,
            CLR_Frames=self.frames,
        )


def clear_sums(overlap: TrackOverlap) -> CLEARSums:
    """Count one class in one video."""
    lengths = overlap.object_lengths
    following = _Following(len(lengths))
    for frame in overlap.frames:
        following.add(frame.objects, frame.tracks, frame.iou)
    followed = following.matches / lengths
    tracked = int((followed > MOSTLY_TRACKED).sum())
    lost = int((followed < MOSTLY_LOST).sum())
    true = int(following.matches.sum())
    return CLEARSums(
        true=true,
        missed=int(lengths.sum()) - true,
        false=int(overlap.track_lengths.sum()) - true,
        switches=following.switches,
        mostly_tracked=tracked,
        partly_tracked=len(lengths) - tracked - lost,
        mostly_lost=lost,
        fragmentations=int((following.beginnings - 1).clip(0).sum()),
        frames=0 if overlap.one_sided else overlap.num_frames,
        iou=following.iou,
    )


class _Following:
    """Matches objects with tracks, frame by frame.

    Args:
        num_objects: G.

    Attributes:
        matches: in how many frames each object is found, (G,).
        beginnings: how often the matches of each object begin, (G,).
        switches: see :class:`CLEARSums`.
        iou: sum over the matches.
    """

    def __init__(self, num_objects: int) -> None:
        self.matches = np.zeros(num_objects, int)
        self.beginnings = np.zeros(num_objects, int)
        self.switches = 0
        self.iou = 0.0
        #: the track of each object at its last match and in the frame before, -1 for none
        self._last = np.full(num_objects, -1)
        self._before = np.full(num_objects, -1)

    def add(self, objects: np.ndarray, tracks: np.ndarray, iou: np.ndarray) -> None:
        """Match a frame; what was matched in the frame before stays matched if it can."""
        continued = self._before[objects][:, None] == tracks
        score = np.where(iou < THRESHOLD - EPSILON, 0, _CONTINUED * continued + iou)
        rows, columns = linear_sum_assignment(score, maximize=True)
        kept = score[rows, columns] > EPSILON
        rows, columns = rows[kept], columns[kept]
        found, track = objects[rows], tracks[columns]
        last = self._last[found]
        self.switches += int(((last >= 0) & (last != track)).sum())
        self.matches[found] += 1
        self.beginnings[found] += self._before[found] < 0
        self._last[found] = track
        self._before[:] = -1
        self._before[found] = track
        self.iou += float(iou[rows, columns].sum())
