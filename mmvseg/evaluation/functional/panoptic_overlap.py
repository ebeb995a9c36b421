"""How many pixels each segment of the ground truth shares with each predicted one, by frame."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmvseg.errors import UserError
from mmvseg.formats.panoptic_records import (
    PanopticFrame,
    PredictedSegment,
    Segment,
    Video,
    read_frames,
)


@dataclass
class FrameOverlap:
    """One frame's segments and the pixels that they share.

    The numbers of segments are the same in all frames of a video. Row 0 is void, the last row are
    ids that the json lists nowhere in the video; column 0 are pixels without a prediction.

    Attributes:
        counts: pixels, (rows, columns).
        truth: the segments that the frame lists, by row.
        areas: pixels as the ground truth states them, (rows,); 0 if not listed, the sum of what is
            listed several times, as officially.
        pred: the predicted segments of the frame, by column.
    """

    counts: np.ndarray
    truth: dict[int, Segment]
    areas: np.ndarray
    pred: dict[int, PredictedSegment]


def video_overlaps(truth: Video, pred: Video) -> Iterator[FrameOverlap]:
    """:func:`frame_overlaps` of a video in files."""
    true, predicted = read_frames(truth), read_frames(pred)
    return frame_overlaps(true, predicted, truth.segment_ids(), pred.segment_ids())


def frame_overlaps(
    truth: Iterable[PanopticFrame],
    pred: Iterable[PanopticFrame],
    truth_ids: np.ndarray,
    pred_ids: np.ndarray,
) -> Iterator[FrameOverlap]:
    """Compare a video frame by frame.

    Args:
        truth: the frames of the ground truth.
        pred: as many frames of predictions.
        truth_ids: the ids that they list, ascending.
        pred_ids: the same for the predictions.

    Raises:
        UserError: if sizes differ, or a predicted frame does not list exactly the ids of its map.
    """
    for true, predicted in zip(truth, pred, strict=True):
        if true.map.shape != predicted.map.shape:
            sizes = [f'{frame.map.shape[1]}x{frame.map.shape[0]}' for frame in (true, predicted)]
            raise UserError(
                f'{predicted.place}: is {sizes[1]} pixels, the ground truth {true.place} is '
                f'{sizes[0]}; predict at the size of the ground truth'
            )
        counts = count_pairs(true.map, predicted.map, truth_ids, pred_ids)
        rows = _by_number(true.segments, truth_ids)
        columns = _by_number(predicted.segments, pred_ids)
        if set(np.flatnonzero(counts.any(axis=0)).tolist()) - {0} != columns.keys():
            _refuse_ids(predicted)
        areas = np.zeros(len(counts))
        for segment in true.segments:
            areas[np.searchsorted(truth_ids, segment.id) + 1] += segment.area
        yield FrameOverlap(counts, rows, areas, columns)


def _by_number(segments: Sequence[PredictedSegment], ids: np.ndarray) -> dict[int, Any]:
    numbers = np.searchsorted(ids, [segment.id for segment in segments]) + 1
    return dict(zip(numbers.tolist(), segments, strict=True))


def _refuse_ids(frame: PanopticFrame) -> None:
    present = set(np.unique(frame.map).tolist()) - {0}
    listed = {segment.id for segment in frame.segments}
    unlisted, absent = present - listed, listed - present
    if unlisted:
        raise UserError(
            f'{frame.place}: has id {min(unlisted)}, which segments_info of this frame does not '
            'list; list every id of the map, or set such pixels to 0'
        )
    raise UserError(
        f'{frame.place}: segments_info of this frame lists id {min(absent)}, which no pixel has; '
        'list only what is in the map'
    )


def count_pairs(
    truth: np.ndarray, pred: np.ndarray, truth_ids: np.ndarray, pred_ids: np.ndarray
) -> np.ndarray:
    """Pixels of each pair of ids in two maps.

    Runs of one pair in reading order are counted at once: there are a hundred times fewer of them
    than pixels.

    Args:
        truth: ids, (H, W).
        pred: ids, (H, W).
        truth_ids: G ascending ids from 1.
        pred_ids: P ascending ids from 1.

    Returns:
        (G + 2, P + 2); first and last are id 0 and all ids that are not given.
    """
    truth, pred = truth.ravel(), pred.ravel()
    changes = np.flatnonzero((truth[1:] != truth[:-1]) | (pred[1:] != pred[:-1])) + 1
    starts = np.concatenate(([0], changes))
    lengths = np.diff(starts, append=truth.size)
    shape = (len(truth_ids) + 2, len(pred_ids) + 2)
    pairs = _places(truth[starts], truth_ids) * shape[1] + _places(pred[starts], pred_ids)
    counts = np.bincount(pairs, lengths, shape[0] * shape[1])  # floats, exact below 2^53
    return counts.astype(np.int64).reshape(shape)


def _places(values: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """1 + the place of each value in the ids; 0 for 0, len(ids) + 1 for what is not there."""
    known = np.concatenate(([0], ids))
    places = np.searchsorted(known, values)
    found = known[np.minimum(places, len(ids))] == values
    return np.where(found, places, len(known))
