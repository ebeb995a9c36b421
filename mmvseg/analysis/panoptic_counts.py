"""Counts of panoptic segments that are right, wrong and missed, told by what is wrong with them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmvseg.evaluation.functional.panoptic_matching import MATCH_IOU, Windows, match_window
from mmvseg.evaluation.functional.panoptic_matching import WindowMatching as Matching
from mmvseg.evaluation.functional.panoptic_overlap import FrameOverlap
from mmvseg.evaluation.functional.vpq import VideoPQ
from mmvseg.formats.categories import Category

from .panoptic_relinking import is_linked_rightly, relinked_frames

#: A segment that does not match is on one of its class from this intersection over union on.
ON = 0.1
#: Columns of the counts of a class. The first four are those of VPQ.
IOU, HITS, FALSE, MISSED = range(4)
#: Of segments that match one of another class: their IoU and number by the class of the ground
#: truth, and by the predicted class how many are false positives.
CONFUSED_IOU, CONFUSED_MISSED, CONFUSED_FALSE = range(4, 7)
#: Pairs of a missed and a wrong segment of the class that are on each other, but match not.
POOR_PAIRS = 7
_NUM_COLUMNS = 8


class VideoCounts(NamedTuple):
    """What is counted in a video.

    Attributes:
        counts: by class, (K, 8), in windows of each length; columns as above.
        relinked: the counts of VPQ if all masks were linked rightly, (K, 4), by window length.
        confusion: matched segments of single frames, (K, K): rows are classes of the ground truth,
            columns predicted ones.
        frame: where most is wrong in a single frame, from 0.
    """

    counts: dict[int, np.ndarray]
    relinked: dict[int, np.ndarray]
    confusion: np.ndarray
    frame: int


class VideoCounter:
    """Counts a video frame by frame.

    Args:
        categories: the K classes.
        windows: lengths in frames, ascending, 1 among them.
        video: its name, for messages.
    """

    def __init__(self, categories: Sequence[Category], windows: Sequence[int], video: str) -> None:
        self._categories, self._lengths, self._video = categories, windows, video
        self._labels = {category.id: label for label, category in enumerate(categories)}
        self._counts = {k: np.zeros((len(categories), _NUM_COLUMNS)) for k in windows}
        self._confusion = np.zeros((len(categories), len(categories)), np.int64)
        self._windows = Windows(windows)
        self._frames: list[FrameOverlap] = []
        self._right: list[dict[int, int]] = []
        self._wrong: list[float] = []

    def add(self, frame: FrameOverlap) -> None:
        """Count the windows that end with this frame.

        Raises:
            UserError: if areas of the ground truth contradict its map.
        """
        for k, window in self._windows.add(frame):
            matching = match_window(window, self._labels, self._video)
            confused = _confused(matching)
            _count(matching, confused, self._counts[k])
            if k == 1:
                self._take_frame(matching, confused)
        self._frames.append(frame)

    def _take_frame(self, found: Matching, confused: tuple[np.ndarray, np.ndarray]) -> None:
        t, p = (np.concatenate(pair) for pair in zip(found.matches, confused, strict=True))
        np.add.at(self._confusion, (found.labels[t], found.pred_labels[p]), 1)
        t, p = found.matches
        self._right.append(
            dict(zip(found.columns[p].tolist(), found.rows[t].tolist(), strict=True))
        )
        lacking = (1 - found.iou[t, p]).sum()
        self._wrong.append(float(lacking + (found.missed.sum() + found.wrong.sum()) / 2))

    def result(self) -> VideoCounts:
        """The counts of the frames so far."""
        if is_linked_rightly(self._right):
            relinked = {k: counts[:, :4] for k, counts in self._counts.items()}
        else:
            quality = VideoPQ(self._categories, self._lengths, self._video)
            for frame in relinked_frames(self._frames, self._right):
                quality.add(frame)
            relinked = quality.sums
        frame = int(np.argmax(self._wrong)) if self._wrong else 0
        return VideoCounts(self._counts, relinked, self._confusion, frame)


def _confused(found: Matching) -> tuple[np.ndarray, np.ndarray]:
    """Places of the segments that match but for their class, in ground truth and prediction."""
    other = found.labels[:, None] != found.pred_labels
    return np.nonzero(other & found.missed[:, None] & (found.iou > MATCH_IOU))


def _count(found: Matching, confused: tuple[np.ndarray, np.ndarray], counts: np.ndarray) -> None:
    found.add_to(counts)
    t, p = confused
    np.add.at(counts, (found.labels[t], CONFUSED_IOU), found.iou[t, p])
    np.add.at(counts, (found.labels[t], CONFUSED_MISSED), 1)
    np.add.at(counts, (found.pred_labels[p[found.wrong[p]]], CONFUSED_FALSE), 1)
    missed, wrong = found.missed.copy(), found.wrong.copy()
    missed[t] = wrong[p] = False
    poor = (found.labels[:, None] == found.pred_labels) & missed[:, None] & wrong
    t, p = np.nonzero(poor & (found.iou >= ON))
    for i in np.argsort(-found.iou[t, p], kind='stable'):
        if missed[t[i]] and wrong[p[i]]:
            missed[t[i]] = wrong[p[i]] = False
            counts[found.labels[t[i]], POOR_PAIRS] += 1
