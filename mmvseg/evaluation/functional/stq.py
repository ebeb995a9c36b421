"""Segmentation and tracking quality (STQ) as in DeepLab2, and as VIPSeg's script uses it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from mmvseg.formats.categories import Category
from mmvseg.formats.panoptic_records import PanopticSet, PredictedSegment, Segment, Video

from .panoptic_overlap import FrameOverlap, video_overlaps
from .panoptic_rules import RULES

#: A tube: the pixels of a video that have one class and one segment.
Tube = tuple[int, int]
VOID: Tube = (-1, 0)


@dataclass
class TubeSums:
    """What a video, or several, contribute to STQ.

    Attributes:
        pixels: by (class of the ground truth, predicted class), -1 for void.
        association: sum of the association qualities of the tubes of the ground truth.
        num_tubes: how many these are.
    """

    pixels: Counter[tuple[int, int]] = field(default_factory=Counter)
    association: float = 0.0
    num_tubes: int = 0

    @classmethod
    def of(cls, videos: Iterable['TubeSums']) -> 'TubeSums':
        """Add up videos."""
        total = cls()
        for video in videos:
            total.pixels.update(video.pixels)
            total.association += video.association
            total.num_tubes += video.num_tubes
        return total

    def stats(self) -> dict[str, float]:
        """STQ, AQ and SQ as fractions; SQ and STQ are NaN without labelled pixels."""
        iou = self.class_iou()
        sq = float(np.mean([*iou.values()])) if iou else float('nan')
        aq = self.association / self.num_tubes if self.num_tubes else 0.0
        return dict(STQ=float(np.sqrt(aq * sq)), AQ=aq, SQ=sq)

    def notes(self) -> list[str]:
        """Which numbers are undefined or 0 by definition, and why."""
        notes = []
        if not self.class_iou():
            notes.append('SQ and STQ are undefined: no pixel of the ground truth is labelled')
        if not self.num_tubes:
            notes.append(
                'AQ is 0 since the ground truth has no tube of a thing; crowds are left out, and '
                'officially the first segment that a video of VIPSeg lists'
            )
        return notes

    def class_iou(self) -> dict[int, float]:
        """IoU of the classes that occur.

        Void (-1) is one of them, with IoU 0, if it is predicted on a labelled pixel: so it is
        counted officially. Predictions on void count for nothing.
        """
        true, predicted, both = Counter(), Counter(), Counter()
        for (t, p), pixels in self.pixels.items():
            if t >= 0:
                true[t] += pixels
                predicted[p] += pixels
                both[t] += pixels * (t == p)
        classes = sorted(true.keys() | predicted.keys())
        return {c: both[c] / (true[c] + predicted[c] - both[c]) for c in classes}


class VideoTubes:
    """Counts of one video.

    A segment that changes its class makes two tubes. A crowd is no tube, and predictions on it
    count for nothing in AQ; in SQ it counts as its class.

    Args:
        categories: the K classes.
        first_is_crowd: VIPSeg's script numbers segments anew, and the first one that the ground
            truth of a video lists gets the number that stands for a crowd. So it is one, where it
            is a thing, and flags are not looked at. False: what is flagged is a crowd.
    """

    def __init__(self, categories: Sequence[Category], first_is_crowd: bool = True) -> None:
        self._categories = categories
        self._labels = {category.id: label for label, category in enumerate(categories)}
        self._pixels: Counter[tuple[Tube, Tube]] = Counter()
        self._first_is_crowd = first_is_crowd
        self._crowds: set[int] = set()

    def add(self, frame: FrameOverlap) -> None:
        """Count a frame."""
        self._note_crowds(frame.truth)
        for row, column in np.argwhere(frame.counts).tolist():
            pair = self._tube(frame.truth, row), self._tube(frame.pred, column)
            self._pixels[pair] += int(frame.counts[row, column])

    def _note_crowds(self, truth: Mapping[int, Segment]) -> None:
        if not self._first_is_crowd:
            self._crowds.update(number for number, segment in truth.items() if segment.iscrowd)
        elif not self._crowds:
            self._crowds.update(islice(truth, 1))

    def sums(self) -> TubeSums:
        """What the frames so far contribute."""
        result = TubeSums()
        true, predicted, both = Counter(), Counter(), Counter()
        for (t, p), pixels in self._pixels.items():
            result.pixels[t[0], p[0]] += pixels
            if t[1] in self._crowds and self._is_thing_tube(t):
                continue
            if self._is_thing_tube(t):
                true[t] += pixels
            if self._is_thing_tube(p):
                predicted[p] += pixels
                if self._is_thing_tube(t):
                    both[t, p] += pixels
        for (t, p), shared in both.items():
            union = true[t] + predicted[p] - shared
            result.association += shared * (shared / union) / true[t]
        result.num_tubes = len(true)
        return result

    def _is_thing_tube(self, tube: Tube) -> bool:
        return tube != VOID and self._categories[tube[0]].is_thing

    def _tube(self, segments: dict[int, PredictedSegment], number: int) -> Tube:
        """Void for what the frame does not list."""
        if number not in segments:
            return VOID
        return self._labels[segments[number].category_id], number


def evaluate_stq(truth: PanopticSet, results: Mapping[str, Video]) -> TubeSums:
    """Evaluate predictions in files.

    Args:
        truth: the ground truth, see :func:`.panoptic.read_panoptic`.
        results: the predictions of each video, see :func:`.panoptic.load_results`.

    Raises:
        UserError: naming the file that is missing, broken or does not fit.

    Example:
        >>> from mmvseg.formats.panoptic import read_panoptic
        >>> truth = read_panoptic('vipseg/panoptic_gt_VIPSeg_val.json', 'vipseg/panomasksRGB')
        >>> evaluate_stq(truth, truth.videos).stats()  # the truth, scored against itself
        {'STQ': 1.0, 'AQ': 1.0, 'SQ': 1.0}
    """

    first_is_crowd = RULES[truth.form].first_is_crowd

    def sums(name: str) -> TubeSums:
        video = VideoTubes(truth.classes, first_is_crowd)
        for frame in video_overlaps(truth.videos[name], results[name]):
            video.add(frame)
        return video.sums()

    return TubeSums.of(map(sums, truth.annotated))
