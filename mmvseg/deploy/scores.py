"""Class probabilities of queries over frames, and which of them are reported."""

import numpy as np
from scipy.special import softmax

from .manifest import Report


def probabilities(class_logits: np.ndarray, online_logits: np.ndarray | None = None) -> np.ndarray:
    """Of the K classes and, in the last column, of "no object".

    Args:
        class_logits: of the queries over the frames, (Q, K + 1).
        online_logits: of the tracker, where ``class_logits`` are the refiner's. A class then has
            the larger of both probabilities; "no object" keeps the refiner's, as published.

    Returns:
        (Q, K + 1) float32.
    """
    probs = softmax(class_logits.astype(np.float32), axis=1)
    if online_logits is None:
        return probs
    online = softmax(online_logits.astype(np.float32), axis=1)
    return np.hstack([np.maximum(probs, online)[:, :-1], probs[:, -1:]])


def top_pairs(scores: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best (query, class) pairs of scores (Q, K): scores, queries, classes, best first."""
    best = np.argsort(-scores, axis=None, kind='stable')[:count]
    return scores.flat[best], best // scores.shape[1], best % scores.shape[1]


def select(scores: np.ndarray, report: Report) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs to report of a video, or of a stretch; at least one."""
    if not report.max_per_stretch:
        return top_pairs(scores, report.max_per_video)
    best, queries, labels = top_pairs(scores, report.max_per_stretch)
    count = max(1, int((best >= report.min_score).sum()))
    return best[:count], queries[:count], labels[:count]
