"""The masks of a frame as bits: eight of them share a picture, and are moved by one operation."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import mmcv
import numpy as np

from mmvseg.formats.rle import decode_runs

_BITS = 8


@dataclass(frozen=True)
class BitMasks:
    """N masks of one size.

    Attributes:
        planes: eight masks each, (P, H, W) uint8.
        bits: which bit of all planes each mask is, counted from the lowest of the first, (N,).

    Example:
        >>> dense = np.zeros((2, 2, 3), bool)
        >>> dense[0, :, 0] = dense[1, 0] = True
        >>> masks = BitMasks.from_dense(dense)
        >>> len(masks), masks.size, masks.planes.nbytes  # eight masks would take no more
        (2, (2, 3), 6)
        >>> masks.select(np.array([1])).dense().astype(int)
        array([[[1, 1, 1],
                [0, 0, 0]]])
    """

    planes: np.ndarray
    bits: np.ndarray

    @classmethod
    def from_dense(cls, masks: np.ndarray) -> 'BitMasks':
        """Of masks (N, H, W), whatever is not 0 being inside."""
        return cls(np.packbits(masks, axis=0, bitorder='little'), np.arange(len(masks)))

    @classmethod
    def from_codes(cls, rles: list[dict], height: int, width: int) -> 'BitMasks':
        """Of compressed run-length codes of this size.

        Raises:
            MalformedRLE: for the first broken code.
        """
        # Runs go down the columns: a plane is filled lying, then turned.
        lying = np.zeros((_num_planes(len(rles)), width, height), np.uint8)
        for index, runs in enumerate(decode_runs(rles)):
            values = np.zeros(len(runs), np.uint8)
            values[1::2] = 1 << index % _BITS
            lying[index // _BITS] |= np.repeat(values, runs).reshape(width, height)
        planes = np.empty((len(lying), height, width), np.uint8)
        for plane, turned in zip(planes, lying, strict=True):
            cv2.transpose(turned, plane)
        return cls(planes, np.arange(len(rles)))

    @classmethod
    def from_map(cls, ids: np.ndarray, shown: np.ndarray) -> 'BitMasks':
        """Of a map (H, W): one mask for each of the ids in ``shown``, (N,)."""
        planes = np.zeros((_num_planes(len(shown)), *ids.shape), np.uint8)
        for index, number in enumerate(shown):
            planes[index // _BITS] |= (ids == number).view(np.uint8) << index % _BITS
        return cls(planes, np.arange(len(shown)))

    def __len__(self) -> int:
        return len(self.bits)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.planes.shape[1:]

    def select(self, keep: np.ndarray) -> 'BitMasks':
        """Some of the masks, by indices or by a boolean for each."""
        return BitMasks(self.planes, self.bits[keep])

    def resized(self, size: tuple[int, int], backend: str) -> 'BitMasks':
        """At another (height, width), nearest pixel; backend: of ``mmcv.imresize``."""

        def resize(plane: np.ndarray) -> np.ndarray:
            return mmcv.imresize(plane, size[::-1], interpolation='nearest', backend=backend)

        return self._moved(resize, size)

    def cropped(self, rows: slice, columns: slice) -> 'BitMasks':
        """The part in a window."""
        return BitMasks(self.planes[:, rows, columns], self.bits)

    def flipped(self) -> 'BitMasks':
        """Mirrored left to right."""
        return self._moved(lambda plane: cv2.flip(plane, 1), self.size)

    def warped(self, matrix: np.ndarray) -> 'BitMasks':
        """Under an affine map (2, 3) of the pixels, nearest pixel; what comes in is empty."""
        height, width = self.size

        def warp(plane: np.ndarray) -> np.ndarray:
            return cv2.warpAffine(plane, matrix, (width, height), flags=cv2.INTER_NEAREST)

        return self._moved(warp, self.size)

    def are_visible(self) -> np.ndarray:
        """Whether each mask has a pixel, (N,) bool."""
        return self._of_masks(np.bitwise_or.reduce(self.planes, axis=(1, 2))).astype(bool)

    def boxes(self) -> np.ndarray:
        """xyxy box of each mask, (N, 4) float32; of masks that have a pixel."""
        columns = self._of_masks(np.bitwise_or.reduce(self.planes, axis=1)).astype(bool)  # (N, W)
        rows = self._of_masks(np.bitwise_or.reduce(self.planes, axis=2)).astype(bool)  # (N, H)
        (left, right), (top, bottom) = _ends(columns), _ends(rows)
        return np.stack([left, top, right, bottom], 1).astype(np.float32)

    def dense(self) -> np.ndarray:
        """Each on its own, 0 or 1, (N, H, W) uint8."""
        masks = np.empty((len(self), *self.size), np.uint8)
        for mask, bit in zip(masks, self.bits.tolist(), strict=True):
            np.right_shift(self.planes[bit // _BITS], bit % _BITS, out=mask)
            np.bitwise_and(mask, 1, out=mask)
        return masks

    def _of_masks(self, planes: np.ndarray) -> np.ndarray:
        """The bit of each mask in something (P, ...) of the planes, (N, ...)."""
        bits = (self.bits % _BITS).astype(np.uint8).reshape(-1, *[1] * (planes.ndim - 1))
        return planes[self.bits // _BITS] >> bits & 1

    def _moved(self, move: Callable[[np.ndarray], np.ndarray], size: tuple[int, int]) -> 'BitMasks':
        planes = np.empty((len(self.planes), *size), np.uint8)
        for moved, plane in zip(planes, self.planes, strict=True):
            moved[:] = move(plane)
        return BitMasks(planes, self.bits)


def _num_planes(count: int) -> int:
    return -(-count // _BITS)


def _ends(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and behind the last True of each row (N, L)."""
    return inside.argmax(1), inside.shape[1] - inside[:, ::-1].argmax(1)
