"""One mask an object: which tubes repeat what better ones show already.

Average precision takes nothing off for an object that is reported twice, so models report the same
mask under several classes and by several queries. A person wants to see each object once.
"""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from pycocotools import mask as mask_api

Rle = dict | None

#: A tube with this IoU over time with a better one is the same object.
SAME_IOU = 0.5
#: A tube of which better ones cover so much shows nothing of its own: a part of an object, or of
#: the objects between which it jumps.
COVERED = 0.8


def distinct_tracks(
    scores: np.ndarray,
    masks: Sequence[Sequence[Rle]],
    same_iou: float = SAME_IOU,
    covered: float = COVERED,
) -> np.ndarray:
    """The tubes that show an object which no tube of a higher score shows, whatever their class.

    Best first, each tube is compared with those that were kept before. All ratios are sums over
    the frames. Tubes without any pixel are left out, too.

    Args:
        scores: of the tubes, (N,).
        masks: ``masks[n][t]`` is the run-length code of tube n in frame t, None where it is absent;
            all of one size. A tube that is shorter than others is absent from their last frames.
        same_iou: smallest IoU of two tubes that are the same object.
        covered: smallest share of a tube's pixels under the kept tubes together for which it is
            left out.

    Returns:
        Positions of the tubes to keep, ascending, (n,).

    Example:
        >>> mask = dict(size=[2, 2], counts=b'04')  # all four pixels
        >>> distinct_tracks(np.array([0.3, 0.9, 0.5]), [[mask], [mask], [None]]).tolist()
        [1]
    """
    areas, shared = tube_overlaps(masks)
    kept: list[int] = []
    for n in np.argsort(-np.asarray(scores), kind='stable').tolist():
        if not areas[n]:
            continue
        with_kept = shared[n, kept]
        union = areas[n] + areas[kept] - with_kept
        if (with_kept >= same_iou * union).any():
            continue
        # The sum is at most what is covered, so unions of masks are hardly ever needed.
        if with_kept.sum() >= covered * areas[n] and (
            _covered_pixels(masks[n], [masks[k] for k in kept]) >= covered * areas[n]
        ):
            continue
        kept.append(n)
    return np.array(sorted(kept), np.int64)


def without_repeats(
    scores: np.ndarray,
    masks: Sequence[Sequence[Rle]],
    same_iou: float = SAME_IOU,
    covered: float = COVERED,
) -> list[list[Rle]]:
    """Tubes without the masks that show, in one frame, what better tubes show there.

    A tube of an object of its own may lie on another's for a while, where its object is not there
    or the tracker confuses them. The rule is that of :func:`distinct_tracks`, for single frames.

    Args:
        scores: of the tubes, (N,).
        masks: as of :func:`distinct_tracks`.
        same_iou: smallest IoU of two masks that show the same.
        covered: smallest share of a mask's pixels under better ones for which it is left out.

    Returns:
        The tubes, None in the place of masks that are left out.
    """
    order = np.argsort(-np.asarray(scores), kind='stable').tolist()
    tubes = [list(tube) for tube in masks]
    for t in range(max(map(len, tubes), default=0)):
        present = [n for n in order if t < len(tubes[n]) and tubes[n][t] is not None]
        frame = [[tubes[n][t]] for n in present]
        kept = distinct_tracks(-np.arange(len(present)), frame, same_iou, covered)
        for place in set(range(len(present))) - set(kept.tolist()):
            tubes[present[place]][t] = None
    return tubes


def tube_overlaps(masks: Sequence[Sequence[Rle]]) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of N tubes and of the overlap of any two, summed over frames, (N,) and (N, N)."""
    areas = np.zeros(len(masks), np.int64)
    shared = np.zeros((len(masks), len(masks)), np.int64)
    for rles in zip_longest(*masks):
        present = [n for n, rle in enumerate(rles) if rle is not None]
        if present:
            frame_areas, frame_shared = mask_overlaps([rles[n] for n in present])
            areas[present] += frame_areas
            shared[np.ix_(present, present)] += frame_shared
    return areas, shared


def mask_overlaps(rles: Sequence[dict]) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of n masks of one frame and of the overlap of any two, (n,) and (n, n) int64."""
    # one by one: given a list of more than 255 codes, area fails with NumPy 2
    areas = np.array([mask_api.area(rle) for rle in rles], np.int64)
    # Of a crowd, the library divides by the pixels of the first mask instead of the union.
    share = np.asarray(mask_api.iou(list(rles), list(rles), [1] * len(rles)))
    return areas, np.rint(share * areas[:, None]).astype(np.int64)


def _covered_pixels(tube: Sequence[Rle], others: Sequence[Sequence[Rle]]) -> int:
    """Pixels of a tube that lie under at least one of the others."""
    covered = 0
    for rle, *above in zip_longest(tube, *others):
        above = [other for other in above if other is not None]
        if rle is not None and above:
            both = mask_api.merge([rle, mask_api.merge(above)], intersect=True)
            covered += int(mask_api.area(both))
    return covered
