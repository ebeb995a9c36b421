"""Pictures in memory as models take them: arrays, tensors and pictures of Pillow become RGB."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmvseg.errors import UserError

from .frame_source import Frame
from .images import read_values

#: Pillow's modes of 8 bits a channel; the others hold numbers whose range is not known.
_EIGHT_BIT_MODES = frozenset(
    {'1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA', 'RGBX', 'CMYK', 'YCbCr', 'LAB', 'HSV'}
)
_SHAPES = '(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)'


def read_frame(given: Any, where: str) -> tuple[np.ndarray, float | None]:
    """One of the frames that a user hands over.

    Args:
        given: a picture as :func:`to_rgb` takes it, the path of one, or a :class:`Frame`.
        where: the frame, for messages.

    Returns:
        RGB uint8, (H, W, 3), and the time in seconds where it is known.

    Raises:
        UserError: if it is none of these, or cannot be read.
    """
    if isinstance(given, Frame):
        return to_rgb(given.image, where), given.seconds
    if isinstance(given, str | Path):
        given = read_values(given)
    return to_rgb(given, where), None


def to_rgb(picture: Any, where: str) -> np.ndarray:
    """A picture as RGB uint8, (H, W, 3).

    Taken are arrays and tensors of uint8 of the shapes (H, W, 3), grey (H, W) or (H, W, 1), and
    (H, W, 4), whose alpha is left out as it is of files; and pictures of Pillow of 8 bits a
    channel. Colours are in the order RGB: nobody can tell it from BGR.

    Args:
        picture: what to convert; an array that is RGB already is returned as it is.
        where: the frame, for messages.

    Raises:
        UserError: for another type, shape or number of channels.
    """
    if isinstance(picture, Image.Image):
        if picture.mode not in _EIGHT_BIT_MODES:
            raise UserError(
                f"{where}: a picture of Pillow's mode {picture.mode!r} has no known range; convert "
                'it to 8 bits a channel (mode RGB or L)'
            )
        return np.array(picture.convert('RGB'))
    array = as_array(picture)
    if array is None:
        raise UserError(
            f'{where}: a {type(picture).__name__} is no picture (give an array, a tensor, or a '
            'picture of Pillow)'
        )
    if array.dtype != np.uint8:
        raise UserError(f'{where}: {array.dtype} is not uint8, 0 to 255{_advice(array)}')
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or not array.size:
        raise UserError(f'{where}: the shape is {array.shape}, not {_SHAPES}{_order(array)}')
    if array.shape[2] == 1:
        return array.repeat(3, axis=2)
    return array if array.shape[2] == 3 else array[..., :3]


def as_array(value: Any) -> np.ndarray | None:
    """An array or a tensor as an array; None for anything else.

    Raises:
        UserError: for a tensor of numbers that NumPy does not know.
    """
    if isinstance(value, np.ndarray):
        return value
    if not hasattr(value, 'detach'):
        return None
    try:
        return value.detach().cpu().numpy()
    except (TypeError, RuntimeError) as error:  # NumPy knows no such numbers
        raise UserError(f'a tensor of {value.dtype} is no picture; give uint8, 0 to 255') from error


def _advice(array: np.ndarray) -> str:
    if array.dtype.kind == 'f':
        return '; if they are 0 to 1: (255 * frames).round().astype("uint8")'
    if array.dtype == np.uint16:
        return '; of 16 bits: (frames >> 8).astype("uint8"), of 12 bits: >> 4, of 10 bits: >> 2'
    return '; convert the frames to it'


def _order(array: np.ndarray) -> str:
    return '; move the channels to the end' if array.ndim == 3 and array.shape[0] in (1, 3) else ''
