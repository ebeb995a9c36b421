"""Video panoptic quality (VPQ) as the evaluation script of VIPSeg defines it."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.formats.categories import Category
from mmvseg.formats.vipseg import PredictedSegment, Segment, Video, VIPSeg

from .panoptic_overlap import FrameOverlap, video_overlaps

#: Window lengths in frames: those of the papers, and with 8 those of the official script.
WINDOWS = (1, 2, 4, 6)
SCRIPT_WINDOWS = (1, 2, 4, 6, 8)
GROUPS = ('All', 'Things', 'Stuff')


class VideoPQ:
    """Counts of one video, over all its windows of each length.

    A window is a volume: the pixels of an id in all of its frames are one segment. Class and crowd
    flag of a segment are those of the first frame of the window that lists it.

    Args:
        categories: the K classes.
        windows: lengths in frames, ascending.
        video: its name, for messages.

    Attributes:
        sums: sum of the IoUs of the matches, true positives, false positives and false negatives
            of each class, (K, 4), by window length.
    """

    def __init__(
        self, categories: Sequence[Category], windows: Sequence[int] = WINDOWS, video: str = 'video'
    ) -> None:
        self.sums = {k: np.zeros((len(categories), 4)) for k in windows}
        self._labels = {category.id: label for label, category in enumerate(categories)}
        self._video = video
        self._recent: deque[FrameOverlap] = deque(maxlen=max(windows))

    def add(self, frame: FrameOverlap) -> None:
        """Count the windows that end with this frame.

        Raises:
            UserError: if areas of the ground truth contradict its map.
        """
        self._recent.appendleft(frame)
        counts, areas, truth, pred = 0, 0.0, {}, {}
        for k, past in enumerate(self._recent, 1):
            counts, areas = counts + past.counts, areas + past.areas
            truth, pred = _first_listed(past.truth, truth), _first_listed(past.pred, pred)
            if k in self.sums:
                self._match(self.sums[k], counts, areas, truth, pred)

    def _match(
        self,
        sums: np.ndarray,
        counts: np.ndarray,
        areas: np.ndarray,
        truth: dict[int, Segment],
        pred: dict[int, PredictedSegment],
    ) -> None:
        rows, labels = self._numbers_and_labels(truth)
        columns, pred_labels = self._numbers_and_labels(pred)
        crowd = np.array([segment.iscrowd for segment in truth.values()], bool)
        overlap = counts[np.ix_(rows, columns)]
        pred_areas = counts.sum(axis=0)[columns]
        excused = counts[0, columns]  # pixels on void
        comparable = (labels[:, None] == pred_labels) & ~crowd[:, None]
        t, p = np.nonzero(comparable & (overlap > 0))
        union = pred_areas[p] + areas[rows[t]] - overlap[t, p] - excused[p]
        if (overlap[t, p] > union).any():
            raise UserError(
                f"{self._video}: the field 'area' of segments in the ground truth is smaller than "
                'what the PNGs hold of them; correct the areas'
            )
        iou = overlap[t, p] / union
        hit = iou > 0.5
        t, p = t[hit], p[hit]
        np.add.at(sums, (labels[t], 0), iou[hit])
        np.add.at(sums, (labels[t], 1), 1)
        missed = ~crowd
        missed[t] = False
        np.add.at(sums, (labels[missed], 3), 1)
        # Of several crowds of a class officially only the last one excuses predictions.
        crowds = dict(zip(labels[crowd], rows[crowd], strict=True))
        if crowds:
            excused = excused + [
                counts[crowds[label], column] if label in crowds else 0
                for column, label in zip(columns, pred_labels, strict=True)
            ]
        wrong = excused / pred_areas <= 0.5
        wrong[p] = False
        np.add.at(sums, (pred_labels[wrong], 2), 1)

    def _numbers_and_labels(
        self, segments: dict[int, PredictedSegment]
    ) -> tuple[np.ndarray, np.ndarray]:
        labels = [self._labels[segment.category_id] for segment in segments.values()]
        return np.array([*segments], int), np.array(labels, int)


def _first_listed(older: dict[int, Any], newer: dict[int, Any]) -> dict[int, Any]:
    """Segments of both in the order of their first listing, with what is said there."""
    return {**older, **newer, **older}


@dataclass
class VPQ:
    """VPQ of a set of videos. Fractions in [0, 1]; NaN where there is nothing to measure.

    Attributes:
        categories: the K classes.
        sums: as in :class:`VideoPQ`, of all videos.
    """

    categories: Sequence[Category]
    sums: Mapping[int, np.ndarray]

    @classmethod
    def of(
        cls,
        categories: Sequence[Category],
        videos: Iterable[Mapping[int, np.ndarray]],
        windows: Sequence[int] = WINDOWS,
    ) -> 'VPQ':
        """Add up the sums of videos."""
        total = {k: np.zeros((len(categories), 4)) for k in windows}
        for sums in videos:
            for k, values in total.items():
                values += sums[k]
        return cls(categories, total)

    def per_class(self, k: int) -> np.ndarray:
        """Quality of each class in windows of k frames, (K,); NaN for classes that do not occur."""
        iou, hits, wrong, missed = self.sums[k].T
        with np.errstate(invalid='ignore'):
            return iou / (hits + wrong / 2 + missed / 2)

    def quality(self, k: int, group: str = 'All') -> float:
        """Mean over the classes of a group that occur in windows of k frames."""
        is_thing = np.array([category.is_thing for category in self.categories], bool)
        chosen = dict(All=is_thing | True, Things=is_thing, Stuff=~is_thing)[group]
        values = self.per_class(k)[chosen]
        values = values[~np.isnan(values)]
        return float(values.mean()) if values.size else float('nan')

    def mean(self, windows: Iterable[int] = WINDOWS, group: str = 'All') -> float:
        """Mean of :meth:`quality` over window lengths; NaN if one of them is."""
        return float(np.mean([self.quality(k, group) for k in windows]))

    def numbers(self) -> dict[str, dict[str, float]]:
        """Percentages by group and window length, and their means, as a file holds them."""
        numbers = {}
        for group in GROUPS:
            values = {str(k): self.quality(k, group) for k in self.sums}
            for windows in (WINDOWS, tuple(self.sums)):
                values['_'.join(map(str, ('mean', *windows)))] = self.mean(windows, group)
            numbers[group] = {key: 100 * value for key, value in values.items()}
        return numbers

    def notes(self) -> list[str]:
        """Which numbers are undefined, and why."""
        return [
            f'VPQ of {group} with windows of {counted(k, "frames")} is undefined: no such class '
            'occurs in a video of that length'
            for k in self.sums
            for group in GROUPS
            if np.isnan(self.quality(k, group))
        ]


def evaluate_vpq(
    truth: VIPSeg, results: Mapping[str, Video], windows: Sequence[int] = WINDOWS
) -> VPQ:
    """Evaluate predictions in files.

    Args:
        truth: the ground truth, see :func:`.vipseg.read_vipseg`.
        results: the predictions of each video, see :func:`.vipseg_results.load_results`.
        windows: lengths in frames, ascending.

    Raises:
        UserError: naming the file that is missing, broken or does not fit.

    Example:
        >>> truth = read_vipseg('gt.json', 'panomasksRGB')  # doctest: +SKIP
        >>> predictions = load_results('predictions', truth)  # doctest: +SKIP
        >>> evaluate_vpq(truth, predictions).mean()  # doctest: +SKIP
        0.36
    """

    def sums(name: str) -> dict[int, np.ndarray]:
        video = VideoPQ(truth.classes, windows, f'{truth.file}: video {name}')
        for frame in video_overlaps(truth.videos[name], results[name]):
            video.add(frame)
        return video.sums

    return VPQ.of(truth.classes, map(sums, truth.annotated), windows)
