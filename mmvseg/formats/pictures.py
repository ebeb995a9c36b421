"""The pictures that annotation files speak of, and what is wrong with them."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.media.images import read_values
from mmvseg.media.names import links_out
from mmvseg.media.pixel_values import sensor_range, to_uint8

from .problems import Level, Problem

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


class DeepFrames:
    """Frames of 16 bits, of which a data set does not say how many are used.

    Attributes:
        peaks: highest value of each of them.
    """

    def __init__(self, peaks: Iterable[int] = ()) -> None:
        self.peaks = [*peaks]

    def add(self, values: np.ndarray) -> None:
        """Look at a frame of any kind."""
        if values.dtype == np.uint16:
            self.peaks.append(int(values.max()))

    def note(self, file: str) -> Iterator[Problem]:
        """What to know of them, if there are any; ``file`` is that of the data set."""
        if not self.peaks:
            return
        peak = max(self.peaks)
        low, high = sensor_range(peak)
        frames = counted(len(self.peaks), 'frames')
        rule = f'{frames} of 16 bits, with values up to {peak}, divided by 256'
        if high < 2**16 - 1:
            rule += (
                f', which leaves them dark; value_range=({low}, {high}) of the first step of the '
                'pipelines (LoadClip or its like) makes them bright'
            )
        yield Problem(file, 'frame', rule, level=Level.NOTE)


def frame_rule(
    path: Path,
    size: tuple[int, int] | None = None,
    origin: str = 'the json says',
    root: Path | None = None,
    deep: DeepFrames | None = None,
) -> str | None:
    """The rule that a frame breaks, see :func:`checked_frame`."""
    return checked_frame(path, size, origin, root, deep)[1]


def checked_frame(
    path: Path,
    size: tuple[int, int] | None = None,
    origin: str = 'the json says',
    root: Path | None = None,
    deep: DeepFrames | None = None,
) -> tuple[np.ndarray | None, str | None]:
    """A frame, and the rule that it breaks: to be there, readable to its end and of its size.

    Args:
        path: the picture.
        size: expected height and width in pixels, if known.
        origin: where the expectation comes from.
        root: folder that no link may lead out of.
        deep: looks at its values.

    Returns:
        RGB values as they are in the file, (H, W, 3), None where they cannot be read; and the rule,
        None where all is well.
    """
    # os.path.isfile, unlike Path.is_file, is silent about names that no file can have
    if not os.path.isfile(path):
        return None, 'missing file'
    if rule := outside_rule(path, root):
        return None, rule
    try:
        values = read_values(path)
        to_uint8(values[:1, :1], None, str(path))
    except UserError as error:
        return None, bare_rule(error, path)
    if deep is not None:
        deep.add(values)
    height, width = values.shape[:2]
    if size not in (None, (height, width)):
        return values, f'{width}x{height} pixels, {origin} {size[1]}x{size[0]}'
    return values, None


def bare_rule(error: UserError, path: Path) -> str:
    """The message of an error about a file without the file's name."""
    return str(error).removeprefix(f'{path}: ')
