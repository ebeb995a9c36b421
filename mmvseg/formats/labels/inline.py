"""Pictures and masks whose bytes stand inside of a json."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import IO

import numpy as np
from PIL import PngImagePlugin

from mmvseg.media.images import png_header

from .sources import SourceFile


@dataclass(frozen=True)
class InlinePicture(SourceFile):
    """A picture inside of a json, read anew each time, so that it is not held.

    ``path`` and ``member`` are the json's and the field that has the picture.

    Attributes:
        content: reads the picture's bytes.
    """

    content: Callable[[], bytes] = bytes

    @property
    def size(self) -> int:
        """Bytes of its content."""
        return len(self.content())

    def open(self) -> IO[bytes]:
        """Its content as a stream."""
        return BytesIO(self.content())


def decode_base64(text: str) -> bytes:
    """The bytes of a base64 text.

    Raises:
        ValueError: it is none.
    """
    try:
        return base64.b64decode(text)
    except binascii.Error as error:
        raise ValueError(f'not valid base64 ({error})') from error


def png_size(data: bytes) -> tuple[int, int]:
    """Height and width of a PNG, by its header.

    Raises:
        ValueError: it is none.
    """
    header = png_header(data)
    if header is None:
        raise ValueError('the mask is no PNG')
    return header.height, header.width


def decode_png_mask(data: bytes, size: tuple[int, int]) -> np.ndarray:
    """A mask of a PNG of any kind: where it is opaque, if it says so, else where it is not zero.

    Args:
        data: content of the PNG.
        size: the height and width that it must have, before anything is decoded.

    Returns:
        The mask, (H, W) bool.

    Raises:
        ValueError: it is broken or of another size.
    """
    height, width = png_size(data)
    if (height, width) != tuple(size):
        raise ValueError(
            f'the mask is a PNG of {width}x{height} pixels, its place has {size[1]}x{size[0]}'
        )
    try:
        with PngImagePlugin.PngImageFile(BytesIO(data)) as image:
            has_alpha = 'A' in image.getbands() or 'transparency' in image.info
            values = np.asarray(image.convert('RGBA').getchannel('A') if has_alpha else image)
    except (OSError, SyntaxError, ValueError) as error:  # words for broken chunks
        raise ValueError(f'the mask is no readable PNG ({error})') from error
    return (values != 0) if values.ndim == 2 else (values != 0).any(-1)
