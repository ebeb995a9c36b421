"""Annotated objects against predicted tracks, frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pycocotools.mask as coco_mask

#: The masks of an object or a track: a compressed run-length code a frame, None where it is absent.
Masks = Sequence[dict | None]


@dataclass
class FrameIoU:
    """A frame that has objects and tracks.

    Attributes:
        objects: positions of the objects that it has, (g,).
        tracks: positions of the tracks that it has, (d,).
        iou: intersection over union of their masks, (g, d) in [0, 1].
    """

    objects: np.ndarray
    tracks: np.ndarray
    iou: np.ndarray


@dataclass
class TrackOverlap:
    """The objects and the tracks of one class in one video.

    A mask without a pixel is a mask: only None is absent. What is absent in all frames is left out.

    Attributes:
        num_frames: of the video.
        object_lengths: how many masks each object has, (G,).
        track_lengths: how many masks each track has, (D,).
        frames: those that have objects as well as tracks, in their order.
    """

    num_frames: int
    object_lengths: np.ndarray
    track_lengths: np.ndarray
    frames: list[FrameIoU]

    @property
    def one_sided(self) -> bool:
        """Whether the class has no object, or no track, in this video."""
        return not (len(self.object_lengths) and len(self.track_lengths))


def track_overlap(
    objects: Sequence[Masks], tracks: Sequence[Masks], num_frames: int
) -> TrackOverlap:
    """Compare the masks of each frame.

    Args:
        objects: masks of the annotated objects, T each.
        tracks: masks of the predicted tracks, T each.
        num_frames: the T frames of the video.
    """
    objects, there = _present(objects, num_frames)
    tracks, found = _present(tracks, num_frames)
    frames = []
    for t in np.flatnonzero(there.any(axis=0) & found.any(axis=0)).tolist():
        rows, columns = np.flatnonzero(there[:, t]), np.flatnonzero(found[:, t])
        iou = coco_mask.iou(
            [objects[i][t] for i in rows], [tracks[j][t] for j in columns], [0] * len(columns)
        )
        frames.append(FrameIoU(rows, columns, iou))
    return TrackOverlap(num_frames, there.sum(axis=1), found.sum(axis=1), frames)


def _present(masks: Sequence[Masks], num_frames: int) -> tuple[list[Masks], np.ndarray]:
    """Those with masks, and where they have them, (n, T) bool."""
    given = [[rle is not None for rle in of_one] for of_one in masks]
    kept = [i for i, present in enumerate(given) if any(present)]
    present = np.array([given[i] for i in kept], bool).reshape(len(kept), num_frames)
    return [masks[i] for i in kept], present
