"""Frames that come one after the other, of a generator or any other iterable."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from typing import Any

from mmvseg.errors import UserError

from .decoding import check_size
from .frame_source import DEFAULT_FPS, Frame
from .rgb import read_frame


class FrameIterator:
    """An iterable of pictures as a frame source; how many there are shows at its end.

    A generator can be run through once, other iterables again and again. One frame is held at a
    time.

    Args:
        frames: pictures as :func:`to_rgb` takes them, paths of images, or :class:`Frame`, which
            keep their times; all of one size.
        name: name of the video.
        fps: frames per second, for frames without times.

    Raises:
        UserError: for no frames, or a first frame that cannot be taken; while iterating for a later
            one, or one of another size, or if the frames are gone.

    Example:
        >>> import numpy as np
        >>> source = FrameIterator(np.zeros((4, 6, 3), np.uint8) for _ in range(3))
        >>> source.size, [frame.index for frame in source]
        ((4, 6), [0, 1, 2])
    """

    is_live = False
    damage = end_s = length = None
    pixel_aspect = Fraction(1)

    def __init__(
        self, frames: Iterable[Any], name: str = 'frames', fps: Fraction = DEFAULT_FPS
    ) -> None:
        self.name, self.fps, self.notes = name, fps, []
        self._frames, self._is_used = frames, False
        first = iter(frames)
        try:
            item = next(first)
        except StopIteration:
            raise UserError(f'{name}: no frames (the iterator is empty)') from None
        self.size = read_frame(item, f'{name}: frame 0')[0].shape[:2]
        # what can be asked for another iterator starts anew
        self._once = chain([item], first) if first is frames else None

    def __iter__(self) -> Iterator[Frame]:
        if self._once is None:
            items = iter(self._frames)
        elif self._is_used:
            raise UserError(
                f'{self.name}: the frames of a {type(self._frames).__name__} can be taken only '
                'once; make a new one, or give a list'
            )
        else:
            items, self._is_used = self._once, True
        for index, item in enumerate(items):
            image, seconds = read_frame(item, f'{self.name}: frame {index}')
            check_size(image, self.size, self.name, index)
            yield Frame(index, float(index / self.fps) if seconds is None else seconds, image)

    def frame_path(self, index: int) -> str:
        """Name and index of the frame: ``frames#12``."""
        return f'{self.name}#{index}'
