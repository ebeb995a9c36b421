"""Windows of frames, and which segments match in them, as the evaluation script of VIPSeg has it.

A window is a volume: the pixels of an id in all of its frames are one segment. Class and crowd flag
of a segment are those of the first frame of the window that lists it.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmvseg.errors import UserError
from mmvseg.formats.panoptic_records import PredictedSegment, Segment

from .panoptic_overlap import FrameOverlap

#: Segments of a class match if their intersection over union is larger.
MATCH_IOU = 0.5


@dataclass
class Window:
    """The segments of some frames in a row; numbers, rows and columns as in the frames.

    Attributes:
        counts: pixels in common, (rows, columns).
        areas: pixels as the ground truth states them, (rows,).
        truth: the segments of the ground truth by row.
        pred: the predicted ones by column.
    """

    counts: np.ndarray
    areas: np.ndarray
    truth: dict[int, Segment]
    pred: dict[int, PredictedSegment]


class Windows:
    """The windows of a video, frame by frame.

    Args:
        lengths: in frames.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        self._lengths = {*lengths}
        self._recent: deque[FrameOverlap] = deque(maxlen=max(lengths))

    def add(self, frame: FrameOverlap) -> Iterator[tuple[int, Window]]:
        """Each length and the window that ends with this frame, the shortest first."""
        self._recent.appendleft(frame)
        window = Window(0, 0.0, {}, {})
        for length, past in enumerate(self._recent, 1):
            window = Window(
                window.counts + past.counts,
                window.areas + past.areas,
                _first_listed(past.truth, window.truth),
                _first_listed(past.pred, window.pred),
            )
            if length in self._lengths:
                yield length, window


def _first_listed(older: dict[int, Any], newer: dict[int, Any]) -> dict[int, Any]:
    """Segments of both in the order of their first listing, with what is said there."""
    return {**older, **newer, **older}


@dataclass
class WindowMatching:
    """Which of a window's G segments of the ground truth match its P predicted ones.

    Attributes:
        rows: number of each segment of the ground truth, (G,).
        columns: number of each predicted one, (P,).
        labels: position of their classes among the categories, (G,).
        pred_labels: the same of the predicted ones, (P,).
        iou: of each pair, whatever its classes, (G, P); void does not count.
        crowd: which segments of the ground truth are crowds, (G,).
        matches: places of the segments that match, (N,) each in the ground truth and predicted.
        missed: which of the ground truth are false negatives, (G,).
        wrong: which predicted ones are false positives, (P,).
    """

    rows: np.ndarray
    columns: np.ndarray
    labels: np.ndarray
    pred_labels: np.ndarray
    iou: np.ndarray
    crowd: np.ndarray
    matches: tuple[np.ndarray, np.ndarray]
    missed: np.ndarray
    wrong: np.ndarray

    def add_to(self, sums: np.ndarray) -> None:
        """Add the sum of the IoUs of the matches, true and false positives and false negatives.

        Args:
            sums: these four of each class, (K, 4).
        """
        t, p = self.matches
        np.add.at(sums, (self.labels[t], 0), self.iou[t, p])
        np.add.at(sums, (self.labels[t], 1), 1)
        np.add.at(sums, (self.pred_labels[self.wrong], 2), 1)
        np.add.at(sums, (self.labels[self.missed], 3), 1)


def match_window(window: Window, labels: Mapping[int, int], video: str) -> WindowMatching:
    """Match the segments of a window.

    Args:
        window: the segments.
        labels: position of each category id among the categories.
        video: its name, for messages.

    Raises:
        UserError: if areas of the ground truth contradict its map.
    """
    rows, true_labels = _numbers_and_labels(window.truth, labels)
    columns, pred_labels = _numbers_and_labels(window.pred, labels)
    crowd = np.array([segment.iscrowd for segment in window.truth.values()], bool)
    overlap = window.counts[np.ix_(rows, columns)]
    pred_areas = window.counts.sum(axis=0)[columns]
    excused = window.counts[0, columns]  # pixels on void
    union = pred_areas + window.areas[rows][:, None] - overlap - excused
    comparable = (true_labels[:, None] == pred_labels) & ~crowd[:, None]
    if (comparable & (overlap > union)).any():
        raise UserError(
            f"{video}: the field 'area' of segments in the ground truth is smaller than "
            'what the PNGs hold of them; correct the areas'
        )
    sound = (overlap > 0) & (overlap <= union)
    iou = np.divide(overlap, union, out=np.zeros(union.shape), where=sound)
    t, p = np.nonzero(comparable & (iou > MATCH_IOU))
    missed = ~crowd
    missed[t] = False
    # Of several crowds of a class officially only the last one excuses predictions.
    crowds = dict(zip(true_labels[crowd], rows[crowd], strict=True))
    if crowds:
        excused = excused + [
            window.counts[crowds[label], column] if label in crowds else 0
            for column, label in zip(columns, pred_labels, strict=True)
        ]
    wrong = excused / pred_areas <= 0.5
    wrong[p] = False
    return WindowMatching(
        rows, columns, true_labels, pred_labels, iou, crowd, (t, p), missed, wrong
    )


def _numbers_and_labels(
    segments: dict[int, PredictedSegment], labels: Mapping[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    found = [labels[segment.category_id] for segment in segments.values()]
    return np.array([*segments], int), np.array(found, int)
