"""The masks of one track in all frames, however they are kept: coded, or as values of maps."""

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from pycocotools import mask as mask_api
from scipy import ndimage


class Tube(Protocol):
    """Masks of a track, one a frame; nothing dense is kept."""

    def __len__(self) -> int:
        """Frames of the video."""
        ...

    def __getitem__(self, frame: int) -> dict | None:
        """COCO run-length code in a frame; None where there is nothing."""
        ...

    def dense(self, frame: int) -> np.ndarray:
        """Mask in a frame, (H, W) bool."""
        ...

    def extents(self) -> tuple[np.ndarray, np.ndarray]:
        """Boxes, xyxy in pixels, (T, 4) float32, NaN where there is nothing; areas, (T,) int."""
        ...


class CodedTube(Sequence[dict | None]):
    """Of run-length codes.

    Args:
        codes: one a frame, None where the object is absent.
        size: (height, width) of the frames.
    """

    def __init__(self, codes: Sequence[dict | None], size: tuple[int, int]) -> None:
        self._codes, self._size = codes, size

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, frame: int) -> dict | None:
        return self._codes[frame]

    def dense(self, frame: int) -> np.ndarray:
        """See :class:`Tube`."""
        code = self._codes[frame]
        return np.zeros(self._size, bool) if code is None else mask_api.decode(code).astype(bool)

    def extents(self) -> tuple[np.ndarray, np.ndarray]:
        """See :class:`Tube`."""
        boxes, areas = no_extents(len(self))
        frames = [frame for frame, code in enumerate(self._codes) if code is not None]
        if frames:
            codes = [self._codes[frame] for frame in frames]
            # given a list of more than 255 codes, area fails with NumPy 2
            areas[frames] = [mask_api.area(code) for code in codes]
            x, y, width, height = mask_api.toBbox(codes).T
            boxes[frames] = np.stack([x, y, x + width, y + height], axis=1)
            boxes[areas == 0] = np.nan
        return boxes, areas


class MapExtents:
    """Where the values of maps lie, found for all of them in one pass when first asked for.

    Args:
        maps: numbers of each pixel, T maps (H, W).
        count: only the values below it matter.
    """

    def __init__(self, maps: Sequence[np.ndarray], count: int) -> None:
        self._maps, self._count = maps, count

    @cached_property
    def _all(self) -> tuple[np.ndarray, np.ndarray]:
        """Boxes, (count, T, 4) float32, and areas, (count, T)."""
        length = len(self._maps)
        boxes = np.full((self._count, length, 4), np.nan, np.float32)
        areas = np.zeros((self._count, length), np.int64)
        for frame, values in enumerate(self._maps):
            areas[:, frame] = np.bincount(values.ravel(), minlength=self._count)[: self._count]
            numbers = values.astype(np.int32) + 1  # 0 would be nothing
            found = ndimage.find_objects(numbers, max_label=self._count)
            for value, box in enumerate(found):
                if box is not None:
                    rows, columns = box
                    boxes[value, frame] = columns.start, rows.start, columns.stop, rows.stop
        return boxes, areas

    def of(self, value: int) -> tuple[np.ndarray, np.ndarray]:
        """Boxes, (T, 4), and areas, (T,), of one value."""
        boxes, areas = self._all
        return boxes[value], areas[value]


class MapTube(Sequence[dict | None]):
    """Of the pixels that have one value; the codes are made when they are asked for.

    Args:
        maps: numbers of each pixel, T maps (H, W).
        value: the track's.
        known: of the same maps; shared by all tracks.
    """

    def __init__(self, maps: Sequence[np.ndarray], value: int, known: MapExtents) -> None:
        self._maps, self._value, self._known = maps, value, known

    def __len__(self) -> int:
        return len(self._maps)

    def __getitem__(self, frame: int) -> dict | None:
        mask = self.dense(frame)
        return mask_api.encode(np.asfortranarray(mask, np.uint8)) if mask.any() else None

    def dense(self, frame: int) -> np.ndarray:
        """See :class:`Tube`."""
        return self._maps[frame] == self._value

    def extents(self) -> tuple[np.ndarray, np.ndarray]:
        """See :class:`Tube`."""
        return self._known.of(self._value)


def no_extents(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and areas of a track that is nowhere."""
    return np.full((length, 4), np.nan, np.float32), np.zeros(length, np.int64)
