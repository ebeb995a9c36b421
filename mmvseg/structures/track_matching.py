"""Which annotated object each predicted tube or segment shows, if any."""

import numpy as np

from .distinct_tracks import tube_overlaps
from .video_instances import VideoInstances
from .video_panoptic import VideoPanoptic

#: Smallest IoU over time of a tube with the object that it shows.
MATCH_IOU = 0.5


def match_tracks(
    found: VideoInstances, truth: VideoInstances, min_iou: float = MATCH_IOU
) -> tuple[np.ndarray, np.ndarray]:
    """Give objects to tubes, the best tube first, whatever the class.

    A tube takes the object of the highest IoU among those that are still free.

    Args:
        found: predicted tubes, N of them.
        truth: annotated ones of the same video, M of them.
        min_iou: smallest IoU of a match.

    Returns:
        The object of each tube, -1 for none, (N,) int; the IoU of all pairs over time, (N, M).
    """
    areas, shared = tube_overlaps([*found.masks, *truth.masks])
    count = len(found)
    shared = shared[:count, count:]
    union = areas[:count, None] + areas[None, count:] - shared
    iou = np.divide(shared, union, out=np.zeros(shared.shape), where=union > 0)
    return _give_out(iou, found.scores, min_iou), iou


def match_segments(
    found: VideoPanoptic, truth: VideoPanoptic, min_iou: float = MATCH_IOU
) -> dict[int, int]:
    """Give annotated things to predicted things, the best first, whatever the class.

    Args:
        found: predicted segments.
        truth: annotated ones of the same frames.
        min_iou: smallest IoU of a match, over time.

    Returns:
        Ids of things of ``truth`` by those of ``found``.
    """
    things = [[s for s in video.segments if s.is_thing] for video in (found, truth)]
    ids = [[segment.id for segment in some] for some in things]
    sizes = [max((s.id for s in video.segments), default=0) + 1 for video in (found, truth)]
    pixels = np.zeros(sizes, np.int64)  # of each pair of ids
    for found_map, truth_map in zip(found.maps, truth.maps, strict=True):
        # what is no segment of the result, for its score perhaps, counts as nothing
        maps = zip((found_map, truth_map), sizes, strict=True)
        first, second = (np.where(ids < size, ids, 0).astype(np.int64) for ids, size in maps)
        pairs = first * sizes[1] + second
        pixels += np.bincount(pairs.ravel(), minlength=pixels.size).reshape(sizes)
    shared = pixels[np.ix_(*ids)]
    union = pixels.sum(1)[ids[0], None] + pixels.sum(0)[None, ids[1]] - shared
    scores = np.array([segment.score for segment in things[0]])
    matches = _give_out(shared / np.maximum(1, union), scores, min_iou)
    return {ids[0][n]: ids[1][m] for n, m in enumerate(matches.tolist()) if m >= 0}


def _give_out(iou: np.ndarray, scores: np.ndarray, min_iou: float) -> np.ndarray:
    """The object of each track, -1 for none, (N,), from the IoU of all pairs, (N, M)."""
    objects = np.full(len(iou), -1)
    free = np.ones(iou.shape[1], bool)
    for n in np.argsort(-np.asarray(scores), kind='stable'):
        near = np.where(free, iou[n], -1.0)
        if free.any() and near.max() >= min_iou:
            objects[n] = near.argmax()
            free[objects[n]] = False
    return objects
