"""Tubes as areas and overlaps alone, which is all that AP needs to know of them."""

from dataclasses import dataclass, field, replace

import numpy as np

from mmvseg.evaluation.functional.precision_recall import MAX_DETECTIONS, Verdicts
from mmvseg.evaluation.functional.tube_matching import Taken, by_score, take_tubes

from .video_overlap import VideoOverlap

#: A mask shows an object, and a tube fits it, from this intersection over union on.
FITS = 0.5


@dataclass
class Tubes:
    """N tubes of a video with G objects and T frames.

    Attributes:
        tracks: position of the track that each tube stands for, -1 for none, (N,).
        category_ids: (N,).
        scores: (N,).
        areas: pixels of each mask, 0 where there is none, (N, T).
        common: pixels in common with each object, (N, G, T).
        matching: what :func:`match` has found, None before. Tubes do not change any more then.
    """

    tracks: np.ndarray
    category_ids: np.ndarray
    scores: np.ndarray
    areas: np.ndarray
    common: np.ndarray
    matching: 'TubeMatching | None' = field(default=None, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.scores)

    def where(self, kept: np.ndarray) -> 'Tubes':
        """Some of the tubes, by positions or by a mask (N,)."""
        return Tubes(
            self.tracks[kept],
            self.category_ids[kept],
            self.scores[kept],
            self.areas[kept],
            self.common[kept],
        )

    def copy(self) -> 'Tubes':
        """The same tubes, whose classes and masks can be changed."""
        return replace(
            self,
            category_ids=self.category_ids.copy(),
            areas=self.areas.copy(),
            common=self.common.copy(),
        )


def predicted_tubes(overlap: VideoOverlap) -> Tubes:
    """The tracks as they are."""
    return Tubes(
        tracks=np.arange(len(overlap.tracks)),
        category_ids=np.array([entry.category_id for entry in overlap.tracks], int),
        scores=np.array([entry.score for entry in overlap.tracks], float),
        areas=overlap.track_areas,
        common=overlap.common,
    )


def tube_iou(tubes: Tubes, overlap: VideoOverlap) -> np.ndarray:
    """Intersection over union of each tube with each object over the video, (N, G)."""
    common = tubes.common.sum(axis=2)
    union = np.add.outer(tubes.areas.sum(axis=1), overlap.object_areas.sum(axis=1)) - common
    return np.divide(common, union, out=np.zeros(union.shape), where=union > 0)


def owners(tubes: Tubes, overlap: VideoOverlap) -> np.ndarray:
    """Position of the object that each mask shows best, -1 where it fits none, (N, T)."""
    if not overlap.objects:
        return np.full(tubes.areas.shape, -1)
    union = tubes.areas[:, None] + overlap.object_areas - tubes.common  # (N, G, T)
    iou = np.divide(tubes.common, union, out=np.zeros(union.shape), where=union > 0)
    best = iou.argmax(axis=1)
    return np.where(iou.max(axis=1) >= FITS, best, -1)


@dataclass
class TubeMatching:
    """What AP says of the N tubes of a video.

    Attributes:
        verdicts: of each category, at all thresholds.
        taken: position of the object that each tube takes at IoU 0.5, -1 for none, (N,).
        right: whether it is right at IoU 0.5, (N,).
        wrong: whether it is a false positive at IoU 0.5, (N,); else it is right or ignored.
        iou: (N, G).
    """

    verdicts: list[Verdicts]
    taken: np.ndarray
    right: np.ndarray
    wrong: np.ndarray
    iou: np.ndarray


def match(tubes: Tubes, overlap: VideoOverlap) -> TubeMatching:
    """Match tubes with objects of their video as AP does, over all areas."""
    if tubes.matching is None:
        tubes.matching = _match(tubes, overlap)
    return tubes.matching


def _match(tubes: Tubes, overlap: VideoOverlap) -> TubeMatching:
    iou = tube_iou(tubes, overlap)
    ranked, crowd = ranked_tubes(tubes), ~overlap.counted[None]
    outside = np.zeros((1, len(tubes)), bool)
    result = take_by_class(iou, ranked, tubes, overlap, crowd, outside)
    taken = np.full(len(tubes), -1)
    right, wrong = np.zeros((2, len(tubes)), bool)
    matched, hit, ignored = (values[0, 0] for values in result)
    taken[ranked] = matched
    right[ranked] = hit & ~ignored
    wrong[ranked] = ~hit & ~ignored
    verdicts = verdicts_by_class(result, ranked, tubes, overlap, crowd)
    return TubeMatching(verdicts, taken, right, wrong, iou)


def take_by_class(
    iou: np.ndarray,
    ranked: np.ndarray,
    tubes: Tubes,
    overlap: VideoOverlap,
    object_ignored: np.ndarray,
    outside: np.ndarray,
) -> Taken:
    """Let tubes take objects of their classes under C conditions.

    Args:
        iou: (N, G).
        ranked: positions of the tubes that count, see :func:`ranked_tubes`, (R,).
        tubes: N tubes.
        overlap: the video.
        object_ignored: whether an object does not count, (C, G).
        outside: whether a tube does not count if it takes nothing, (C, N).

    Returns:
        What the ranked tubes take, with R in place of D.
    """
    # Classes do not compete, so all are matched at once, with no overlap between them.
    own = tubes.category_ids[ranked, None] == overlap.object_categories
    return take_tubes(
        np.where(own, iou[ranked], -1), overlap.objects, object_ignored, outside[:, ranked]
    )


def verdicts_by_class(
    taken: Taken,
    ranked: np.ndarray,
    tubes: Tubes,
    overlap: VideoOverlap,
    object_ignored: np.ndarray,
) -> list[Verdicts]:
    """Verdicts of each class of tubes or objects; see :func:`take_by_class`."""
    object_categories, scores = overlap.object_categories, tubes.scores[ranked]
    verdicts = []
    for category_id in sorted({*tubes.category_ids.tolist(), *object_categories.tolist()}):
        rows = tubes.category_ids[ranked] == category_id
        verdicts.append(
            Verdicts(
                category_id=category_id,
                scores=scores[rows],
                hit=taken.hit[..., rows],
                ignored=taken.ignored[..., rows],
                positives=(~object_ignored[:, object_categories == category_id]).sum(axis=1),
            )
        )
    return verdicts


def ranked_tubes(tubes: Tubes) -> np.ndarray:
    """Positions of the tubes that count by descending score: the best of each class."""
    order = by_score(tubes.scores, len(tubes))
    if len(tubes) <= MAX_DETECTIONS[-1]:
        return order
    categories = tubes.category_ids[order]
    rank = (np.tril(categories[:, None] == categories)).sum(axis=1)
    return order[rank <= MAX_DETECTIONS[-1]]
