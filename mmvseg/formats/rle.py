"""Masks in files: run-length codes and polygons, made compressed run-length codes and checked.

A compressed code of COCO is ``dict(size=[H, W], counts=bytes)``. Its numbers are the lengths of
alternating runs, zeros first, down the columns; from the fourth on each is stored as the difference
to the run two before.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct
from pycocotools import mask as coco_mask

from mmvseg.errors import counted

from .json_files import Side, Text

Size = Annotated[
    list[Side], Meta(min_length=2, max_length=2, description='[height, width] in pixels')
]
#: Codes are checked in batches of this many, which bounds the working memory.
_BATCH = 256
#: How far a polygon may lie outside of the frame, in longer sides of it: pycocotools walks along
#: every edge, and a wild coordinate would take all memory.
_REACH = 10


class RunLengthCode(Struct, gc=False):
    """A mask as the lengths of its runs, compressed to a text or as they are."""

    size: Size
    counts: Text | list[int]


class CompressedCode(Struct, gc=False):
    """A mask as results have it."""

    size: Size
    counts: Annotated[str, Meta(description='a text, a compressed run-length code')]


class MalformedRLE(ValueError):
    """A run-length code that describes no mask.

    Args:
        index: position of the code in the list that was read.
        reason: the rule that it breaks.
    """

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f'the run-length code {reason}')
        self.index = index
        self.reason = reason


def to_rle(segmentation: RunLengthCode | list, size: list[int]) -> dict:
    """Compressed code of a mask of an annotation; what a compressed text holds is not checked.

    Args:
        segmentation: one frame's entry of an annotation.
        size: ``[height, width]`` of the video; the codes of a video share this list.

    Raises:
        ValueError: with the rule that the entry breaks.

    Example:
        >>> to_rle(RunLengthCode([2, 3], [1, 2, 3]), [2, 3])  # runs of 0, 1, 0 down the columns
        {'size': [2, 3], 'counts': b'123'}
        >>> square = to_rle([[0, 0, 2, 0, 2, 2, 0, 2]], [3, 4])  # a polygon x, y, x, y, ...
        >>> decode_masks([square], 3, 4)
        array([[[1, 1, 0, 0],
                [1, 1, 0, 0],
                [0, 0, 0, 0]]], dtype=uint8)
    """
    if isinstance(segmentation, list):
        return _from_polygons(segmentation, *size)
    if segmentation.size != size:
        raise ValueError(f'the size {segmentation.size} is not the video size {size}')
    if isinstance(segmentation.counts, list):
        return _from_runs(segmentation.counts, *size)
    return compressed(segmentation.counts, size)


def compressed(counts: str, size: list[int]) -> dict:
    """A compressed code as pycocotools takes it.

    Raises:
        ValueError: it holds a character that no code has.
    """
    if not counts.isascii():
        raise ValueError('the run-length code has a character that is not ASCII')
    return dict(size=size, counts=counts.encode('ascii'))


def _from_runs(counts: list[int], height: int, width: int) -> dict:
    total = sum(counts)
    if total != height * width or min(counts) < 0:
        raise ValueError(
            f'the runs must be non-negative integers with sum {height}*{width}, the video size'
        )
    return coco_mask.frPyObjects(dict(size=[height, width], counts=counts), height, width)


def _from_polygons(polygons: list[list[float]], height: int, width: int) -> dict:
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2:
            raise ValueError('a polygon must be a list [x1, y1, …] of at least 3 points')
        if max(map(abs, polygon)) > _REACH * max(height, width):
            raise ValueError('a polygon reaches far outside of the frame')
    return coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))


def decode_masks(rles: list[dict], height: int, width: int) -> np.ndarray:
    """Dense masks of checked codes, (N, H, W) uint8."""
    if not rles:
        return np.zeros((0, height, width), np.uint8)
    return np.ascontiguousarray(coco_mask.decode(rles).transpose(2, 0, 1))


def decode_runs(rles: Sequence[dict]) -> Iterator[np.ndarray]:
    """Lengths of the alternating runs of compressed codes, zeros first, (r,) int64 each.

    Raises:
        MalformedRLE: for the first broken code.
    """
    if not rles:
        return
    numbers, lengths = _decode_numbers([_as_bytes(i, rle) for i, rle in enumerate(rles)])
    for index, runs in enumerate(np.split(numbers, np.cumsum(lengths)[:-1])):
        for first in (1, 2):  # coded as the difference to the run two before
            np.cumsum(runs[first::2], out=runs[first::2])
        height, width = rles[index]['size']
        if runs.min() < 0 or runs.sum() != height * width:
            raise MalformedRLE(index, f'has no runs that make up the size [{height}, {width}]')
        yield runs


def rle_areas(rles: Sequence[dict]) -> np.ndarray:
    """Pixels of compressed run-length codes, (n,) int64, each code being checked.

    pycocotools reads beyond the end of a truncated code or never returns, hence the check.

    Raises:
        MalformedRLE: for the first broken code.

    Example:
        >>> rle_areas([dict(size=[2, 3], counts=b'123')])
        array([2])
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
        reason = f'covers {counted(totals[index], "pixels")}, the size is [{height}, {width}]'
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
