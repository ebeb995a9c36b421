"""Keeps one tensor a frame until the end of a video, in memory as far as allowed, then on disk."""

import zlib
from collections.abc import Iterator
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor

from mmvseg.ops import upload
from mmvseg.spill_file import SpillFile

from .query_masks import REACH


class Codec(Protocol):
    """How a tensor becomes bytes on disk."""

    def encode(self, tensor: Tensor) -> bytes:
        """The tensor (Q, ...) as bytes."""

    def decode(self, data: bytes, shape: torch.Size, queries: Tensor | None) -> Tensor:
        """:meth:`select` of the tensor of that shape that became the bytes."""

    def select(self, tensor: Tensor, queries: Tensor | None) -> Tensor:
        """Entries ``queries`` (n,), or all, of a frame's tensor."""
        return tensor if queries is None else tensor[queries]

    def settle(self) -> None:
        """Called after the last frame of a video was selected: raise what was wrong with any."""


class RawCodec(Codec):
    """Values as they are.

    Args:
        dtype: on disk; one that holds the tensors' values.
    """

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        self.dtype = dtype

    def encode(self, tensor: Tensor) -> bytes:
        """The values in order."""
        return tensor.to(self.dtype).contiguous().cpu().numpy().tobytes()

    def decode(self, data: bytes, shape: torch.Size, queries: Tensor | None) -> Tensor:
        """The same values."""
        tensor = torch.frombuffer(bytearray(data), dtype=self.dtype).view(shape)
        return self.select(tensor, None if queries is None else queries.cpu())


class MaskCodec(Codec):
    """Mask logits, of which only what their masks at any resolution depend on is kept.

    A pixel of the final mask is a weighted mean of at most ``REACH + 1`` cells an axis, so where
    all cells around have one sign, their size does not matter. Everywhere else the logit is kept as
    it is: the final masks are the same, at about a thirtieth of the space.
    """

    def encode(self, tensor: Tensor) -> bytes:
        """Signs of logits (Q, h, w), compressed, and the logits near a change of sign."""
        logits = tensor.float().cpu().numpy()
        positive = logits > 0
        near = _near_change(positive)
        signs = zlib.compress(np.packbits(positive).tobytes(), 1)
        counts = near.sum((1, 2), dtype=np.int32)
        return b''.join(
            [np.int64(len(signs)).tobytes(), signs, counts.tobytes(), logits[near].tobytes()]
        )

    def decode(self, data: bytes, shape: torch.Size, queries: Tensor | None) -> Tensor:
        """Logits whose final masks equal those of the encoded ones."""
        end = 8 + int(np.frombuffer(data, np.int64, count=1)[0])
        bits = np.frombuffer(zlib.decompress(data[8:end]), np.uint8)
        positive = np.unpackbits(bits, count=shape.numel()).reshape(shape).view(bool)
        counts = np.frombuffer(data, np.int32, count=shape[0], offset=end)
        values = np.frombuffer(data, np.float32, offset=end + counts.nbytes)
        by_query = np.split(values, np.cumsum(counts)[:-1])
        chosen = list(range(shape[0])) if queries is None else queries.tolist()
        positive = positive[chosen]
        logits = np.where(positive, np.float32(1), np.float32(-1))
        kept = [by_query[query] for query in chosen]
        logits[_near_change(positive)] = np.concatenate([*kept, np.zeros(0, np.float32)])
        return torch.from_numpy(logits)


def _near_change(positive: np.ndarray) -> np.ndarray:
    """Cells (Q, h, w) within ``REACH`` of a cell of the other sign."""
    kernel = np.ones((2 * REACH + 1,) * 2, np.uint8)
    near = np.zeros(positive.shape, bool)
    for plane, signs in zip(near, positive.view(np.uint8), strict=True):
        # At the border OpenCV repeats no cell here: outside counts as neither sign.
        plane[:] = cv2.dilate(signs, kernel) != cv2.erode(signs, kernel)
    return near


class FrameStore:
    """One tensor a frame, all of one shape.

    Args:
        memory_limit: bytes of tensors that stay in memory; the frames beyond go to a temporary
            file.
        codec: how they are written there.

    Example:
        >>> store = FrameStore(memory_limit=0, codec=RawCodec())
        >>> store.append(torch.arange(3.0))
        >>> store[0]
        tensor([0., 1., 2.])
    """

    def __init__(self, memory_limit: int, codec: Codec) -> None:
        self.memory_limit = memory_limit
        self.codec = codec
        self._in_memory: list[Tensor] = []
        self._on_disk = SpillFile()

    def __len__(self) -> int:
        return len(self._in_memory) + len(self._on_disk)

    def append(self, tensor: Tensor) -> None:
        """Keep the next frame's tensor.

        Raises:
            UserError: the disk for temporary files is full.
        """
        used = len(self._in_memory) * tensor.nbytes
        if not len(self._on_disk) and used + tensor.nbytes <= self.memory_limit:
            # A view would keep the whole window alive.
            self._in_memory.append(tensor.clone())
            return
        self._shape, self._device = tensor.shape, tensor.device
        self._on_disk.append(self.codec.encode(tensor), frame=len(self))

    def __getitem__(self, frame: int) -> Tensor:
        return self.select(frame)

    def select(self, frame: int, queries: Tensor | None = None) -> Tensor:
        """What the codec selects of a frame's tensor: entries ``queries`` (n,), or all."""
        if frame < len(self._in_memory):
            return self.codec.select(self._in_memory[frame], queries)
        data = self._on_disk[frame - len(self._in_memory)]
        return upload(self.codec.decode(data, self._shape, queries), self._device)

    def __iter__(self) -> Iterator[Tensor]:
        return self.frames()

    def frames(self, queries: Tensor | None = None) -> Iterator[Tensor]:
        """:meth:`select` of one frame after the other."""
        for frame in range(len(self)):
            yield self.select(frame, queries)
        self.codec.settle()
