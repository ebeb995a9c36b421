"""Precision and recall of ranked detections, as COCO computes them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALL_POINTS = np.linspace(0, 1, 101)
MAX_DETECTIONS = (1, 10, 100)


@dataclass
class Verdicts:
    """What is right and wrong of one category in one video.

    Attributes:
        category_id: the category's id.
        scores: of the D detections, descending, (D,).
        hit: whether each is right under a condition and at a threshold of IoU, (C, T, D).
        ignored: whether it is neither right nor wrong, (C, T, D).
        positives: annotations that count under each condition, (C,).
    """

    category_id: int
    scores: np.ndarray
    hit: np.ndarray
    ignored: np.ndarray
    positives: np.ndarray


@dataclass
class Curves:
    """Precision and recall of K categories; -1 where there is no annotation.

    Attributes:
        precision: at T thresholds and 101 recall points, (T, 101, K, C, M) for M limits of the
            detections a video.
        recall: (T, K, C, M).
        scores: score at which each recall point is reached, in the axes of ``precision``.
    """

    precision: np.ndarray
    recall: np.ndarray
    scores: np.ndarray

    def average_precision(self, condition: int = 0) -> float:
        """The mean precision over thresholds, recall points and categories, at the last limit."""
        return mean_of_valid(self.precision[:, :, :, condition, -1])


def mean_of_valid(values: np.ndarray) -> float:
    """The mean of the values but -1; -1 if there are no others."""
    valid = values[values > -1]
    return float(valid.mean()) if valid.size else -1.0


def accumulate(
    verdicts: Sequence[Verdicts],
    category_ids: Sequence[int],
    num_conditions: int = 1,
    limits: Sequence[int] = MAX_DETECTIONS,
) -> Curves:
    """Precision and recall over all videos.

    Args:
        verdicts: of each video and category.
        category_ids: the K categories.
        num_conditions: C.
        limits: M numbers of detections a video and category that count.
    """
    num_points = (len(IOU_THRESHOLDS), len(RECALL_POINTS))
    shape = (*num_points, len(category_ids), num_conditions, len(limits))
    precision, scores = np.full(shape, -1.0), np.full(shape, -1.0)
    recall = np.full((shape[0], *shape[2:]), -1.0)
    by_category = defaultdict(list)
    for verdict in verdicts:
        by_category[verdict.category_id].append(verdict)
    for k, category_id in enumerate(category_ids):
        of_category = by_category[category_id]
        if not of_category:
            continue
        positives = sum(v.positives for v in of_category)
        for m, limit in enumerate(limits):
            ranked_scores, true, false = _rank(of_category, limit)
            for c in np.flatnonzero(positives):
                recall[:, k, c, m] = true[c, :, -1] / positives[c] if len(ranked_scores) else 0
                for t in range(len(IOU_THRESHOLDS)):
                    precision[t, :, k, c, m], scores[t, :, k, c, m] = _interpolate(
                        true[c, t], false[c, t], ranked_scores, positives[c]
                    )
    return Curves(precision, recall, scores)


def _rank(verdicts: list[Verdicts], limit: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Detections of one category over all videos by descending score, the best ``limit`` of each.

    Returns:
        Their scores, (N,), and how many right and wrong ones there are up to each, (C, T, N).
    """
    scores = np.concatenate([v.scores[:limit] for v in verdicts])
    hit = np.concatenate([v.hit[..., :limit] for v in verdicts], axis=2)
    counted = ~np.concatenate([v.ignored[..., :limit] for v in verdicts], axis=2)
    order = np.argsort(-scores, kind='stable')
    true = np.cumsum((hit & counted)[..., order], axis=2)
    false = np.cumsum((~hit & counted)[..., order], axis=2)
    return scores[order], true, false


def _interpolate(
    true: np.ndarray, false: np.ndarray, scores: np.ndarray, positives: int
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and score at each recall point, 0 where it is never reached, (101,) each."""
    precision = true / (false + true + np.spacing(1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    index = np.searchsorted(true / positives, RECALL_POINTS, side='left')
    return np.append(precision, 0)[index], np.append(scores, 0)[index]
