"""Which query of a frame continues which query of the frame before, by cosine similarity.

As :mod:`mmvseg.models.trackers.query_matching`, for one frame.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment


def match(
    queries: np.ndarray, references: np.ndarray, alignment: str = 'true', epsilon: float = 0.0
) -> np.ndarray:
    """The query that each slot takes.

    Args:
        queries: of this frame, (Q, C).
        references: of the frame before in the order of the slots, (Q, C).
        alignment: ``true``: slot k takes the query that resembles what it held before;
            ``inverse``: the query whose number is the slot that query k resembles, as in the
            published DVIS.
        epsilon: added to the length of each vector before it divides the vector.

    Returns:
        (Q,) int64.

    Example:
        >>> references = np.eye(3, dtype=np.float32)  # what three slots held in the frame before
        >>> match(references[[2, 0, 1]], references)  # slot 0 finds its query at place 1
        array([1, 2, 0])
    """
    costs = 1 - _unit(references, epsilon) @ _unit(queries, epsilon).T  # (slots, queries)
    _, order = linear_sum_assignment(costs if alignment == 'true' else costs.T)
    return order


def _unit(vectors: np.ndarray, epsilon: float) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True) + np.float32(epsilon)
    return vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
