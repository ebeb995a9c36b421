"""What a user gets of one video: tracks with names, tables, drawings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.media import FrameSource, as_source, checked_frames
from mmvseg.structures import VideoInstances, VideoPanoptic, VideoResult, VideoSemantic
from mmvseg.visualization import DrawingStyle, build_painter

from .classes import class_indices
from .exports import to_dataframe, to_supervision, track_rows
from .track import Track, tracks_of

if TYPE_CHECKING:
    import pandas
    import supervision

#: What the results of a task consist of.
NOUNS = dict(vis='tracks', vps='segments', vss='classes')
_TASKS = {VideoInstances: 'vis', VideoPanoptic: 'vps', VideoSemantic: 'vss'}


@dataclass(repr=False, eq=False)
class SegmentedVideo:
    """The result of one video: its tracks, with the names of their classes.

    A track is an object of a model of instances, a segment of a panoptic one, or a class of a
    semantic one. Masks stay coded; what is dense is made when it is asked for.

    Attributes:
        pred: the result itself, of the type that the task has.
        metainfo: ``classes``, ``category_ids``, ``palette`` and ``thing_classes`` (None: all).
        video_name: short name of the video.
        frame_size: (height, width) of the frames.
        frame_seconds: time of each frame.

    Example:
        >>> result = inferencer(CLIP)
        >>> result
        SegmentedVideo('shapes', 5 tracks in 48 frames)
        >>> for track in result.above(0.5).of('ring', 'star'):
        ...     print(track.id, track.name, track.first_frame, track.last_frame)
        1 ring 0 47
        0 star 0 47
    """

    pred: VideoResult
    metainfo: Mapping[str, Any]
    video_name: str
    frame_size: tuple[int, int]
    frame_seconds: Sequence[float]

    def __repr__(self) -> str:
        # which classes there are is found in all maps, which would take too long here
        noun = NOUNS[self.task]
        found = noun if self.task == 'vss' else counted(len(self.pred), noun)
        what = f'{found} in {counted(self.video_length, "frames")}'
        return f'SegmentedVideo({self.video_name!r}, {what})'

    @cached_property
    def tracks(self) -> list[Track]:
        """All tracks, in the order of ``pred``, of classes those that occur, the largest first."""
        return tracks_of(self.pred, self.metainfo, self.frame_size)

    def __len__(self) -> int:
        return len(self.tracks)

    def __iter__(self) -> Iterator[Track]:
        return iter(self.tracks)

    def __getitem__(self, index: int) -> Track:
        return self.tracks[index]

    @property
    def task(self) -> str:
        """``vis``, ``vps`` or ``vss``."""
        return _TASKS[type(self.pred)]

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by class index."""
        return self.metainfo['classes']

    @property
    def video_length(self) -> int:
        """Frames that the result covers."""
        return len(self.frame_seconds)

    def count(self) -> Counter[str]:
        """How many tracks each class has.

        Example:
            >>> result.count()  # two squares, of which one is a weak repetition
            Counter({'square': 2, 'ring': 1, 'star': 1, 'cross': 1})
        """
        return Counter(track.name for track in self)

    def count_per_frame(self) -> np.ndarray:
        """How many tracks are seen in each frame, (T,) int64; zeros where no track is left.

        Example:
            >>> result.above(0.5).count_per_frame()[:5].tolist()
            [4, 4, 4, 4, 4]
            >>> result.of('disc').count_per_frame()[:5].tolist()  # there is none
            [0, 0, 0, 0, 0]
        """
        counts = np.zeros(self.video_length, np.int64)
        for track in self:
            counts += track.areas > 0
        return counts

    def above(self, score: float) -> SegmentedVideo:
        """The tracks of at least this score.

        Raises:
            UserError: if the result is semantic: a class has no score.

        Example:
            >>> len(result), len(result.above(0.5))
            (5, 4)
        """
        if isinstance(self.pred, VideoSemantic):
            raise UserError('a semantic result has no scores: every pixel gets a class')
        return replace(self, pred=self.pred.above(score))

    def distinct(self) -> SegmentedVideo:
        """One mask an object: tracks of instances that repeat better ones are left out.

        Models report an object again and again, under several classes and by several queries. What
        ``mmvseg predict`` draws is ``result.above(0.2).distinct()``. Segments and classes, of
        which each pixel has one, stay as they are.

        Example:
            >>> len(result), len(result.distinct())
            (5, 4)
        """
        if not isinstance(self.pred, VideoInstances):
            return self
        return replace(self, pred=self.pred.distinct())

    def of(self, *names: str) -> SegmentedVideo:
        """The tracks of these classes.

        Raises:
            UserError: if the model has no class of a name; the message states the closest.

        Example:
            >>> [track.name for track in result.of('star', 'ring')]
            ['ring', 'star']
            >>> result.of('stars')
            Traceback (most recent call last):
            mmvseg.errors.UserError: 'stars' is no class of the model; did you mean star or square?
        """
        return replace(self, pred=self.pred.of_labels(class_indices(names, self.classes)))

    def rows(self) -> Iterator[dict]:
        """What :meth:`to_dataframe` holds, row by row.

        Example:
            >>> row = next(result.rows())
            >>> row['frame'], row['track_id'], row['category']
            (0, 7, 'square')
            >>> list(row)
            ['video', 'frame', 'seconds', 'track_id', 'category_id', 'category', 'score',
            'x1', 'y1', 'x2', 'y2', 'area']
        """
        return track_rows(self.tracks, self.video_name, self.frame_seconds)

    def to_dataframe(self) -> pandas.DataFrame:
        """A table of pandas with a row a track and frame in which it is seen.

        Returns:
            The columns ``video``, ``frame``, ``seconds``, ``track_id``, ``category_id``,
            ``category``, ``score`` (NaN for semantic results), the box ``x1``, ``y1``, ``x2``,
            ``y2`` in pixels and ``area``.

        Raises:
            UserError: if pandas is not installed.

        Example:
            >>> table = result.to_dataframe()
            >>> table.groupby('category').frame.max().to_dict()
            {'cross': 47, 'ring': 47, 'square': 47, 'star': 47}
        """
        return to_dataframe(self.rows())

    def to_coco(self, video_id: int = 1) -> list[dict]:
        """Entries as in ``results.json`` of YouTube-VIS, which hold COCO run-length codes.

        Args:
            video_id: the video's id in an annotation file.

        Returns:
            One ``dict(video_id, score, category_id, segmentations, category, track_id, seconds)`` a
            track: a code or None, and the time, of each frame. The score of a class is None. Ready
            for :func:`json.dumps`.

        Example:
            >>> entry = result.to_coco()[0]
            >>> entry['category'], entry['category_id'], len(entry['segmentations'])
            ('square', 2, 48)
        """
        seconds = [round(seconds, 6) for seconds in self.frame_seconds]
        return [
            dict(
                video_id=video_id,
                score=track.score,
                category_id=track.category_id,
                segmentations=[_to_json(code) for code in track.masks],
                category=track.name,
                track_id=track.id,
                seconds=seconds,
            )
            for track in self
        ]

    def to_supervision(self, frame: int) -> supervision.Detections:
        """What a frame shows, for the annotators and zones of the library supervision.

        Args:
            frame: 0-based index; negative ones count from the end.

        Returns:
            Detections with ``tracker_id``, ``class_id`` (class index), ``confidence`` (None for
            semantic results), ``data['class_name']``, boxes, and masks: compact ones, which stay
            run-length coded, where supervision has them, else dense.

        Raises:
            UserError: if supervision is not installed, or the video has no such frame.

        Example:
            >>> detections = result.above(0.5).to_supervision(0)
            >>> detections.tracker_id.tolist()
            [7, 1, 0, 5]
            >>> detections.data['class_name'].tolist()
            ['square', 'ring', 'star', 'cross']
        """
        if not -self.video_length <= frame < self.video_length:
            raise UserError(
                f'{self.video_name}: there is no frame {frame}, the result has {self.video_length}'
            )
        return to_supervision(self.tracks, frame, self.frame_size)

    def draw(
        self,
        frames: str | Path | Sequence[Any] | np.ndarray | FrameSource,
        style: DrawingStyle | None = None,
    ) -> Iterator[np.ndarray]:
        """Draw the tracks on the frames of the video, one at a time.

        Args:
            frames: the video once more, whatever the inferencer takes.
            style: scale, text size, scores, legend.

        Returns:
            A generator of RGB uint8, (H, W, 3), with the legend of semantic results below; it ends
            with the result or with the frames.

        Raises:
            UserError: if the frames cannot be read or have another size than the result.

        Example:
            >>> drawn = list(result.above(0.5).draw(CLIP))
            >>> len(drawn), drawn[0].shape
            (48, (288, 384, 3))
        """
        source = as_source(frames)
        if tuple(source.size) != tuple(self.frame_size):
            raise UserError(
                f'{source.name}: frames of (height, width) {tuple(source.size)} do not fit the '
                f'result of {self.video_name}, {tuple(self.frame_size)}'
            )
        painter = build_painter(self.task, self.metainfo, style or DrawingStyle())
        images = (frame.image for frame in checked_frames(source))
        numbered = zip(range(self.video_length), images, strict=False)
        return (painter.draw(image, self.pred, frame) for frame, image in numbered)


def _to_json(code: dict | None) -> dict | None:
    if code is None:
        return None
    return dict(size=list(code['size']), counts=code['counts'].decode('ascii'))
