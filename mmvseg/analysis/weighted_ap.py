"""AP of many weightings of the videos at once, such as how often a resampling drew each."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from mmvseg.evaluation.functional.precision_recall import (
    IOU_THRESHOLDS,
    MAX_DETECTIONS,
    RECALL_POINTS,
    Verdicts,
)

#: Numbers that are held at once, for one class and a part of the weightings.
_CHUNK_SIZE = 1_000_000


class WeightedAP:
    """AP as if each video were there as often as its weight says.

    Its objects, its right and its wrong detections count so many times. Detections of equal scores
    stay in the order that they have in the whole set.

    Args:
        verdicts: over all areas, with the ids of their videos; one a video and class.
        video_ids: of the V videos.
        category_ids: of the K classes.
    """

    def __init__(
        self,
        verdicts: Sequence[tuple[int, Verdicts]],
        video_ids: Sequence[int],
        category_ids: Sequence[int],
    ) -> None:
        row_of = {video_id: row for row, video_id in enumerate(video_ids)}
        of_class = defaultdict(list)
        for video_id, verdict in verdicts:
            of_class[verdict.category_id].append((row_of[video_id], verdict))
        self._classes = [_RankedClass(of_class[c], len(row_of)) for c in category_ids]

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """The mean precision over the recall points.

        Args:
            weights: integers, one a video, of N weightings, (N, V).

        Returns:
            By IoU threshold and class, nan for a class without objects, (N, T, K).
        """
        values = np.full((len(weights), len(IOU_THRESHOLDS), len(self._classes)), np.nan)
        for k, ranked in enumerate(self._classes):
            values[:, :, k] = ranked.precision(weights)
        return values


class _RankedClass:
    """The detections of a class by descending score.

    Precision falls with each wrong detection, so its envelope depends on the right ones alone, and
    on how many wrong ones stand before each of them. Where a threshold says the same of all as the
    one before, that one stands for it; U are left. At each there are up to H right ones; the rest
    of the H is filled up with rows of zeros, which change nothing.

    Args:
        verdicts: with the positions of their videos.
        num_videos: V.
    """

    def __init__(self, verdicts: Sequence[tuple[int, Verdicts]], num_videos: int) -> None:
        self._positives = np.zeros(num_videos, int)
        for video, verdict in verdicts:
            self._positives[video] += verdict.positives[0]
        videos, right, wrong = _rank(verdicts)
        other = ((right[1:] != right[:-1]) | (wrong[1:] != wrong[:-1])).any(axis=1)
        other = np.append(True, other)
        self._stands_for = other.cumsum() - 1  # (T,)
        right, wrong = right[other], wrong[other]  # (U, D)
        self._shape = len(right), int(right.sum(axis=1).max(initial=0))  # (U, H)
        starts = self._shape[1] * np.arange(len(right))[:, None]
        rows = right.cumsum(axis=1) - right + starts  # of the next right one after each
        before = wrong & (rows < right.sum(axis=1, keepdims=True) + starts)
        #: right and wrong detections of each video that each row adds, (U * H, V)
        self._right, self._wrong = (
            csr_array(
                (np.ones(np.count_nonzero(of), int), (rows[of], videos[np.nonzero(of)[1]])),
                (self._shape[0] * self._shape[1], num_videos),
            )
            for of in (right, before)
        )

    def precision(self, weights: np.ndarray) -> np.ndarray:
        """See :meth:`WeightedAP.__call__`, (N, T)."""
        step = max(1, _CHUNK_SIZE // max(1, self._right.shape[0]))
        chunks = [weights[start : start + step] for start in range(0, len(weights), step)]
        values = np.concatenate([self._precision(chunk.T) for chunk in chunks])
        return values[:, self._stands_for]

    def _precision(self, weights: np.ndarray) -> np.ndarray:
        """The same of weights (V, N) at the thresholds that are left, (N, U)."""
        shape = (*self._shape, weights.shape[1])
        positives = self._positives @ weights
        right = (self._right @ weights).reshape(shape).cumsum(axis=1)
        wrong = (self._wrong @ weights).reshape(shape).cumsum(axis=1)
        precision = right / (wrong + right + np.spacing(1))
        precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        reached = _reached(right, positives)
        reached[:, 1:] -= reached[:, :-1].copy()  # recall points that each right one adds
        mean = (reached * precision).sum(axis=1) / len(RECALL_POINTS)
        return np.where(positives > 0, mean, np.nan).T


def _reached(right: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """How many recall points are reached, by a table since counts are small.

    Args:
        right: how many are right so far, (..., N).
        positives: how many could be, (N,).
    """
    numbers, row_of = np.unique(positives, return_inverse=True)
    counts = np.arange(right.max(initial=0) + 1)
    recall = counts / np.maximum(numbers, 1)[:, None]
    table = np.searchsorted(RECALL_POINTS, recall, side='right')
    return table.ravel().take(right + len(counts) * row_of)


def _rank(verdicts: Sequence[tuple[int, Verdicts]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Detections of a class over all videos by descending score.

    Returns:
        The position of the video of each, (D,), and whether it is right and wrong, (T, D) each.
    """
    limit = MAX_DETECTIONS[-1]
    nothing = np.zeros((len(IOU_THRESHOLDS), 0), bool)
    scores = np.concatenate([np.zeros(0), *(v.scores[:limit] for _, v in verdicts)])
    hit = np.concatenate([nothing, *(v.hit[0, :, :limit] for _, v in verdicts)], axis=1)
    ignored = np.concatenate([nothing, *(v.ignored[0, :, :limit] for _, v in verdicts)], axis=1)
    counts = [len(v.scores[:limit]) for _, v in verdicts]
    videos = np.repeat(np.array([video for video, _ in verdicts], int), counts)
    order = np.argsort(-scores, kind='stable')
    return videos[order], (hit & ~ignored)[:, order], (~hit & ~ignored)[:, order]


def mean_of_classes(values: np.ndarray) -> np.ndarray:
    """The mean over the classes that have a value; nan if none has one.

    Args:
        values: nan for a class without objects, (..., K).
    """
    valid = ~np.isnan(values)
    total, count = np.where(valid, values, 0).sum(axis=-1), valid.sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
