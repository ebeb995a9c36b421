"""Precision over recall, to draw."""

import numpy as np

from mmvseg.evaluation.functional.precision_recall import IOU_THRESHOLDS, RECALL_POINTS
from mmvseg.evaluation.functional.youtube_vis_ap import VideoAP

#: The thresholds of IoU that have a curve of their own.
THRESHOLDS = (0.5, 0.75)


def precision_curves(result: VideoAP) -> dict:
    """The precision at the 101 recall points, over all areas and occlusions.

    Returns:
        ``recall`` are the points. ``all`` and, by name, ``classes`` are curves ``0.5`` and
        ``0.75`` for these thresholds of IoU, and ``mean`` over all ten, as fractions; 0 from where
        the recall is not reached. ``all`` is the mean over the classes with objects. A class
        without objects is None, and so is ``all`` without any.
    """
    precision = result.precision[:, :, :, 0, 0, -1]  # (10, 101, K)
    with_objects = (precision > -1).all(axis=(0, 1))
    valid = precision[:, :, with_objects]
    return dict(
        recall=RECALL_POINTS.tolist(),
        all=_curves(valid.mean(axis=2)) if with_objects.any() else None,
        classes={
            name: _curves(precision[:, :, k]) if with_objects[k] else None
            for k, name in enumerate(result.categories.values())
        },
    )


def _curves(precision: np.ndarray) -> dict[str, list[float]]:
    """Those of a precision (10, 101)."""
    of_threshold = {
        f'{iou:g}': precision[np.isclose(IOU_THRESHOLDS, iou)][0].tolist() for iou in THRESHOLDS
    }
    return of_threshold | dict(mean=precision.mean(axis=0).tolist())
