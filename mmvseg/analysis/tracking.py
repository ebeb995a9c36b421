"""HOTA, CLEAR and identity measures from the overlaps that the analysis has already."""

from collections.abc import Mapping

import numpy as np

from mmvseg.evaluation.functional.track_overlap import FrameIoU, TrackOverlap
from mmvseg.evaluation.functional.tracking_numbers import Tracking, TrackingSums, distinct_names
from mmvseg.formats.youtube_vis import Video

from .video_overlap import VideoOverlap


class TrackingCounts:
    """Collects the counts of all videos.

    Args:
        categories: name of each category by id, in the order of the file.

    Attributes:
        sums: of each (video id, category id) that occurs so far.
    """

    def __init__(self, categories: Mapping[int, str]) -> None:
        self.categories = dict(categories)
        self.sums: dict[tuple[int, int], TrackingSums] = {}
        self._videos: dict[int, Video] = {}

    def add(self, overlap: VideoOverlap) -> None:
        """Take a video."""
        self._videos[overlap.video.id] = overlap.video
        track_categories = np.array([entry.category_id for entry in overlap.tracks], int)
        occurring = {*overlap.object_categories.tolist(), *track_categories.tolist()}
        there = _present(overlap.objects, overlap.num_frames)
        found = _present(overlap.tracks, overlap.num_frames)
        for category_id in sorted(occurring):
            objects = np.flatnonzero(overlap.object_categories == category_id)
            tracks = np.flatnonzero(track_categories == category_id)
            of_class = _track_overlap(overlap, objects, tracks, there, found)
            self.sums[overlap.video.id, category_id] = TrackingSums.of_overlap(of_class)

    def result(self, notes: list[str]) -> Tracking:
        """The result as :func:`.evaluate_tracking` gives it, with notes."""
        return Tracking(
            categories=distinct_names(self.categories),
            videos=distinct_names({i: video.name for i, video in self._videos.items()}),
            lengths={i: len(video.file_names) for i, video in self._videos.items()},
            sums=self.sums,
            notes=notes,
        )


def _present(entries: list, num_frames: int) -> np.ndarray:
    """Where each has a mask, be it one without pixels, (n, T)."""
    present = [[rle is not None for rle in entry.rles] for entry in entries]
    return np.array(present, bool).reshape(len(entries), num_frames)


def _track_overlap(
    overlap: VideoOverlap,
    objects: np.ndarray,
    tracks: np.ndarray,
    there: np.ndarray,
    found: np.ndarray,
) -> TrackOverlap:
    """What is compared of one class: objects and tracks at these positions."""
    objects, tracks = objects[there[objects].any(axis=1)], tracks[found[tracks].any(axis=1)]
    there, found = there[objects], found[tracks]
    frames = []
    for t in np.flatnonzero(there.any(axis=0) & found.any(axis=0)).tolist():
        rows, columns = np.flatnonzero(there[:, t]), np.flatnonzero(found[:, t])
        common = overlap.common[tracks[columns][:, None], objects[rows], t].T  # (g, d)
        areas = np.add.outer(
            overlap.object_areas[objects[rows], t], overlap.track_areas[tracks[columns], t]
        )
        union = areas - common
        iou = np.divide(common, union, out=np.zeros(union.shape), where=union > 0)
        frames.append(FrameIoU(rows, columns, iou))
    return TrackOverlap(overlap.num_frames, there.sum(axis=1), found.sum(axis=1), frames)
