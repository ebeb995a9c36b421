"""The result of video panoptic segmentation: every pixel belongs to one segment, or to none."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from .coded_maps import ChosenMaps


@dataclass(frozen=True)
class Segment:
    """A thing, or all of a stuff class, over a whole video.

    Attributes:
        id: its value in the maps, at least 1.
        label: 0-based class index.
        is_thing: whether the class is of things.
        score: confidence.
        query: number of the query that it came from.
    """

    id: int
    label: int
    is_thing: bool
    score: float
    query: int


@dataclass(repr=False)
class VideoPanoptic:
    """Segments of one video.

    Attributes:
        segments: each id once; a segment need not occur in every frame.
        maps: segment id of each pixel of each frame at the original resolution, 0 for none, T maps
            (H, W) of an integer type.
    """

    segments: list[Segment]
    maps: Sequence[np.ndarray]

    def __len__(self) -> int:
        return len(self.segments)

    def __repr__(self) -> str:
        return f'VideoPanoptic({len(self)} segments in {len(self.maps)} frames)'

    def above(self, score_thr: float) -> 'VideoPanoptic':
        """The segments whose score is at least ``score_thr``; the maps keep the ids of all."""
        return VideoPanoptic([s for s in self.segments if s.score >= score_thr], self.maps)

    def of_labels(self, labels: Collection[int]) -> 'VideoPanoptic':
        """The segments of these class indices; the maps keep the ids of all."""
        return VideoPanoptic([s for s in self.segments if s.label in labels], self.maps)

    def of_frames(self, frames: Sequence[int]) -> 'VideoPanoptic':
        """The same segments in some of the frames."""
        return VideoPanoptic(self.segments, ChosenMaps(self.maps, frames))

    def segments_in(self, segment_map: np.ndarray) -> list[tuple[Segment, int]]:
        """The segments that occur in one of the maps, with their areas in pixels."""
        areas = np.bincount(segment_map.ravel())
        return [
            (segment, int(areas[segment.id]))
            for segment in self.segments
            if segment.id < len(areas) and areas[segment.id]
        ]
