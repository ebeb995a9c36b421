"""Quality of video semantic segmentation: mIoU and its kin, and video consistency (VC).

The numbers are those of VSPW's evaluation code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mmvseg.errors import UserError, counted

CONSISTENCY_WINDOWS = (8, 16)
#: Mask value of the first class, by coding: raw is the official one of VSPW, with 0 for void.
FIRST_VALUES = {'raw': 1, 'zero-based': 0}
VOID, UNLABELLED = 0, 255


@dataclass
class SemanticSums:
    """What one video contributes.

    Attributes:
        confusion: pixels of each (class of the ground truth, predicted class) that occur.
        unknown: the mask values that mean neither a class nor void; they are ignored.
        ignored: pixels without a class, of any such value.
        consistency: VC of each window in order, by window length; NaN where no pixel keeps its
            mask value over the window.
    """

    confusion: dict[tuple[int, int], int]
    unknown: set[int]
    ignored: int
    consistency: dict[int, list[float]]


class VideoConsistency:
    """Of the pixels whose ground truth is constant over n frames, how many are predicted so.

    The prediction is not compared with the ground truth, and mask values are compared as they are,
    so that void counts like a class. A video of N frames has N - n windows: officially the last
    possible one is not used.

    Args:
        windows: lengths n in frames, below 256.

    Attributes:
        values: the number of each window in order, by length; NaN where no pixel is constant.
    """

    def __init__(self, windows: Sequence[int] = CONSISTENCY_WINDOWS) -> None:
        self.values: dict[int, list[float]] = {n: [] for n in windows}
        self._frames = 0

    def add(self, truth: np.ndarray, pred: np.ndarray) -> None:
        """Count the windows that end with the frame before this one.

        Args:
            truth: mask values, (H, W).
            pred: predicted classes, (H, W).
        """
        if not self._frames:
            self._last = [truth, pred]
            # For how many frames before the last one a pixel has had its value.
            self._runs = [np.zeros(truth.shape, np.uint8) for _ in range(2)]
        else:
            self._count()
            for i, values in enumerate((truth, pred)):
                np.minimum(self._runs[i], max(self.values), out=self._runs[i])
                self._runs[i] += 1
                self._runs[i] *= values == self._last[i]
                self._last[i] = values
        self._frames += 1

    def _count(self) -> None:
        for n, values in self.values.items():
            if self._frames >= n:
                truth, pred = (runs >= n - 1 for runs in self._runs)
                common = np.count_nonzero(truth)
                kept = np.count_nonzero(truth & pred)
                values.append(kept / common if common else float('nan'))


class VideoSemanticCounts:
    """Counts of one video.

    Args:
        num_classes: number of classes K; predictions are 0 to K - 1.
        coding: of the ground truth, a key of :data:`FIRST_VALUES`.
    """

    def __init__(self, num_classes: int, coding: str = 'raw') -> None:
        self._num_classes = num_classes
        self._first = FIRST_VALUES[coding]
        self._counts = np.zeros((256, 256), np.int64)
        self._consistency = VideoConsistency()
        self._shape: tuple[int, ...] | None = None

    def add(self, truth: np.ndarray, pred: np.ndarray, place: str) -> None:
        """Count a frame.

        Args:
            truth: mask values, (H, W) uint8.
            pred: classes, of the same shape and type.
            place: file, or video and frame, for messages.

        Raises:
            UserError: if the frame before had another size, or a prediction is no class.
        """
        if self._shape not in (None, truth.shape):
            raise UserError(f'{place}: has another size than the frames before it')
        self._shape = truth.shape
        pairs = (truth.astype(np.uint16) << 8) | pred
        counts = np.bincount(pairs.ravel(), minlength=1 << 16).reshape(256, 256)
        foreign = counts[:, self._num_classes :].any(axis=0)
        if foreign.any():
            raise UserError(
                f'{place}: has the value {self._num_classes + int(foreign.argmax())}, but classes '
                f'are 0 to {self._num_classes - 1}; predict a class for every pixel (class, not '
                'mask value: the first class is 0)'
            )
        self._counts += counts
        self._consistency.add(truth, pred)

    def sums(self) -> SemanticSums:
        """What the frames so far contribute."""
        first, end = self._first, self._first + self._num_classes
        confusion = self._counts[first:end]
        pairs = np.argwhere(confusion).tolist()
        values = np.flatnonzero(self._counts.any(axis=1)).tolist()
        unknown = {v for v in values if v >= end} - {UNLABELLED}
        return SemanticSums(
            confusion={(t, p): int(confusion[t, p]) for t, p in pairs},
            unknown=unknown,
            ignored=int(self._counts.sum() - confusion.sum()),
            consistency=self._consistency.values,
        )


@dataclass
class SemanticQuality:
    """Quality of a set of videos. Fractions in [0, 1]; NaN where there is nothing to measure.

    Attributes:
        videos: the sums of each video by name.
        num_classes: number of classes K.

    Example:
        >>> counts = VideoSemanticCounts(num_classes=2)
        >>> truth = np.array([[1, 1], [2, 0]], np.uint8)  # 0 is void, 1 is the first class
        >>> found = np.array([[0, 1], [1, 1]], np.uint8)  # 0 is the first class
        >>> counts.add(truth, found, place='frame 0')
        >>> SemanticQuality({'video': counts.sums()}, num_classes=2).stats()['mIoU']
        0.5
    """

    videos: dict[str, SemanticSums]
    num_classes: int

    def confusion(self, names: Iterable[str] | None = None) -> np.ndarray:
        """Pixels of some or all videos, (K, K): rows are the ground truth, columns predictions."""
        matrix = np.zeros((self.num_classes, self.num_classes), np.int64)
        for name in self.videos if names is None else names:
            for pair, pixels in self.videos[name].confusion.items():
                matrix[pair] += pixels
        return matrix

    def stats(self) -> dict[str, float]:
        """Acc, Acc_class, mIoU, fwIoU, video_mIoU, video_fwIoU, VC8, VC16.

        The means are over classes that occur in the ground truth; ``video_…`` are means of the
        videos' own numbers.
        """
        overall = iou_stats(self.confusion())
        by_video = [iou_stats(self.confusion([name])) for name in self.videos]
        for key in ('mIoU', 'fwIoU'):
            overall[f'video_{key}'] = float(np.mean([values[key] for values in by_video]))
        for n in CONSISTENCY_WINDOWS:
            values = [v for video in self.videos.values() for v in video.consistency[n]]
            known = [value for value in values if not np.isnan(value)]
            overall[f'VC{n}'] = float(np.mean(known)) if known else float('nan')
        return overall

    def notes(self) -> list[str]:
        """Which numbers are undefined, and what is ignored."""
        notes = []
        empty = [name for name, video in self.videos.items() if not video.confusion]
        if empty:
            notes.append(
                f'video_mIoU and video_fwIoU are undefined: {len(empty)} of {len(self.videos)} '
                f'videos have no labelled pixel, the first is {empty[0]}'
            )
        unknown = {name: video.unknown for name, video in self.videos.items() if video.unknown}
        if unknown:
            name, values = next(iter(unknown.items()))
            notes.append(
                f'masks of {counted(len(unknown), "videos")} have values that are no class, such '
                f'as {min(values)} in {name}; these pixels are ignored, as they are officially'
            )
        stats = self.stats()
        notes += [
            f'VC{n} is undefined: no video has more than {n} frames and pixels that keep their '
            'mask value over a window'
            for n in CONSISTENCY_WINDOWS
            if np.isnan(stats[f'VC{n}'])
        ]
        return notes


def class_iou(confusion: np.ndarray) -> np.ndarray:
    """IoU of each of the K classes, (K,); NaN for those that do not occur in the ground truth.

    Args:
        confusion: pixels, (K, K); rows are the ground truth.

    Example:
        >>> class_iou(np.array([[3, 1], [0, 4]]))  # one pixel of class 0 is taken for class 1
        array([0.75, 0.8 ])
    """
    true, predicted, both = confusion.sum(axis=1), confusion.sum(axis=0), np.diag(confusion)
    with np.errstate(invalid='ignore'):
        return np.where(true > 0, both / (true + predicted - both), np.nan)


def iou_stats(confusion: np.ndarray) -> dict[str, float]:
    """Acc, Acc_class, mIoU and fwIoU (IoU weighted by frequency); NaN without labelled pixels.

    Args:
        confusion: pixels, (K, K); rows are the ground truth.

    Example:
        >>> iou_stats(np.array([[3, 1], [0, 4]]))['mIoU']
        0.775
    """
    present = confusion.any(axis=1)
    if not present.any():
        return dict.fromkeys(('Acc', 'Acc_class', 'mIoU', 'fwIoU'), float('nan'))
    true, both = confusion.sum(axis=1)[present], np.diag(confusion)[present]
    iou = class_iou(confusion)[present]
    return dict(
        Acc=float(both.sum() / true.sum()),
        Acc_class=float((both / true).mean()),
        mIoU=float(iou.mean()),
        fwIoU=float((true / true.sum() * iou).sum()),
    )
