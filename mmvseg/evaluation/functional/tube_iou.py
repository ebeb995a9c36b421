"""Tubes of run-length coded masks, their areas and their overlaps, without decoding a mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pycocotools.mask as coco_mask

#: Run-length codes are checked in batches of this many, which bounds the working memory.
_BATCH = 512


class MalformedRLE(ValueError):
    """A run-length code that describes no mask.

    Args:
        index: position of the code in the list that was read.
        reason: the rule that it breaks.
    """

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f'run-length code {index}: {reason}')
        self.index = index
        self.reason = reason


@dataclass
class Tube:
    """The masks of one object over a video.

    Attributes:
        rles: compressed COCO run-length code of each frame, None where the object is absent.
        areas: pixels of each mask, 0 where absent, (T,) int64.
        sizes: height * 2**32 + width of each mask, 0 where absent, (T,) int64.
    """

    rles: list[dict | None]
    areas: np.ndarray
    sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.rles)


def make_tubes(tracks: Sequence[list[dict | None]]) -> list[Tube]:
    """Tubes of the run-length codes of several objects.

    Raises:
        MalformedRLE: for a broken code; its index counts the codes of all tracks, absent frames
            left out.
    """
    areas = rle_areas([rle for track in tracks for rle in track if rle is not None])
    tubes = []
    start = 0
    for track in tracks:
        present = np.array([rle is not None for rle in track], dtype=bool)
        tube = Tube(track, np.zeros(len(track), np.int64), np.zeros(len(track), np.int64))
        stop = start + int(present.sum())
        tube.areas[present] = areas[start:stop]
        sizes = [rle['size'] for rle in track if rle is not None]
        tube.sizes[present] = [(height << 32) + width for height, width in sizes]
        tubes.append(tube)
        start = stop
    return tubes


def tube_iou(detections: Sequence[Tube], annotations: Sequence[Tube]) -> np.ndarray:
    """Intersection over union of every detection with every annotation, (D, G) in [0, 1].

    Both are sums over the frames, up to the end of the shorter tube; a frame where only one of
    the two is present adds its area to the union, a frame where the masks differ in size adds
    nothing. Without any union the value is 0.
    """
    shape = (len(detections), len(annotations))
    if 0 in shape:
        return np.zeros(shape)
    reach = np.minimum.outer([len(d) for d in detections], [len(g) for g in annotations])
    total = _area_until(detections, reach) + _area_until(annotations, reach.T).T
    intersection = np.zeros(shape, np.int64)
    for frame in range(reach.max()):
        rows = _present(detections, frame)
        columns = _present(annotations, frame)
        if len(rows) == 0 or len(columns) == 0:
            continue
        at = np.ix_(rows, columns)
        common, incomparable = _frame_intersection(
            [detections[i] for i in rows], [annotations[j] for j in columns], frame
        )
        intersection[at] += common
        total[at] -= incomparable
    union = total - intersection
    return np.divide(intersection, union, out=np.zeros(shape), where=union > 0)


def _present(tubes: Sequence[Tube], frame: int) -> list[int]:
    return [i for i, tube in enumerate(tubes) if frame < len(tube) and tube.rles[frame] is not None]


def _area_until(tubes: Sequence[Tube], reach: np.ndarray) -> np.ndarray:
    """Area of each tube over its first ``reach`` frames, (n, m) for ``reach`` (n, m)."""
    area = np.empty(reach.shape, np.int64)
    for row, (tube, frames) in enumerate(zip(tubes, reach, strict=True)):
        area[row] = np.concatenate([[0], np.cumsum(tube.areas)])[frames]
    return area


def _frame_intersection(
    detections: list[Tube], annotations: list[Tube], frame: int
) -> tuple[np.ndarray, np.ndarray]:
    """Common pixels of all pairs in a frame, and the area of the pairs that differ in size."""
    ratio = coco_mask.iou(
        [d.rles[frame] for d in detections],
        [g.rles[frame] for g in annotations],
        [0] * len(annotations),
    )
    area = np.add.outer([d.areas[frame] for d in detections], [g.areas[frame] for g in annotations])
    differ = np.not_equal.outer(
        [d.sizes[frame] for d in detections], [g.sizes[frame] for g in annotations]
    )
    # iou = i / (a - i) gives i = a iou / (1 + iou); rounding restores the integer exactly.
    ratio[differ] = 0
    common = np.rint(ratio * area / (1 + ratio)).astype(np.int64)
    return common, np.where(differ, area, 0)


def rle_areas(rles: Sequence[dict]) -> np.ndarray:
    """Pixels of compressed run-length codes, (n,) int64, each code being checked.

    pycocotools reads beyond the end of a truncated code or never returns, hence the check.

    Raises:
        MalformedRLE: for the first broken code.
    """
    parts = [np.zeros(0, np.int64)]
    for start in range(0, len(rles), _BATCH):
        try:
            parts.append(_batch_areas(rles[start : start + _BATCH]))
        except MalformedRLE as error:
            raise MalformedRLE(start + error.index, error.reason) from None
    return np.concatenate(parts)


def _batch_areas(rles: Sequence[dict]) -> np.ndarray:
    runs, owner, position = _decode_runs([_as_bytes(i, rle) for i, rle in enumerate(rles)])
    _reject(owner[runs < 0], 'has a negative run')
    totals = np.bincount(owner, weights=runs, minlength=len(rles)).astype(np.int64)
    pixels = np.array([height * width for height, width in (rle['size'] for rle in rles)])
    wrong = np.flatnonzero(totals != pixels)
    if len(wrong):
        index = wrong[0]
        height, width = rles[index]['size']
        reason = f'its runs cover {totals[index]} pixels, its size is [{height}, {width}]'
        raise MalformedRLE(int(index), reason)
    ones = position % 2 == 1
    return np.bincount(owner[ones], weights=runs[ones], minlength=len(rles)).astype(np.int64)


def _as_bytes(index: int, rle: dict) -> bytes:
    counts = rle['counts']
    if isinstance(counts, str):
        try:
            counts = counts.encode('ascii')
        except UnicodeEncodeError:
            raise MalformedRLE(index, 'has a character that is not ASCII') from None
    if not counts:
        raise MalformedRLE(index, 'is empty')
    return counts


def _decode_runs(counts: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run lengths of many codes at once.

    COCO's code: a number is a row of characters with 5 bits each, least significant first, bit 5
    set on all but the last, two's complement; from the fourth run on it is the difference to the
    run before the previous one.

    Returns:
        For every run its length, the code that it belongs to and its position therein, (R,) each.
    """
    stops = np.cumsum([len(code) for code in counts])
    bits = np.frombuffer(b''.join(counts), np.uint8).astype(np.int64) - 48
    outside = np.flatnonzero((bits < 0) | (bits > 63))
    _reject(np.searchsorted(stops, outside, side='right'), 'has a character that is no code')
    more = (bits & 32) > 0
    _reject(np.flatnonzero(more[stops - 1]), 'is cut off')
    last = np.flatnonzero(~more)
    first = np.concatenate([[0], last[:-1] + 1])
    width = last - first + 1
    owner = np.searchsorted(stops, last, side='right')
    _reject(owner[width > 7], 'has a run of more than 32 bits')

    digit = np.arange(len(bits)) - np.repeat(first, width)
    runs = np.add.reduceat((bits & 31) << (5 * digit), first)
    runs -= np.where(bits[last] & 16, 1 << (5 * width), 0)
    position = np.arange(len(runs)) - np.searchsorted(owner, np.arange(len(counts)))[owner]
    for chain in (position % 2 == 1, (position % 2 == 0) & (position > 0)):
        runs[chain] = _cumsum_per_owner(runs[chain], owner[chain])
    return runs, owner, position


def _cumsum_per_owner(values: np.ndarray, owner: np.ndarray) -> np.ndarray:
    sums = np.cumsum(values)
    start = np.searchsorted(owner, owner)
    return sums - (sums - values)[start]


def _reject(indices: np.ndarray, reason: str) -> None:
    if len(indices):
        raise MalformedRLE(int(indices[0]), reason)
