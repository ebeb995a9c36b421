"""Frames from memory: arrays, tensors and pictures of Pillow as the frames of a video."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmvseg.errors import UserError

from .decoding import check_size
from .frame_source import DEFAULT_FPS, Frame, FrameSource, ImageSequence
from .images import read_values
from .sources import open_source

#: Pillow's modes of 8 bits a channel; the others hold numbers whose range is not known.
_EIGHT_BIT_MODES = frozenset(
    {'1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA', 'RGBX', 'CMYK', 'YCbCr', 'LAB', 'HSV'}
)
#: What is asked of sources of others; the tools ask for all that FrameSource names.
_ATTRIBUTES = ('name', 'is_live', 'fps', 'size', 'length', 'damage')
_SHAPES = '(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)'


class FrameList:
    """A list of pictures, or an array of them, as a frame source.

    Args:
        frames: pictures as :func:`to_rgb` takes them, and paths of images, in order; or one array
            or tensor of all frames, (T, H, W, 1), (T, H, W, 3) or (T, H, W, 4); or a single
            picture. All have one size.
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
        self.size = self._image(0).shape[:2]

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.length):
            image = self._image(index)
            check_size(image, self.size, self.name, index)
            yield Frame(index, float(index / self.fps), image)

    def frame_path(self, index: int) -> str:
        """Name and index of the frame: ``frames#12``."""
        return f'{self.name}#{index}'

    def _image(self, index: int) -> np.ndarray:
        frame = self._frames[index]
        if isinstance(frame, str | Path):
            frame = read_values(frame)
        return to_rgb(frame, f'{self.name}: frame {index}')


def as_source(video: Any) -> FrameSource:
    """What a user of the Python interface names as a frame source.

    Args:
        video: a path, an address or a camera's number, see :func:`open_source`; a list of paths of
            images; frames in memory, see :class:`FrameList`; or a frame source.

    Raises:
        UserError: if it is none of these, or nothing can be read.
    """
    if isinstance(video, str | Path) or type(video) is int:
        return open_source(str(video))
    if isinstance(video, list | tuple) and video and all(isinstance(p, str | Path) for p in video):
        return ImageSequence(video, 'frames')  # with one scale of 16 bits for all
    if not hasattr(video, 'frame_path'):
        return FrameList(video)
    missing = [name for name in _ATTRIBUTES if not hasattr(video, name)]
    if missing:
        raise UserError(
            f'a {type(video).__name__} is no frame source: it lacks {", ".join(missing)} (see '
            'mmvseg.media.FrameSource)'
        )
    return video


def checked_frames(source: FrameSource) -> Iterator[Frame]:
    """The frames of any source as models take them: RGB uint8, (H, W, 3), all of its size.

    Raises:
        UserError: naming the frame that is not.
    """
    for frame in source:
        image = to_rgb(frame.image, f'{source.name}: frame {frame.index}')
        check_size(image, source.size, source.name, frame.index)
        yield frame._replace(image=image)


def _as_list(frames: Any) -> Sequence[Any]:
    if isinstance(frames, list | tuple):
        return frames
    if isinstance(frames, Image.Image):
        return [frames]
    if (array := _as_array(frames)) is None:
        raise UserError(
            f'a {type(frames).__name__} is no video: give a path, a list of frames or paths, an '
            'array (T, H, W, 3), a picture, or a frame source (see mmvseg.media.FrameSource)'
        )
    if array.ndim == 4:
        return array
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4)):
        return [array]
    raise UserError(
        f'an array of shape {array.shape} is no video: give (T, H, W, 3), of grey frames '
        '(T, H, W, 1), or a list of frames'
    )


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
    array = _as_array(picture)
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


def _as_array(value: Any) -> np.ndarray | None:
    """An array or a tensor as an array; None for anything else."""
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
