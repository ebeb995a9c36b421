"""The same panoptic masks linked over time as the ground truth links them."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mmvseg.evaluation.functional.panoptic_overlap import FrameOverlap


def is_linked_rightly(right: Sequence[Mapping[int, int]]) -> bool:
    """Whether each predicted id is right about one segment only, and each segment has one id.

    Args:
        right: row by column of the segments that match in each frame alone.
    """
    pairs = {pair for frame in right for pair in frame.items()}
    columns, rows = ({pair[i] for pair in pairs} for i in (0, 1))
    return len(columns) == len(rows) == len(pairs)


def relinked_frames(
    frames: Sequence[FrameOverlap], right: Sequence[Mapping[int, int]]
) -> Iterator[FrameOverlap]:
    """Link the masks of a video anew; the masks and their classes stay.

    A mask that matches a segment in its frame gets the segment's id. One that matches none goes
    with the match of its own id that is nearest in time, if the segment has no other mask in the
    frame; so ids that are right stay as they are. Masks of ids that never match stay, too.

    Args:
        frames: of the video, in order of time.
        right: row by column of the segments that match in each frame alone.

    Yields:
        The frames, with other columns.
    """
    for frame, links in zip(frames, _links(frames, right), strict=True):
        rows, columns = frame.counts.shape
        # Column of an id of the ground truth is its row; ids that are linked to none come behind.
        new = {column: links.get(column, rows + column) for column in frame.pred}
        counts = np.zeros((rows, rows + columns), np.int64)
        counts[:, [0, *new.values()]] = frame.counts[:, [0, *new]]
        pred = {new[column]: segment for column, segment in frame.pred.items()}
        yield FrameOverlap(counts, frame.truth, frame.areas, pred)


def _links(
    frames: Sequence[FrameOverlap], right: Sequence[Mapping[int, int]]
) -> Iterator[dict[int, int]]:
    """The row that each column goes to in each frame, where it goes to one."""
    matched_in: dict[int, list[int]] = defaultdict(list)
    for t, pairs in enumerate(right):
        for column in pairs:
            matched_in[column].append(t)
    for t, frame in enumerate(frames):
        links = dict(right[t])
        wanted = []
        for column in frame.pred:
            if column in matched_in and column not in links:
                row = right[nearest(matched_in[column], t)][column]
                wanted.append((int(frame.counts[row, column]), column, row))
        taken = {*links.values()}
        for _, column, row in sorted(wanted, reverse=True):
            if row not in taken:
                links[column] = row
                taken.add(row)
        yield links


def nearest(ascending: Sequence[int], value: int) -> int:
    """The nearest number, of two the smaller."""
    place = bisect_left(ascending, value)
    return min(ascending[max(place - 1, 0) : place + 1], key=lambda other: abs(other - value))
