"""Integer maps of many frames in little memory."""

import zlib
from collections.abc import Collection, Iterable, Sequence

import numpy as np

#: Pixels of no class where maps are reduced to some classes.
NO_CLASS = 65535


class CodedMaps(Sequence[np.ndarray]):
    """One map of whole numbers a frame, all of one size, compressed without loss.

    Maps of segments or classes are large areas of one value: they take about a hundredth of their
    size, so that those of a long video fit into memory.

    Args:
        maps: the first maps, each (H, W).

    Example:
        >>> maps = CodedMaps([np.zeros((4, 6), np.uint8)])
        >>> maps.append(np.ones((4, 6), np.uint8))
        >>> len(maps), int(maps[1].sum())
        (2, 24)
    """

    def __init__(self, maps: Iterable[np.ndarray] = ()) -> None:
        self._coded: list[tuple[np.dtype, tuple[int, ...], bytes]] = []
        for item in maps:
            self.append(item)

    def append(self, item: np.ndarray) -> None:
        """Keep the next frame's map, (H, W)."""
        data = zlib.compress(np.ascontiguousarray(item).tobytes(), 1)
        self._coded.append((item.dtype, item.shape, data))

    def __repr__(self) -> str:
        return f'CodedMaps({len(self)} maps, {self.nbytes} bytes)'

    def __len__(self) -> int:
        return len(self._coded)

    def __getitem__(self, frame: int) -> np.ndarray:
        dtype, shape, data = self._coded[frame]
        return np.frombuffer(zlib.decompress(data), dtype).reshape(shape)

    @property
    def nbytes(self) -> int:
        """Memory that the maps take."""
        return sum(len(data) for _, _, data in self._coded)


class ChosenMaps(Sequence[np.ndarray]):
    """The maps of some frames.

    Args:
        maps: of all frames.
        frames: indices of those that stay.

    Example:
        >>> ChosenMaps([np.array([[0]]), np.array([[1]])], [1])[0]
        array([[1]])
    """

    def __init__(self, maps: Sequence[np.ndarray], frames: Sequence[int]) -> None:
        self._maps, self._frames = maps, frames

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, frame: int) -> np.ndarray:
        return self._maps[self._frames[frame]]


class SelectedMaps(Sequence[np.ndarray]):
    """Maps in which only some values are left, made when they are asked for.

    Args:
        maps: maps of numbers from 0 to 65535, each (H, W).
        values: those that stay; all others become :data:`NO_CLASS`.

    Example:
        >>> SelectedMaps([np.array([[0, 1, 2]])], [2])[0]
        array([[65535, 65535,     2]], dtype=uint16)
    """

    def __init__(self, maps: Sequence[np.ndarray], values: Collection[int]) -> None:
        self._maps = maps
        self._table = np.full(NO_CLASS + 1, NO_CLASS, np.uint16)
        self._table[list(values)] = list(values)

    def __len__(self) -> int:
        return len(self._maps)

    def __getitem__(self, frame: int) -> np.ndarray:
        return self._table[self._maps[frame]]
