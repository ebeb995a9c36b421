"""Masks of annotation files, in any of their three spellings, as compressed run-length codes."""

import numpy as np
from pycocotools import mask as coco_mask


def to_rle(segmentation: dict | list, height: int, width: int) -> dict:
    """Compressed RLE of a mask given as compressed or uncompressed RLE or as polygons.

    Args:
        segmentation: one frame's entry of an annotation.
        height: of the video, in pixels; polygons are drawn and RLE sizes compared with it.
        width: of the video, in pixels.

    Returns:
        ``dict(size=[H, W], counts=bytes)``.

    Raises:
        ValueError: with the rule that the entry breaks.
    """
    if isinstance(segmentation, list):
        return _from_polygons(segmentation, height, width)
    if not isinstance(segmentation, dict) or not {'size', 'counts'} <= set(segmentation):
        raise ValueError('neither an RLE with size and counts nor a list of polygons')
    size, counts = segmentation['size'], segmentation['counts']
    if size not in ([height, width], (height, width)):
        raise ValueError(f'RLE size {size} is not the video size [{height}, {width}]')
    if isinstance(counts, str):
        if not counts.isascii():
            raise ValueError('RLE counts hold a character that no RLE has')
        return dict(size=[height, width], counts=counts.encode('ascii'))
    return _from_runs(counts, height, width)


def check_rle(rle: dict) -> None:
    """Make sure that the runs of a compressed RLE fill its frame: pycocotools does not.

    Raises:
        ValueError: if they do not.
    """
    height, width = rle['size']
    runs = rle_runs(rle['counts'])
    if (runs < 0).any() or runs.sum() != height * width:
        raise ValueError(f'RLE runs do not add up to the {height} x {width} pixels of the frame')


def rle_runs(counts: bytes) -> np.ndarray:
    """Lengths of the alternating runs, zeros first, of a compressed code, (n,) int64.

    Raises:
        ValueError: if the code is no code.
    """
    codes = np.frombuffer(counts, np.uint8).astype(np.int64) - 48
    # Six bits a character: five of value, one that says that more follow.
    ends = np.flatnonzero((codes & 0x20) == 0)
    if len(codes) == 0 or len(ends) == 0 or ends[-1] != len(codes) - 1:
        raise ValueError('RLE counts end in the middle of a number')
    if codes.min() < 0 or codes.max() > 63:
        raise ValueError('RLE counts hold a character that no RLE has')
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 7:
        raise ValueError('RLE counts hold a number that is too large')
    shift = 5 * (np.arange(len(codes)) - np.repeat(starts, lengths))
    values = np.add.reduceat((codes & 0x1F) << shift, starts)
    values -= np.where(codes[ends] & 0x10, 1 << (5 * lengths), 0)
    # From the fourth run on the difference to the run two before is stored.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def decode_masks(rles: list[dict], height: int, width: int) -> np.ndarray:
    """Dense masks, (N, H, W) uint8.

    Raises:
        ValueError: if a code does not fill its frame.
    """
    if not rles:
        return np.zeros((0, height, width), np.uint8)
    for rle in rles:
        check_rle(rle)
    return np.ascontiguousarray(coco_mask.decode(rles).transpose(2, 0, 1))


def _from_runs(counts: list, height: int, width: int) -> dict:
    runs = np.asarray(counts if isinstance(counts, list) else [-1])
    if runs.ndim != 1 or not np.issubdtype(runs.dtype, np.integer) or (runs < 0).any():
        raise ValueError('RLE counts are neither a string nor a list of integers >= 0')
    if runs.sum() != height * width:
        raise ValueError(f'RLE counts add up to {runs.sum()}, not to {height} x {width} pixels')
    return coco_mask.frPyObjects(dict(size=[height, width], counts=counts), height, width)


def _from_polygons(polygons: list, height: int, width: int) -> dict:
    if not polygons:
        raise ValueError('empty list of polygons (an absent object is null)')
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise ValueError('a polygon needs an even number of at least 6 coordinates')
        points = np.asarray(polygon)
        if not np.issubdtype(points.dtype, np.number) or not np.isfinite(points).all():
            raise ValueError('a polygon coordinate is not a number')
        # pycocotools walks along every edge: a wild coordinate would take all memory.
        if np.abs(points).max() > 10 * max(height, width):
            raise ValueError('a polygon reaches far outside of the frame')
    return coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
