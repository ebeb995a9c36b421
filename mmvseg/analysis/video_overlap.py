"""All annotated objects of a video against all predicted tracks, frame by frame, in pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pycocotools.mask as coco_mask

from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import Video
from mmvseg.formats.youtube_vis_results import Result


@dataclass
class VideoOverlap:
    """G objects and D tracks of one video of T frames, whatever their classes.

    Attributes:
        video: the video.
        objects: the G annotated objects.
        tracks: the D predicted tracks.
        object_areas: pixels of each mask, 0 where there is none, (G, T) int64.
        track_areas: the same of the tracks, (D, T).
        common: pixels that a track and an object have in common, (D, G, T).
        object_common: pixels that two objects have in common, (G, G, T).
    """

    video: Video
    objects: list[Annotation]
    tracks: list[Result]
    object_areas: np.ndarray
    track_areas: np.ndarray
    common: np.ndarray
    object_common: np.ndarray

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.video.file_names)

    @property
    def object_categories(self) -> np.ndarray:
        """Category id of each object, (G,)."""
        return np.array([entry.category_id for entry in self.objects], int)

    @property
    def counted(self) -> np.ndarray:
        """Whether an object counts, which crowds do not, (G,)."""
        return np.array([not entry.is_crowd for entry in self.objects], bool)


def video_overlap(
    video: Video, objects: Sequence[Annotation], tracks: Sequence[Result]
) -> VideoOverlap:
    """Compare the masks of each frame.

    Args:
        video: the video.
        objects: annotated objects with one entry a frame.
        tracks: predicted tracks with one entry a frame, masks of the size of the video.
    """
    num_frames = len(video.file_names)
    object_areas = _stack([entry.mask_areas for entry in objects], num_frames)
    track_areas = _stack([entry.mask_areas for entry in tracks], num_frames)
    common = np.zeros((len(tracks), len(objects), num_frames), np.int64)
    object_common = np.zeros((len(objects), len(objects), num_frames), np.int64)
    for t in range(num_frames):
        i, j = np.flatnonzero(track_areas[:, t]), np.flatnonzero(object_areas[:, t])
        if not len(j):
            continue
        masks = [objects[k].rles[t] for k in j]
        object_common[j[:, None], j, t] = _intersection(
            masks, masks, object_areas[j, t], object_areas[j, t]
        )
        if len(i):
            common[i[:, None], j, t] = _intersection(
                [tracks[k].rles[t] for k in i], masks, track_areas[i, t], object_areas[j, t]
            )
    return VideoOverlap(
        video, [*objects], [*tracks], object_areas, track_areas, common, object_common
    )


def _stack(rows: Sequence[np.ndarray], num_frames: int) -> np.ndarray:
    return np.array(rows, np.int64).reshape(len(rows), num_frames)


def _intersection(
    first: list[dict], second: list[dict], first_areas: np.ndarray, second_areas: np.ndarray
) -> np.ndarray:
    """Pixels in common of n and m masks, (n, m) int64."""
    ratio = coco_mask.iou(first, second, [0] * len(second))
    # r = i / (a - i) gives i = a r / (1 + r); rounding restores the integer exactly.
    return np.rint(np.add.outer(first_areas, second_areas) * ratio / (1 + ratio)).astype(np.int64)
