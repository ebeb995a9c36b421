"""Video panoptic quality (VPQ) as the evaluation scripts of Cityscapes-VPS and VIPSeg define it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmvseg.errors import counted
from mmvseg.formats.categories import Category
from mmvseg.formats.panoptic_records import PanopticSet, Video

from .panoptic_matching import Windows, match_window
from .panoptic_overlap import FrameOverlap, video_overlaps
from .panoptic_rules import RULES, VIPSEG, PanopticRules

#: Window lengths in frames for VIPSeg: those of papers, and with 8 those of the official script.
WINDOWS, SCRIPT_WINDOWS = VIPSEG.mean_windows, VIPSEG.windows
GROUPS = ('All', 'Things', 'Stuff')


class VideoPQ:
    """Counts of one video, over all its windows of each length.

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
        self._windows = Windows(windows)

    def add(self, frame: FrameOverlap) -> None:
        """Count the windows that end with this frame.

        Raises:
            UserError: if areas of the ground truth contradict its map.
        """
        for k, window in self._windows.add(frame):
            match_window(window, self._labels, self._video).add_to(self.sums[k])


@dataclass
class VPQ:
    """VPQ of a set of videos. Fractions in [0, 1]; NaN where there is nothing to measure.

    Attributes:
        categories: the K classes.
        sums: as in :class:`VideoPQ`, of all videos.
        rules: of the data set: which means are told, and names of windows.
    """

    categories: Sequence[Category]
    sums: Mapping[int, np.ndarray]
    rules: PanopticRules = VIPSEG

    @classmethod
    def of(
        cls,
        categories: Sequence[Category],
        videos: Iterable[Mapping[int, np.ndarray]],
        windows: Sequence[int] = WINDOWS,
        rules: PanopticRules = VIPSEG,
    ) -> 'VPQ':
        """Add up the sums of videos."""
        total = {k: np.zeros((len(categories), 4)) for k in windows}
        for sums in videos:
            for k, values in total.items():
                values += sums[k]
        return cls(categories, total, rules)

    def per_class(self, k: int) -> np.ndarray:
        """Quality of each class in windows of k frames, (K,); NaN for classes that do not occur."""
        iou, hits, wrong, missed = self.sums[k].T
        with np.errstate(invalid='ignore'):
            return iou / (hits + wrong / 2 + missed / 2)

    def quality(self, k: int, group: str = 'All') -> float:
        """Mean over the classes of a group that occur in windows of k frames."""
        values = self.per_class(k)[in_group(self.categories, group)]
        values = values[~np.isnan(values)]
        return float(values.mean()) if values.size else float('nan')

    def mean(self, windows: Iterable[int] | None = None, group: str = 'All') -> float:
        """Mean of :meth:`quality` over window lengths, those of papers; NaN if one of them is."""
        windows = self.rules.mean_windows if windows is None else windows
        return float(np.mean([self.quality(k, group) for k in windows]))

    def numbers(self) -> dict[str, dict[str, float]]:
        """Percentages by group and window length, and their means, as a file holds them."""
        numbers = {}
        for group in GROUPS:
            values = {self.rules.name(k): self.quality(k, group) for k in self.sums}
            for windows in (self.rules.mean_windows, tuple(self.sums)):
                key = '_'.join(('mean', *map(self.rules.name, windows)))
                values[key] = self.mean(windows, group)
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


def in_group(categories: Sequence[Category], group: str) -> np.ndarray:
    """Which of the K classes are in a group, one of :data:`GROUPS`, (K,)."""
    is_thing = np.array([category.is_thing for category in categories], bool)
    return dict(All=is_thing | True, Things=is_thing, Stuff=~is_thing)[group]


def evaluate_vpq(
    truth: PanopticSet, results: Mapping[str, Video], windows: Sequence[int] | None = None
) -> VPQ:
    """Evaluate predictions in files.

    Args:
        truth: the ground truth, see :func:`.panoptic.read_panoptic`.
        results: the predictions of each video, see :func:`.panoptic.load_results`.
        windows: lengths in frames, ascending; default those of the papers.

    Raises:
        UserError: naming the file that is missing, broken or does not fit.

    Example:
        >>> from mmvseg.formats.panoptic import read_panoptic
        >>> truth = read_panoptic('vipseg/panoptic_gt_VIPSeg_val.json', 'vipseg/panomasksRGB')
        >>> evaluate_vpq(truth, truth.videos).mean()  # the truth, scored against itself
        1.0
    """

    rules = RULES[truth.form]
    windows = rules.mean_windows if windows is None else windows

    def sums(name: str) -> dict[int, np.ndarray]:
        video = VideoPQ(truth.classes, windows, f'{truth.file}: video {name}')
        for frame in video_overlaps(truth.videos[name], results[name]):
            video.add(frame)
        return video.sums

    return VPQ.of(truth.classes, map(sums, truth.annotated), windows, rules)
