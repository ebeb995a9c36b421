"""Tubes of run-length coded masks, their areas and their overlaps, without decoding a mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pycocotools.mask as coco_mask

#: Run-length codes are checked in batches of this many, which bounds the working memory.
_BATCH = 256


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
    frames = reach.max()
    area_d, size_d = _stack(detections, frames)  # (D, T)
    area_g, size_g = _stack(annotations, frames)  # (G, T)
    ratio = np.zeros((frames, *shape))
    for t in range(frames):
        rows, columns = np.flatnonzero(size_d[:, t]), np.flatnonzero(size_g[:, t])
        if len(rows) and len(columns):
            ratio[t][np.ix_(rows, columns)] = coco_mask.iou(
                [detections[i].rles[t] for i in rows],
                [annotations[j].rles[t] for j in columns],
                [0] * len(columns),
            )
    area = (area_d[:, None] + area_g).transpose(2, 0, 1)  # (T, D, G)
    both = ((size_d[:, None] > 0) & (size_g > 0)).transpose(2, 0, 1)
    comparable = (size_d[:, None] == size_g).transpose(2, 0, 1)
    ratio[~comparable] = 0
    area[both & ~comparable] = 0
    area[np.arange(frames)[:, None, None] >= reach] = 0
    # ratio = i / (a - i) gives i = a ratio / (1 + ratio); rounding restores the integer exactly.
    intersection = np.rint(area * ratio / (1 + ratio)).sum(axis=0)
    union = area.sum(axis=0) - intersection
    return np.divide(intersection, union, out=np.zeros(shape), where=union > 0)


def _stack(tubes: Sequence[Tube], frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Areas and sizes of the first frames of n tubes, (n, frames) each."""
    stacked = np.zeros((2, len(tubes), frames), np.int64)
    for row, tube in enumerate(tubes):
        stacked[0, row, : len(tube)] = tube.areas[:frames]
        stacked[1, row, : len(tube)] = tube.sizes[:frames]
    return stacked[0], stacked[1]


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
    numbers, lengths = _decode_numbers([_as_bytes(i, rle) for i, rle in enumerate(rles)])
    # All runs after the first come in pairs of ones and zeros, the last pair perhaps without
    # zeros; each run is coded as the difference to the same one of the pair before.
    starts = np.cumsum(lengths) - lengths
    pairs = lengths // 2
    stops = np.cumsum(pairs)
    owner = np.repeat(np.arange(len(rles)), pairs)
    at = 2 * np.arange(stops[-1]) + np.repeat(starts + 1 - 2 * (stops - pairs), pairs)
    ones = _cumsum_per_owner(numbers[at], owner, pairs)
    zeros = _cumsum_per_owner(np.append(numbers, 0)[at + 1], owner, pairs)
    unpaired = lengths % 2 == 0
    zeros[stops[unpaired] - 1] = 0
    for runs, of in ((numbers[starts], np.arange(len(rles))), (ones, owner), (zeros, owner)):
        _reject(of[runs < 0], 'has a negative run')
    areas = _sum_per_owner(ones, stops, pairs)
    totals = numbers[starts] + areas + _sum_per_owner(zeros, stops, pairs)
    pixels = np.array([height * width for height, width in (rle['size'] for rle in rles)])
    for index in np.flatnonzero(totals != pixels)[:1]:
        height, width = rles[index]['size']
        reason = f'covers {totals[index]} pixels, the size is [{height}, {width}]'
        raise MalformedRLE(int(index), reason)
    return areas


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


def _decode_numbers(counts: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """The numbers that many codes consist of.

    COCO writes a number in two's complement as a row of characters with 5 bits each, the least
    significant first, bit 5 set on all but the last, plus 48.

    Returns:
        The numbers of all codes in a row, (R,) int64, and how many each code has, (n,).
    """
    stops = np.cumsum([len(code) for code in counts])
    characters = np.frombuffer(b''.join(counts), np.uint8)
    outside = np.flatnonzero((characters < 48) | (characters > 111))
    _reject(np.searchsorted(stops, outside, side='right'), 'has a character that is no code')
    ends = characters < 80
    _reject(np.flatnonzero(~ends[stops - 1]), 'is cut off')
    last = np.flatnonzero(ends)
    width = np.diff(last, prepend=-1)
    bounds = np.searchsorted(last, stops)  # numbers up to the end of each code
    _reject(np.searchsorted(bounds, np.flatnonzero(width > 7), side='right'), 'has a huge run')

    bits = characters & 31 ^ 16  # 48 = 32 + 16
    numbers = (bits[last].astype(np.int64) ^ 16) - 16  # the most significant 5 bits have the sign
    longer = np.flatnonzero(width > 1)
    for digit in range(1, 8):
        numbers[longer] = numbers[longer] * 32 + bits[last[longer] - digit]
        longer = longer[width[longer] > digit + 1]
    return numbers, np.diff(bounds, prepend=0)


def _cumsum_per_owner(values: np.ndarray, owner: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Running sums that begin anew with each owner, who has ``sizes`` values in a row."""
    sums = np.append(0, np.cumsum(values))
    return sums[1:] - sums[np.cumsum(sizes) - sizes][owner]


def _sum_per_owner(values: np.ndarray, stops: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    sums = np.append(0, np.cumsum(values))
    return sums[stops] - sums[stops - sizes]


def _reject(indices: np.ndarray, reason: str) -> None:
    if len(indices):
        raise MalformedRLE(int(indices[0]), reason)
