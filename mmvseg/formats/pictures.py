"""The pictures that annotation files speak of, and what is wrong with them."""

import os
from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.media.images import read_image


def frame_rule(
    path: Path, size: tuple[int, int] | None = None, origin: str = 'the json says'
) -> str | None:
    """The rule that a frame breaks: to be there, readable to its end and of its size.

    Args:
        path: the picture.
        size: expected height and width in pixels, if known.
        origin: where the expectation comes from.
    """
    # os.path.isfile, unlike Path.is_file, is silent about names that no file can have
    if not os.path.isfile(path):
        return 'missing file'
    try:
        height, width = read_image(path).shape[:2]
    except UserError as error:
        return bare_rule(error, path)
    if size not in (None, (height, width)):
        return f'{width}x{height} pixels, {origin} {size[1]}x{size[0]}'
    return None


def bare_rule(error: UserError, path: Path) -> str:
    """The message of an error about a file without the file's name."""
    return str(error).removeprefix(f'{path}: ')
