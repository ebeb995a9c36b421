"""Frames from memory: arrays, tensors and pictures of Pillow as the frames of a video."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from PIL import Image

from mmvseg.errors import UserError

from .decoding import check_size
from .frame_source import DEFAULT_FPS, Frame
from .rgb import as_array, read_frame


class FrameList:
    """A list of pictures, or an array of them, as a frame source.

    Args:
        frames: pictures as :func:`to_rgb` takes them, paths of images, and :class:`Frame`, which
            keep their times, in order; or one array or tensor of all frames, (T, H, W, 1),
            (T, H, W, 3) or (T, H, W, 4); or a single picture. All have one size.
        name: name of the video.
        fps: frames per second.

    Raises:
        UserError: for no frames, or a first frame that cannot be taken; while iterating for a later
            one, or one of another size.
    """

    is_live = False
    damage = end_s = None
    pixel_aspect = Fraction(1)

    def __init__(self, frames: Any, name: str = 'frames', fps: Fraction = DEFAULT_FPS) -> None:
        self._frames = _as_list(frames)
        if not len(self._frames):
            raise UserError(f'{name}: no frames (the list or array is empty)')
        self.name, self.fps, self.length, self.notes = name, fps, len(self._frames), []
        self.size = self._read(0)[0].shape[:2]

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.length):
            image, seconds = self._read(index)
            check_size(image, self.size, self.name, index)
            yield Frame(index, float(index / self.fps) if seconds is None else seconds, image)

    def frame_path(self, index: int) -> str:
        """Name and index of the frame: ``frames#12``."""
        return f'{self.name}#{index}'

    def _read(self, index: int) -> tuple[np.ndarray, float | None]:
        return read_frame(self._frames[index], f'{self.name}: frame {index}')


def _as_list(frames: Any) -> Sequence[Any]:
    if isinstance(frames, list | tuple):
        return frames
    if isinstance(frames, Image.Image):
        return [frames]
    if (array := as_array(frames)) is None:
        raise UserError(
            f'a {type(frames).__name__} is no video: give a path, a list or iterator of frames or '
            'paths, an array (T, H, W, 3), a picture, or a frame source (see '
            'mmvseg.media.FrameSource)'
        )
    if array.ndim == 4:
        return array
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4)):
        return [array]
    raise UserError(
        f'an array of shape {array.shape} is no video: give (T, H, W, 3), of grey frames '
        '(T, H, W, 1), or a list of frames'
    )
