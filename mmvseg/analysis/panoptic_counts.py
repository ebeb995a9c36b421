"""What a video contributes to VPQ, as it is and mended, and what it loses."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmvseg.evaluation.functional.panoptic_matching import WindowMatching, Windows, match_window
from mmvseg.evaluation.functional.panoptic_overlap import FrameOverlap
from mmvseg.evaluation.functional.vpq import VideoPQ
from mmvseg.formats.categories import Category

from .panoptic_errors import FRAME_KINDS, FrameErrors, frame_errors
from .panoptic_mending import MENDABLE, mended_frames
from .panoptic_relinking import is_linked_rightly


class VideoCounts(NamedTuple):
    """What is counted in a video.

    Attributes:
        sums: as in :class:`.VideoPQ`, (K, 4) by window length.
        mended: the same if one kind of errors were mended, by kind of
            :data:`.panoptic_mending.MENDABLE`.
        lost: what single frames lose, (K, 5), see :class:`.FrameErrors`.
        confusion: matched segments of single frames, (K, K): rows are classes of the ground truth,
            columns predicted ones.
        frame: where most is lost in a single frame, from 0.
    """

    sums: dict[int, np.ndarray]
    mended: dict[str, dict[int, np.ndarray]]
    lost: np.ndarray
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
        self._sums = {k: np.zeros((len(categories), 4)) for k in windows}
        self._confusion = np.zeros((len(categories), len(categories)), np.int64)
        self._windows = Windows(windows)
        self._frames: list[FrameOverlap] = []
        self._errors: list[FrameErrors] = []

    def add(self, frame: FrameOverlap) -> None:
        """Count the windows that end with this frame.

        Raises:
            UserError: if areas of the ground truth contradict its map.
        """
        for k, window in self._windows.add(frame):
            matching = match_window(window, self._labels, self._video)
            matching.add_to(self._sums[k])
            if k == 1:
                self._take_frame(frame, matching)

    def _take_frame(self, frame: FrameOverlap, matching: WindowMatching) -> None:
        found = frame_errors(matching, len(self._categories))
        self._frames.append(frame)
        self._errors.append(found)
        for column, row in (found.right | found.confused).items():
            true, predicted = frame.truth[row].category_id, frame.pred[column].category_id
            self._confusion[self._labels[true], self._labels[predicted]] += 1

    def result(self) -> VideoCounts:
        """The counts of the frames so far, at least one."""
        lost = np.stack([found.lost for found in self._errors])
        mended = {kind: self._mended(kind, lost.sum(axis=(0, 1))) for kind in MENDABLE}
        frame = int(lost.sum(axis=(1, 2)).argmax())
        return VideoCounts(self._sums, mended, lost.sum(axis=0), self._confusion, frame)

    def _mended(self, kind: str, lost: np.ndarray) -> dict[int, np.ndarray]:
        if kind == 'association':
            flawless = is_linked_rightly([found.right for found in self._errors])
        else:
            flawless = not lost[FRAME_KINDS.index(kind)]
        if flawless:
            return self._sums
        quality = VideoPQ(self._categories, self._lengths, self._video)
        for frame in mended_frames(kind, self._frames, self._errors):
            quality.add(frame)
        return quality.sums
