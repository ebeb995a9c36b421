"""The pictures that annotation files speak of: sizes, kinds, and what is wrong with them."""

import os
from collections.abc import Collection
from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.media.images import png_header, read_image

_HEADER_BYTES = 26


def picture_size(path: Path) -> tuple[int, int]:
    """Height and width of a frame that can be read to its end.

    Raises:
        UserError: with the rule that the file breaks.
    """
    _check_there(path)
    try:
        return read_image(path).shape[:2]
    except UserError as error:
        raise UserError(bare_rule(error, path)) from error


def check_png(
    path: Path, kinds: Collection[str], size: tuple[int, int] | None, origin: str
) -> None:
    """Make sure, from its first bytes, that a mask is of the right kind and size.

    Args:
        path: PNG.
        kinds: colours and bits that it may have, e.g. ``['RGB 8 bit']``.
        size: expected height and width in pixels, if known.
        origin: where the expectation comes from, e.g. ``'the json says'``.

    Raises:
        UserError: with the rule that the file breaks.
    """
    _check_there(path)
    try:
        with path.open('rb') as file:
            header = png_header(file.read(_HEADER_BYTES))
    except OSError as error:
        raise UserError(f'cannot be read ({error.strerror})') from error
    if header is None:
        raise UserError('not a PNG')
    if header.kind not in kinds:
        raise UserError(f'{header.kind}, but masks are {" or ".join(kinds)}')
    if size is not None and (header.height, header.width) != size:
        raise UserError(
            f'{header.height} x {header.width} pixels, {origin} '
            f'{" x ".join(str(side) for side in size)}'
        )


def bare_rule(error: UserError, path: Path) -> str:
    """The message of an error about a file without the file's name."""
    return str(error).removeprefix(f'{path}: ')


def _check_there(path: Path) -> None:
    # os.path.isfile, unlike Path.is_file, is silent about names that no file can have
    if not os.path.isfile(path):
        raise UserError('missing file')
