"""The frames of a video without one kind of errors, as if its maps had been mended.

Each kind is mended in single frames and nothing else is touched: no other segment gives pixels to a
mask that is made perfect.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from mmvseg.evaluation.functional.panoptic_overlap import FrameOverlap
from mmvseg.formats.panoptic_records import PredictedSegment

from .panoptic_errors import FRAME_KINDS, FrameErrors
from .panoptic_relinking import nearest, relinked_frames

#: Kinds of errors that can be mended, on their own.
MENDABLE = (*FRAME_KINDS, 'association')


def mended_frames(
    kind: str, frames: Sequence[FrameOverlap], errors: Sequence[FrameErrors]
) -> Iterator[FrameOverlap]:
    """Mend all errors of a kind.

    Args:
        kind: of :data:`MENDABLE`.
        frames: of the video, in order of time.
        errors: of each of them.
    """
    if kind == 'association':
        return relinked_frames(frames, [found.right for found in errors])
    if kind == 'missed':
        return _with_missed(frames, errors)
    return (_MENDERS[kind](frame, found) for frame, found in zip(frames, errors, strict=True))


def _perfect(frame: FrameOverlap, rows: Mapping[int, int]) -> FrameOverlap:
    """Give columns the mask of a row each."""
    counts = frame.counts.astype(float)
    columns = [*rows]
    counts[:, columns] = 0
    counts[[*rows.values()], columns] = frame.areas[[*rows.values()]]
    return replace(frame, counts=counts)


def _right_classes(frame: FrameOverlap, found: FrameErrors) -> FrameOverlap:
    classes = {
        column: PredictedSegment(frame.pred[column].id, frame.truth[row].category_id)
        for column, row in found.confused.items()
    }
    return replace(frame, pred=frame.pred | classes)


def _without_false(frame: FrameOverlap, found: FrameErrors) -> FrameOverlap:
    counts = frame.counts.copy()
    counts[:, 0] += counts[:, found.false].sum(axis=1)
    counts[:, found.false] = 0
    pred = {c: segment for c, segment in frame.pred.items() if c not in found.false}
    return replace(frame, counts=counts, pred=pred)


_MENDERS = {
    'poor': lambda frame, found: _perfect(frame, found.right),
    'too_poor': lambda frame, found: _perfect(frame, found.too_poor),
    'class': _right_classes,
    'false': _without_false,
}


def _with_missed(
    frames: Sequence[FrameOverlap], errors: Sequence[FrameErrors]
) -> Iterator[FrameOverlap]:
    """Add perfect masks, with the id that their segment has in the nearest frame, if it is free."""
    shown: dict[int, dict[int, int]] = defaultdict(dict)  # column of a row by frame
    for t, found in enumerate(errors):
        for column, row in found.right.items():
            shown[row][t] = column
    for t, (frame, found) in enumerate(zip(frames, errors, strict=True)):
        rows, columns = frame.counts.shape
        added: dict[int, int] = {}
        for row in found.missed:
            column = columns + row
            if row in shown:
                known = shown[row][nearest([*shown[row]], t)]
                column = column if known in frame.pred or known in added else known
            if frame.areas[row] > 0:
                added[column] = row
        counts = np.hstack([frame.counts, np.zeros((rows, rows))])
        wider = replace(frame, counts=counts)
        pred = frame.pred | {column: frame.truth[row] for column, row in added.items()}
        yield replace(_perfect(wider, added), pred=pred)
