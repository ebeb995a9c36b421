"""From queries over the frames of a video to what is reported of it.

The rules are those of :mod:`mmvseg.models.postprocess`, which docs/tasks.md explains.
"""

from collections.abc import Callable, Iterable

import numpy as np

from mmvseg.structures import CodedMaps, VideoInstances, VideoPanoptic, VideoSemantic
from mmvseg.structures.panoptic_segments import segments_of_candidates

from . import masks
from .frames import FrameGeometry
from .manifest import Report
from .scores import select

#: Gives the mask logits (n, h, w) of some queries (n,) in every frame in turn.
Frames = Callable[[np.ndarray], Iterable[np.ndarray]]


def instances(
    scores: np.ndarray, report: Report, frames: Frames, geometry: FrameGeometry
) -> VideoInstances:
    """The best (query, class) pairs as tubes.

    Args:
        scores: class probabilities without "no object", (Q, K).
        report: how many.
        frames: mask logits.
        geometry: sizes of the frames.
    """
    best, queries, labels = select(scores, report)
    coded = [masks.encode(logits, geometry) for logits in frames(queries)]
    return VideoInstances(best, labels, [list(tube) for tube in zip(*coded, strict=True)], queries)


def panoptic(
    probs: np.ndarray, report: Report, frames: Frames, geometry: FrameGeometry
) -> VideoPanoptic:
    """Segments: each pixel goes to the query of the highest score times probability.

    Args:
        probs: class probabilities, (Q, K + 1).
        report: which queries become segments.
        frames: mask logits.
        geometry: sizes of the frames.
    """
    labels, scores = probs.argmax(1), probs.max(1)
    is_object = labels != probs.shape[1] - 1
    queries = np.flatnonzero(is_object & (scores > report.object_mask_threshold))
    labels, scores = labels[queries], scores[queries]
    winners, areas = CodedMaps(), np.zeros((len(queries), 3), np.int64)
    for logits in frames(queries):
        winner, frame_areas = _claim(logits, scores, geometry)
        winners.append(winner)
        areas += frame_areas
    candidates = zip(queries.tolist(), labels.tolist(), scores.tolist(), strict=True)
    segments, ids = segments_of_candidates(
        candidates, areas, report.num_things, report.overlap_threshold
    )
    return VideoPanoptic(segments, CodedMaps(ids[winner] for winner in winners))


def semantic(scores: np.ndarray, frames: Frames, geometry: FrameGeometry) -> VideoSemantic:
    """The class of each pixel: that of the largest sum of score times probability.

    Args:
        scores: class probabilities without "no object", (Q, K).
        frames: mask logits.
        geometry: sizes of the frames.
    """
    Q, K = scores.shape
    maps = CodedMaps()
    for logits in frames(np.arange(Q)):
        classes = np.empty(geometry.original, np.min_scalar_type(K - 1))
        for rows, probs in masks.probability_bands(logits, geometry):
            sums = scores.T @ probs.reshape(Q, -1)  # (K, rows * W)
            classes[rows] = sums.argmax(0).reshape(probs.shape[1:])
        maps.append(classes)
    return VideoSemantic(maps)


def _claim(
    logits: np.ndarray, scores: np.ndarray, geometry: FrameGeometry
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of a frame to the candidates.

    Returns:
        1 + the place of the winner, 0 where its probability is below one half, (H, W); and for
        each candidate the numbers of pixels that it wins, that have a probability of at least one
        half, and that fulfil both, (n, 3).
    """
    count = len(scores)
    winners = np.zeros(geometry.original, np.min_scalar_type(count))
    areas = np.zeros((count, 3), np.int64)
    if not count:
        return winners, areas
    for rows, probs in masks.probability_bands(logits, geometry):
        winner = (scores[:, None, None] * probs).argmax(0)
        inside = np.take_along_axis(probs, winner[None], 0)[0] >= 0.5
        winners[rows] = np.where(inside, winner + 1, 0)
        areas[:, 0] += np.bincount(winner.ravel(), minlength=count)
        areas[:, 1] += (probs >= 0.5).sum((1, 2))
        areas[:, 2] += np.bincount(winner[inside], minlength=count)
    return winners, areas
