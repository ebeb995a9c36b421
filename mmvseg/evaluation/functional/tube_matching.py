"""Which predicted tube takes which annotated one, over many thresholds and conditions at once.

The rules are those of the official evaluators of YouTube-VIS and OVIS.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from .precision_recall import IOU_THRESHOLDS, Verdicts


class Annotated(Protocol):
    """What matching needs to know of an annotated object."""

    id: int
    is_crowd: bool


@dataclass
class Detection:
    """One predicted object.

    Attributes:
        index: 0-based position in the results.
        score: confidence.
        average_area: mean pixels of its masks that are not empty; 0 if all are.
    """

    index: int
    score: float
    average_area: float


@dataclass
class Matching:
    """Detections of one video and category against its annotations.

    C are conditions that annotations and detections meet or not, as the pairs (area range,
    occlusion group) of the official numbers, occlusion running faster; D the detections by
    descending score; G the annotations in the order of the file.

    Attributes:
        video_id: the video's id.
        category_id: the category's id.
        detections: the D detections.
        annotations: the G annotations.
        iou: (D, G) in [0, 1].
        matched: annotation that each detection takes, -1 for none, (C, T, D) for T thresholds.
        hit: whether that counts as a match, (C, T, D).
        ignored: whether the detection is neither right nor wrong, (C, T, D).
        annotation_ignored: (C, G).
    """

    video_id: int
    category_id: int
    detections: list[Detection]
    annotations: list[Annotated]
    iou: np.ndarray
    matched: np.ndarray
    hit: np.ndarray
    ignored: np.ndarray
    annotation_ignored: np.ndarray

    def verdicts(self) -> Verdicts:
        """What precision and recall need of it."""
        return Verdicts(
            category_id=self.category_id,
            scores=np.array([d.score for d in self.detections], dtype=float),
            hit=self.hit,
            ignored=self.ignored,
            positives=np.count_nonzero(~self.annotation_ignored, axis=1),
        )


def match_tubes(
    key: tuple[int, int],
    detections: list[Detection],
    annotations: list[Annotated],
    iou: np.ndarray,
    annotation_ignored: np.ndarray,
    outside: np.ndarray,
) -> Matching:
    """Match the detections of one video and category with its annotations.

    Args:
        key: ids of video and category.
        detections: D of them, by descending score.
        annotations: G of them.
        iou: (D, G) in [0, 1].
        annotation_ignored: whether an annotation does not count under a condition, (C, G).
        outside: whether a detection does not count under a condition if it takes nothing, (C, D).
    """
    taken = take_tubes(iou, annotations, annotation_ignored, outside)
    return Matching(
        *key,
        detections,
        annotations,
        iou,
        taken.matched,
        taken.hit,
        taken.ignored,
        annotation_ignored,
    )


class Taken(NamedTuple):
    """The fields ``matched``, ``hit`` and ``ignored`` of :class:`Matching`."""

    matched: np.ndarray
    hit: np.ndarray
    ignored: np.ndarray


def take_tubes(
    iou: np.ndarray,
    annotations: Sequence[Annotated],
    annotation_ignored: np.ndarray,
    outside: np.ndarray,
) -> Taken:
    """Let each detection in turn take an annotation.

    Args:
        iou: (D, G), detections by descending score; -1 for pairs that must not match.
        annotations: G of them.
        annotation_ignored: whether an annotation does not count under a condition, (C, G).
        outside: whether a detection does not count under a condition if it takes nothing, (C, D).
    """
    is_crowd = np.array([g.is_crowd for g in annotations], dtype=bool)
    matched = _assign(iou, annotation_ignored, is_crowd)
    # Officially a match is stored as the annotation's id and 0 means none, so a match with an
    # annotation of id 0 uses the annotation up and yet counts as none.
    ids = np.array([g.id for g in annotations] + [0])  # the last one is what -1 selects
    hit = ids[matched] != 0
    taken_ignored = np.append(annotation_ignored, np.zeros((len(outside), 1), bool), axis=1)
    ignored = np.take_along_axis(taken_ignored[:, None], matched, axis=2)
    return Taken(matched, hit, ignored | (~hit & outside[:, None]))


def by_score(scores: Sequence[float], limit: int) -> np.ndarray:
    """Positions of the best ``limit`` scores, best first, the earlier of equal ones first."""
    return np.argsort(-np.asarray(scores, dtype=float), kind='stable')[:limit]


def _assign(iou: np.ndarray, ignored: np.ndarray, is_crowd: np.ndarray) -> np.ndarray:
    """Give each detection in turn the best annotation that is left.

    Args:
        iou: (D, G), detections by descending score.
        ignored: (C, G) bool.
        is_crowd: (G,) bool; a crowd annotation may be taken again and again.

    Returns:
        The annotation that each detection takes, -1 for none, (C, T, D).
    """
    thresholds = np.minimum(IOU_THRESHOLDS, 1 - 1e-10)
    shape = (len(ignored), len(thresholds))
    matched = np.full((*shape, len(iou)), -1)
    free = np.ones((*shape, len(is_crowd)), dtype=bool)  # (C, T, G)
    counted = ~ignored[:, None]  # (C, 1, G)
    for d in np.flatnonzero((iou >= thresholds[0]).any(axis=1)):
        candidates = free & (iou[d] >= thresholds[:, None])
        preferred = candidates & counted
        pool = np.where(preferred.any(axis=2, keepdims=True), preferred, candidates)
        # The last of equal maxima wins, hence the search from the end.
        best = len(is_crowd) - 1 - np.where(pool, iou[d], -1)[..., ::-1].argmax(axis=2)
        found = pool.any(axis=2)
        matched[..., d] = np.where(found, best, -1)
        c, t = np.nonzero(found)
        free[c, t, best[c, t]] = is_crowd[best[c, t]]
    return matched
