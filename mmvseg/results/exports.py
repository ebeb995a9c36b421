"""Results for other libraries, which need not be installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mmvseg.errors import UserError

from .track import Track

if TYPE_CHECKING:
    import pandas
    import supervision

#: Columns of a table of tracks and their kinds. Boxes are xyxy in pixels.
COLUMNS = dict(
    video='str',
    frame='int64',
    seconds='float64',
    track_id='int64',
    category_id='int64',
    category='str',
    score='float64',
    x1='int64',
    y1='int64',
    x2='int64',
    y2='int64',
    area='int64',
)


def track_rows(tracks: Sequence[Track], video: str, seconds: Sequence[float]) -> Iterator[dict]:
    """One row a track and frame in which it is seen, see :data:`COLUMNS`.

    Args:
        tracks: of one video.
        video: its name.
        seconds: time of each frame.
    """
    for track in tracks:
        for frame in track.frames.tolist():
            x1, y1, x2, y2 = (int(value) for value in track.boxes[frame])
            yield dict(
                video=video,
                frame=frame,
                seconds=round(seconds[frame], 6),
                track_id=track.id,
                category_id=track.category_id,
                category=track.name,
                score=None if track.score is None else round(track.score, 6),
                x1=x1,
                y1=y1,
                x2=x2,
                y2=y2,
                area=int(track.areas[frame]),
            )


def to_dataframe(rows: Iterator[dict]) -> pandas.DataFrame:
    """The rows of :func:`track_rows` as a table of pandas.

    Raises:
        UserError: if pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise UserError('tables need pandas: pip install pandas') from error
    return pandas.DataFrame(list(rows), columns=list(COLUMNS)).astype(COLUMNS)


def to_supervision(
    tracks: Sequence[Track], frame: int, size: tuple[int, int]
) -> supervision.Detections:
    """What a frame shows of tracks.

    Args:
        tracks: of one video.
        frame: 0-based index.
        size: (height, width) of the frames.

    Returns:
        Detections with ``tracker_id``, ``class_id`` (class index), ``confidence`` (None for
        semantic results), ``data['class_name']``, boxes, and masks: compact ones, which stay
        run-length coded, where supervision has them, else dense.

    Raises:
        UserError: if supervision is not installed.
    """
    try:
        import supervision
    except ImportError as error:
        raise UserError('Detections need supervision: pip install supervision') from error
    seen = [track for track in tracks if track.areas[frame]]
    boxes = np.array([track.boxes[frame] for track in seen], np.float32).reshape(-1, 4)
    scores = [track.score for track in seen]
    return supervision.Detections(
        xyxy=boxes,
        mask=_masks(supervision, seen, frame, boxes, size),
        confidence=None if None in scores else np.array(scores, np.float32),
        class_id=np.array([track.label for track in seen], int),
        tracker_id=np.array([track.id for track in seen], int),
        data=dict(class_name=np.array([track.name for track in seen], str)),
    )


def _masks(
    supervision: object,
    tracks: Sequence[Track],
    frame: int,
    boxes: np.ndarray,
    size: tuple[int, int],
) -> object:
    compact = getattr(supervision, 'CompactMask', None)
    if not hasattr(compact, 'from_coco_rle'):
        dense = [track.mask(frame) for track in tracks]
        return np.array(dense, bool).reshape(-1, *size)
    # its boxes include their last row and column
    crops = boxes - np.array([0, 0, 1, 1], np.float32)
    return compact.from_coco_rle([track.masks[frame] for track in tracks], crops, size)
