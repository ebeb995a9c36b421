"""The pictures that annotation files speak of, and what is wrong with them."""

import os
from collections.abc import Iterable
from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.media.images import read_image
from mmvseg.media.names import links_out

#: How to use files outside of the folder that a data set names.
ALLOW_OUTSIDE = (
    " (if that is meant: allow_outside_root=True in the data set's config, or --allow-outside-root "
    'where a tool has it)'
)


def outside_rule(path: str | Path, root: str | Path | None) -> str | None:
    """The rule that a file below ``root`` breaks if links lead out of it; None allows it."""
    return 'a link leads out of the folder' if root is not None and links_out(path, root) else None


def refuse_outside(paths: Iterable[str | Path | None], root: str | Path, video: str) -> None:
    """Make sure that files of a video lie in the folder that they should be in.

    Raises:
        UserError: a link leads out of it.
    """
    for path in paths:
        if path is not None and (rule := outside_rule(path, root)):
            raise UserError(f'video {video}: {path}: {rule} {root}{ALLOW_OUTSIDE}')


def frame_rule(
    path: Path,
    size: tuple[int, int] | None = None,
    origin: str = 'the json says',
    root: Path | None = None,
) -> str | None:
    """The rule that a frame breaks: to be there, readable to its end and of its size.

    Args:
        path: the picture.
        size: expected height and width in pixels, if known.
        origin: where the expectation comes from.
        root: folder that no link may lead out of.
    """
    # os.path.isfile, unlike Path.is_file, is silent about names that no file can have
    if not os.path.isfile(path):
        return 'missing file'
    if rule := outside_rule(path, root):
        return rule
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
