"""Tubes with the masks of their objects, or with the frames of their objects."""

import numpy as np

from .tubes import Tubes, owners
from .video_overlap import VideoOverlap


def with_perfect_masks(tubes: Tubes, overlap: VideoOverlap, targets: np.ndarray) -> Tubes:
    """Give tubes the masks of their objects in the frames where both are there.

    Frames where a mask shows another object stay as they are: that is a matter of association.

    Args:
        tubes: N tubes.
        overlap: the video.
        targets: object of each tube, -1 for none, (N,).
    """
    shown, changed = owners(tubes, overlap), tubes.copy()
    for n in np.flatnonzero(targets >= 0):
        target = targets[n]
        both = (tubes.areas[n] > 0) & (overlap.object_areas[target] > 0)
        alone = (shown[n] == -1) | (shown[n] == target)
        _put(changed, n, target, both & alone, overlap)
    return changed


def with_perfect_extent(tubes: Tubes, overlap: VideoOverlap, targets: np.ndarray) -> Tubes:
    """Give tubes masks in the frames that their objects are in, and in no others.

    A frame where a tube of the same class shows the object is not filled, and one where the mask
    shows another object is not emptied: these are matters of association.

    Args:
        tubes: N tubes.
        overlap: the video.
        targets: object of each tube, -1 for none, (N,).
    """
    shown, changed = owners(tubes, overlap), tubes.copy()
    for n in np.flatnonzero(targets >= 0):
        target = targets[n]
        there, covered = overlap.object_areas[target] > 0, tubes.areas[n] > 0
        relatives = tubes.category_ids == tubes.category_ids[n]
        followed = (shown[relatives] == target).any(axis=0)
        _put(changed, n, target, there & ~covered & ~followed, overlap)
        over = covered & ~there & (shown[n] == -1)
        changed.areas[n, over] = 0
        changed.common[n][:, over] = 0
    return changed


def _put(tubes: Tubes, n: int, target: int, frames: np.ndarray, overlap: VideoOverlap) -> None:
    """Set the masks of a tube to those of an object in some frames (T,)."""
    tubes.areas[n, frames] = overlap.object_areas[target, frames]
    tubes.common[n][:, frames] = overlap.object_common[target][:, frames]
