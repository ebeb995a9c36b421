"""Which annotated object each predicted tube shows, if any."""

import numpy as np

from .distinct_tracks import tube_overlaps
from .video_instances import VideoInstances

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
    objects = np.full(count, -1)
    free = np.ones(len(truth), bool)
    for n in np.argsort(-np.asarray(found.scores), kind='stable'):
        near = np.where(free, iou[n], -1.0)
        if free.any() and near.max() >= min_iou:
            objects[n] = near.argmax()
            free[objects[n]] = False
    return objects, iou
