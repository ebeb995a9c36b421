"""Pictures of several pages: what a file holds, before any of it is decoded."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, TiffImagePlugin

from mmvseg.errors import UserError

_TIFF_SIGNATURES = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')
_BIG_TIFF = b'+'
_SUBFILE_TAG, _WIDTH_TAG, _HEIGHT_TAG = 254, 256, 257
#: Bits of the subfile's type: a smaller copy of a page (thumbnail, overview), or its mask.
_NO_PAGE = 0b101


def is_tiff(data: bytes) -> bool:
    """Whether a file that begins with ``data`` is one of TIFF."""
    return data.startswith(_TIFF_SIGNATURES)


def is_animated_webp(data: bytes) -> bool:
    """Whether a file that begins with ``data`` is a WebP that says it is animated."""
    return data[:4] + data[8:16] == b'RIFFWEBPVP8X' and bool(data[20:21]) and bool(data[20] & 2)


def is_animated_png(data: bytes) -> bool:
    """Whether a file that begins with ``data`` is a PNG that is animated."""
    return data.startswith(b'\x89PNG') and 0 <= data.find(b'acTL') < data.find(b'IDAT')


def count_pages(file: BinaryIO, path: str) -> int:
    """Pages of a TIFF, frames of an animated WebP, PNG or GIF; 1 of anything else.

    Args:
        file: opened, at its beginning.
        path: its name, for messages.

    Raises:
        UserError: if the file is damaged.
    """
    head = file.read(2**16)
    file.seek(0)
    if is_tiff(head):
        return max(1, len(tiff_pages(file, path)))
    if not (is_animated_webp(head) or is_animated_png(head) or head.startswith(b'GIF8')):
        return 1
    with open_picture(file, path) as image:
        return image.n_frames


def tiff_pages(file: BinaryIO, path: str) -> list[tuple[int, tuple[int, int]]]:
    """Position and (height, width) of the pages of a TIFF, without thumbnails and masks.

    Raises:
        UserError: if the file is damaged.
    """
    header = file.read(8)
    if _BIG_TIFF in header[2:4]:
        header += file.read(8)
    pages, seen, position = [], set(), 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # Pillow's, of tags that it cannot read
            directory = TiffImagePlugin.ImageFileDirectory_v2(header)
            while directory.next and directory.next not in seen:
                seen.add(directory.next)
                file.seek(directory.next)
                directory.load(file)
                if not int(directory.get(_SUBFILE_TAG, 0)) & _NO_PAGE:
                    size = directory.get(_HEIGHT_TAG, 0), directory.get(_WIDTH_TAG, 0)
                    pages.append((position, tuple(int(side) for side in size)))
                position += 1
    except (OSError, SyntaxError, ValueError, TypeError, OverflowError, struct.error) as error:
        raise UserError(f'{path}: not a readable image (damaged list of pages)') from error
    return pages


@contextmanager
def open_picture(file: str | Path | BinaryIO, path: str | None = None) -> Iterator[Image.Image]:
    """A picture before its pixels are decoded.

    Args:
        file: the file or its path.
        path: its name, for messages.

    Raises:
        UserError: if it is none, or enormous.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            image = Image.open(file)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f'{path or file}: not a readable image ({error})') from error
    with image:
        yield image
