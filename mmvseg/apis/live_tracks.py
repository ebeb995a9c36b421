"""One mask an object in a live run, decided frame by frame with what was seen so far."""

import numpy as np
from pycocotools import mask as mask_api

from mmvseg.structures import VideoInstances
from mmvseg.structures.distinct_tracks import COVERED, SAME_IOU, mask_overlaps

#: What overlaps of earlier frames count, from each frame to the next: most is said by the last 20.
_DECAY = 0.95
#: Who was shown in the last frame stays unless another scores so many times as high.
_LEAD = 1.5
#: Who was hidden behind another stays so until their overlap is this share of what hides.
_STAY = 0.8


class LiveTracks:
    """Chooses the tracks to show, by the rule of :func:`.distinct_tracks` on the frames so far.

    Noise shall not let two tracks of one object take turns: the track and class that are shown keep
    their place against others of about the same score, and what is hidden needs a clearly smaller
    overlap to come back. Nothing is kept of earlier frames but sums.

    Args:
        score_thr: tracks of a lower score in a frame are not shown in it.

    Example:
        >>> tracks = LiveTracks(0.5)
        >>> shown = [tracks.choose(found) for _, found in inferencer.live(CLIP)]
        >>> len(shown), sorted(shown[0].track_ids.tolist())
        (48, [0, 1, 5, 7])
    """

    def __init__(self, score_thr: float) -> None:
        self._score_thr = score_thr
        self._rows: dict[int, int] = {}  # of each track in the sums
        self._areas = np.zeros(0)
        self._shared = np.zeros((0, 0))
        self._shown: set[tuple[int, int]] = set()  # track and class, in the last frame
        self._hidden: set[tuple[int, int]] = set()  # track, and the one that hid it

    def choose(self, found: VideoInstances) -> VideoInstances:
        """The tubes to show of the next frame.

        Args:
            found: tubes of this one frame; ids are stable over the video.
        """
        found = found.select(self._candidates(found))
        self._take_overlaps(found)
        kept: list[int] = []
        hidden = set()
        for n in range(len(found)):
            track = int(found.track_ids[n])
            above = [int(found.track_ids[k]) for k in kept]
            hiders = [(track, other) for other in above if self._hides(other, track)]
            hidden.update(hiders)
            if not hiders:
                kept.append(n)
        self._hidden = hidden
        shown = found.select(np.array(sorted(kept, key=lambda n: -found.scores[n]), np.int64))
        self._shown = set(zip(shown.track_ids.tolist(), shown.labels.tolist(), strict=True))
        return shown

    def _candidates(self, found: VideoInstances) -> np.ndarray:
        """Positions of what could be shown, in the order of their right to it: one a track."""
        sure = np.flatnonzero(found.scores >= self._score_thr)
        visible = [n for n in sure if (rle := found.masks[n][0]) and mask_api.area(rle)]
        names = list(zip(found.track_ids.tolist(), found.labels.tolist(), strict=True))
        rights = {n: found.scores[n] * (_LEAD if names[n] in self._shown else 1) for n in visible}
        best: dict[int, int] = {}
        for n in sorted(visible, key=lambda n: -rights[n]):
            best.setdefault(names[n][0], n)
        return np.array(list(best.values()), np.int64)

    def _take_overlaps(self, found: VideoInstances) -> None:
        for track in found.track_ids.tolist():
            self._rows.setdefault(track, len(self._rows))
        new = len(self._rows) - len(self._areas)
        self._areas = np.pad(self._areas, (0, new)) * _DECAY
        self._shared = np.pad(self._shared, (0, new)) * _DECAY
        if len(found):
            rows = [self._rows[track] for track in found.track_ids.tolist()]
            areas, shared = mask_overlaps([tube[0] for tube in found.masks])
            self._areas[rows] += areas
            self._shared[np.ix_(rows, rows)] += shared

    def _hides(self, other: int, track: int) -> bool:
        ease = _STAY if (track, other) in self._hidden else 1.0
        first, second = self._rows[track], self._rows[other]
        shared, area = self._shared[first, second], self._areas[first]
        union = area + self._areas[second] - shared
        return shared >= ease * min(SAME_IOU * union, COVERED * area)
