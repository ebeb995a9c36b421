"""The run-length code of Label Studio's brush: bits of words whose lengths the code itself says.

It is of all four channels of the picture, row by row. After 32 bits with the number of values, 5
with the length of a value and 4 x 4 with four lengths of counters (each length less one), there are
blocks: a bit that says whether one value is repeated or each has its own, two bits that choose a
length of counter, the counter (less one), and the value or values.
"""

import numpy as np

_CHANNELS, _ALPHA = 4, 3


def decode_brush(rle: bytes, height: int, width: int) -> np.ndarray:
    """The mask of a code: where the picture's alpha is not zero.

    Args:
        rle: the code.
        height: of the picture.
        width: of the picture.

    Returns:
        The mask, (H, W) bool.

    Raises:
        ValueError: the code is of another size, or broken.
    """
    bits = _Bits(rle)
    count, length = bits.number(32), bits.number(5) + 1
    counters = [bits.number(4) + 1 for _ in range(4)]
    if count != height * width * _CHANNELS:
        raise ValueError(
            f'a run-length code of {count} values; a picture of {width}x{height} has '
            f'{height * width * _CHANNELS} (4 a pixel)'
        )
    values = np.zeros(count, bool)
    done = 0
    while done < count:
        is_run = bits.number(1)
        stop = done + bits.number(counters[bits.number(2)]) + 1
        if stop > count:
            raise ValueError(f'a run-length code of more than its {count} values')
        if is_run:
            values[done:stop] = bits.number(length) != 0
        else:
            values[done:stop] = bits.words(stop - done, length).any(1)
        done = stop
    return values[_ALPHA::_CHANNELS].reshape(height, width)


class _Bits:
    """Bits of bytes, from the highest of the first on.

    Args:
        data: the bytes.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._place, self._end = data, 0, 8 * len(data)

    def number(self, length: int) -> int:
        """The number that the next bits are, of which there are at most 57."""
        start = self._take(length)
        window = int.from_bytes(self._data[start >> 3 : (start >> 3) + 8].ljust(8, b'\0'), 'big')
        return window >> (64 - (start & 7) - length) & ((1 << length) - 1)

    def words(self, count: int, length: int) -> np.ndarray:
        """The bits of the next words, (count, length)."""
        start = self._take(count * length)
        raw = np.frombuffer(self._data[start >> 3 : (self._place + 7) >> 3], np.uint8)
        first = start & 7
        return np.unpackbits(raw)[first : first + count * length].reshape(count, length)

    def _take(self, length: int) -> int:
        start = self._place
        self._place += length
        if self._place > self._end:
            raise ValueError('a run-length code that ends too early')
        return start
