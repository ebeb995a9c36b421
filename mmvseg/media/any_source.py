"""Whatever a user of the Python interface names, as a frame source."""

from collections.abc import Iterable, Iterator, Mapping, Set
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image

from mmvseg.errors import UserError

from .decoding import check_size
from .frame_iterator import FrameIterator
from .frame_list import FrameList
from .frame_source import DEFAULT_FPS, Frame, FrameSource, ImageSequence
from .rgb import as_array, to_rgb
from .sources import open_source

#: What is asked of sources of others; the tools ask for all that FrameSource names.
_ATTRIBUTES = ('name', 'is_live', 'fps', 'size', 'length', 'damage')


def as_source(video: Any, fps: Fraction | float | None = None) -> FrameSource:
    """What a user names as a frame source.

    Args:
        video: a path, an address or a camera's number, see :func:`open_source`; a list of paths of
            images; frames in memory, see :class:`FrameList`; an iterator or another iterable of
            frames, see :class:`FrameIterator`; or a frame source.
        fps: frame rate of frames that carry no times (default: 6); all others keep their own.

    Raises:
        UserError: if it is none of these, nothing can be read, or the rate is none.
    """
    if fps is not None and not 0 < fps < float('inf'):
        raise UserError(f'fps={fps}: a frame rate is a number above 0')
    rate = DEFAULT_FPS if fps is None else Fraction(fps).limit_denominator(100_000)
    if isinstance(video, str | Path) or type(video) is int:
        return open_source(str(video), rate)
    if isinstance(video, list | tuple) and video and all(isinstance(p, str | Path) for p in video):
        return ImageSequence(video, 'frames', rate)  # with one scale of 16 bits for all
    if not hasattr(video, 'frame_path'):
        return (FrameIterator if _is_iterator(video) else FrameList)(video, fps=rate)
    missing = [name for name in _ATTRIBUTES if not hasattr(video, name)]
    if missing:
        raise UserError(
            f'a {type(video).__name__} is no frame source: it lacks {", ".join(missing)} (see '
            'mmvseg.media.FrameSource)'
        )
    return video


def _is_iterator(video: Any) -> bool:
    """Whether frames can only be had one after the other."""
    if isinstance(video, list | tuple | Image.Image | Mapping | Set | bytes):
        return False
    return isinstance(video, Iterable) and as_array(video) is None


def checked_frames(source: FrameSource) -> Iterator[Frame]:
    """The frames of any source as models take them: RGB uint8, (H, W, 3), all of its size.

    Raises:
        UserError: naming the frame that is not.
    """
    for frame in source:
        image = to_rgb(frame.image, f'{source.name}: frame {frame.index}')
        check_size(image, source.size, source.name, frame.index)
        yield frame._replace(image=image)
