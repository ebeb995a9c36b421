"""From the values of pictures with more than 8 bits to those that a model sees.

A camera's 10, 12 or 14 bits lie in files of 16. All frames of a video are scaled alike: a scale of
each frame's own would flicker, and tell bright from dark no more.
"""

import math
from collections.abc import Callable, Iterable

import cv2
import numpy as np

from mmvseg.errors import UserError

#: The values that become 0 and 255.
ValueRange = tuple[float, float]

#: Bits of the sensors whose values are stored in 16.
_SENSOR_BITS = (8, 10, 12, 14, 16)
_WHOLE_RANGE = (0, 2**16 - 1)


def to_uint8(values: np.ndarray, value_range: ValueRange | None, where: str) -> np.ndarray:
    """Values as a model sees them.

    Args:
        values: of any type.
        value_range: what becomes 0 and 255; values beyond are cut off. By default, 8 bits stay,
            and 16 bits lose the lower eight.
        where: file, for the message.

    Raises:
        UserError: if there is no range and the type has none of its own.
    """
    if value_range is not None:
        low, high = value_range
        scale = 255 / (high - low)
        wide = values if values.dtype != np.int32 else values.astype(np.float64)
        return cv2.addWeighted(wide, scale, wide, 0, -low * scale, dtype=cv2.CV_8U)
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        return np.right_shift(values, 8, out=np.empty(values.shape, np.uint8), casting='unsafe')
    raise UserError(
        f'{where}: holds {values.dtype} values, and nothing says which of them are black and white '
        '(give --range LOW HIGH; for a data set, value_range=(LOW, HIGH) of LoadClip)'
    )


def check_range(value_range: ValueRange) -> None:
    """Refuse what is no range.

    Raises:
        UserError: if it is none.
    """
    low, high = value_range
    if not -math.inf < low < high < math.inf:
        raise UserError(
            f'the range of values {low:g} {high:g}: the first, which becomes black, must be less '
            'than the second'
        )


def choose_range(
    first: np.ndarray, all_frames: Callable[[], Iterable[np.ndarray]], name: str
) -> tuple[ValueRange | None, str]:
    """The range of a video: for 16 bits, the smallest of 8, 10, 12, 14 or 16 bits that holds it.

    Args:
        first: the first frame.
        all_frames: gives the values of all; asked for only if they have 16 bits.
        name: of the video.

    Returns:
        The range (None for 8 bits, and where all 16 are used), and a line that says so, if there is
        something to say.
    """
    if first.dtype != np.uint16:
        return None, ''
    peak = max(int(values.max()) for values in all_frames())
    value_range = sensor_range(peak)
    return (None if value_range == _WHOLE_RANGE else value_range), described(
        name, value_range, f'16-bit values up to {peak}: '
    )


def sensor_range(peak: int) -> tuple[int, int]:
    """The values of the smallest sensor that has a value as high as ``peak``."""
    bits = next(bits for bits in _SENSOR_BITS if peak < 2**bits)
    return 0, 2**bits - 1


def described(name: str, value_range: ValueRange, reason: str = '') -> str:
    """A line that says how a video was scaled."""
    low, high = value_range
    return f'{name}: {reason}{low:g} to {high:g} become 0 to 255 (--range LOW HIGH for others)'
