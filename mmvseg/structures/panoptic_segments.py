"""Which queries that compete for pixels become segments."""

from collections.abc import Iterable

import numpy as np

from .video_panoptic import Segment


def segments_of_candidates(
    candidates: Iterable[tuple[int, int, float]],
    areas: np.ndarray,
    num_things: int,
    overlap_threshold: float,
    num_queries: int | None = None,
) -> tuple[list[Segment], np.ndarray]:
    """Segments of the candidates that own enough of their masks; one for each stuff class.

    Args:
        candidates: query, class index and score of n queries, in ascending order of the queries.
        areas: for each the pixels that it wins, that have a probability of at least one half, and
            that fulfil both, summed over frames, (n, 3).
        num_things: the classes below this index are things, the others stuff.
        overlap_threshold: smallest ratio of the pixels that a query wins to those of its mask.
        num_queries: None: ids count from 1. Otherwise Q, and ids do not depend on the other
            segments: query + 1 for a thing, Q + 1 + class index for stuff.

    Returns:
        The segments, and the id for each value of a map, where 0 is nobody's and k + 1 candidate
        k's, (n + 1,).
    """
    segments: list[Segment] = []
    stuff_ids: dict[int, int] = {}
    ids = [0]
    rows = zip(candidates, areas.tolist(), strict=True)
    for (query, label, score), (won, probable, sure) in rows:
        if not (won and probable and sure) or won / probable < overlap_threshold:
            ids.append(0)
            continue
        if label in stuff_ids:
            ids.append(stuff_ids[label])
            continue
        is_thing = label < num_things
        identity = len(segments) + 1
        if num_queries is not None:
            identity = query + 1 if is_thing else num_queries + 1 + label
        if not is_thing:
            stuff_ids[label] = identity
        segments.append(Segment(identity, label, is_thing, score, query))
        ids.append(identity)
    return segments, np.array(ids, np.min_scalar_type(max(ids)))
