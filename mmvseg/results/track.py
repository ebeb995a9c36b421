"""One object, segment or class over a whole video."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mmvseg.structures import VideoInstances, VideoPanoptic, VideoResult

from .tubes import CodedTube, MapExtents, MapTube, Tube


@dataclass(repr=False, eq=False)
class Track:
    """What a result says of one object; of a semantic result: of one class.

    Attributes:
        id: of instances the track id, of panoptic results the segment's, of semantic ones the
            class index. Two tracks of instances may share one when an object is reported under two
            classes.
        label: 0-based class index.
        name: class name.
        category_id: the dataset's id of the class.
        score: confidence, 0 to 1; None for semantic results.
        is_thing: whether the class is of things that can be counted.
        masks: COCO run-length code of each frame at the video's size, None where it is absent.

    Example:
        >>> code = dict(size=[4, 6], counts=b'4220<')  # columns 1 and 2 of the upper two rows
        >>> codes = CodedTube([None, code], size=(4, 6))
        >>> track = Track(0, 2, 'car', 3, 0.9, True, codes)
        >>> track
        Track(0, car, score 0.90, frames 1 to 1)
        >>> track.boxes[1].tolist(), int(track.areas[1])
        ([1.0, 0.0, 3.0, 2.0], 4)
        >>> track.mask(1).sum(0).tolist()
        [0, 2, 2, 0, 0, 0]
    """

    id: int
    label: int
    name: str
    category_id: int
    score: float | None
    is_thing: bool
    masks: Tube

    def __repr__(self) -> str:
        score = '' if self.score is None else f'score {self.score:.2f}, '
        there = self.first_frame is not None
        frames = f'frames {self.first_frame} to {self.last_frame}' if there else 'in no frame'
        return f'Track({self.id}, {self.name}, {score}{frames})'

    def mask(self, frame: int) -> np.ndarray:
        """Its pixels in a frame, (H, W) bool."""
        return self.masks.dense(frame)

    @cached_property
    def _extents(self) -> tuple[np.ndarray, np.ndarray]:
        return self.masks.extents()

    @property
    def boxes(self) -> np.ndarray:
        """Around the mask of each frame, xyxy in pixels, (T, 4) float32; NaN where it is absent."""
        return self._extents[0]

    @property
    def areas(self) -> np.ndarray:
        """Pixels of the mask of each frame, (T,) int64."""
        return self._extents[1]

    @property
    def frames(self) -> np.ndarray:
        """Indices of the frames in which it is seen, in order."""
        return np.flatnonzero(self.areas)

    @property
    def first_frame(self) -> int | None:
        """The first of :attr:`frames`; None if there is none."""
        return int(self.frames[0]) if self.areas.any() else None

    @property
    def last_frame(self) -> int | None:
        """The last of :attr:`frames`; None if there is none."""
        return int(self.frames[-1]) if self.areas.any() else None


def tracks_of(pred: VideoResult, metainfo: Mapping[str, Any], size: tuple[int, int]) -> list[Track]:
    """The tracks of a result, in its order; classes that occur, the largest first.

    Args:
        pred: of any task.
        metainfo: ``classes`` and ``category_ids``; ``thing_classes`` (None: all).
        size: (height, width) of the frames.
    """
    if isinstance(pred, VideoInstances):
        parts = zip(pred.track_ids, pred.labels, pred.scores, pred.masks, strict=True)
        return [
            _track(metainfo, track, label, float(score), True, CodedTube(codes, size))
            for track, label, score, codes in parts
        ]
    if isinstance(pred, VideoPanoptic):
        known = MapExtents(pred.maps, 1 + max((s.id for s in pred.segments), default=0))
        return [
            _track(metainfo, s.id, s.label, s.score, s.is_thing, MapTube(pred.maps, s.id, known))
            for s in pred.segments
        ]
    count, things = len(metainfo['classes']), metainfo.get('thing_classes')
    num_things = count if things is None else len(things)
    known = MapExtents(pred.maps, count)
    tracks = [
        _track(metainfo, label, label, None, label < num_things, MapTube(pred.maps, label, known))
        for label in range(count)
    ]
    present = [track for track in tracks if track.areas.any()]
    return sorted(present, key=lambda track: -int(track.areas.sum()))


def _track(
    metainfo: Mapping[str, Any],
    track_id: int,
    label: int,
    score: float | None,
    is_thing: bool,
    masks: Tube,
) -> Track:
    name, category_id = metainfo['classes'][label], metainfo['category_ids'][label]
    return Track(int(track_id), int(label), name, int(category_id), score, is_thing, masks)
