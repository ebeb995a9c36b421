"""From what a user names to a frame source."""

import glob
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

from mmvseg.errors import UserError

from .decoding import duration, is_url, open_video
from .frame_source import (
    DEFAULT_FPS,
    Frame,
    FrameSource,
    ImageFolder,
    ImageSequence,
    VideoFile,
)
from .images import IMAGE_SUFFIXES
from .names import natural_key
from .stream_source import CameraSource, StreamSource


def open_source(path: str | Path, fps: Fraction | float | None = None) -> FrameSource:
    """The frames of a video file, a folder, an image, a glob pattern, a camera or a stream.

    Args:
        path: what to read. An address with ``://`` is a stream, or a file on a server; a number
            that is no file's name is a camera.
        fps: frame rate of images, which carry none themselves (default: 6); all others keep
            their own.

    Raises:
        UserError: if there is nothing to read at ``path``.

    Example:
        >>> for index, seconds, image in open_source('street.mp4'):  # doctest: +SKIP
        ...     print(index, seconds, image.shape)
    """
    if is_url(str(path)):
        return _open_url(str(path))
    fps = DEFAULT_FPS if fps is None else Fraction(fps).limit_denominator(100_000)
    path = Path(path)
    if path.is_dir():
        return ImageFolder(path, fps)
    if path.is_file():
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return ImageSequence([path], path.stem, fps)
        return VideoFile(path)
    if str(path).isdecimal():
        return CameraSource(int(str(path)))
    matches = glob.glob(str(path))
    if matches:
        # A pattern names its frames' folder: seq/*.jpg is the video 'seq'.
        return ImageSequence(sorted(matches, key=natural_key), path.parent.name or 'frames', fps)
    raise UserError(
        f'{path}: no such file or folder (give a video file, a folder of frames, an image, a '
        'quoted pattern such as "frames/*.jpg", the number of a camera or the address of a stream)'
    )


def _open_url(url: str) -> FrameSource:
    """Over HTTP, what has an end is a file: the server waits until we take the next part.

    A recording that still grows has a duration, too, but the server cannot state its size.
    """
    if not url.lower().startswith(('http://', 'https://')):
        return StreamSource(url)
    with open_video(url) as container:
        ends = duration(container, container.streams.video[0]) is not None
        is_file = ends and container.size > 0
    return VideoFile(url) if is_file else StreamSource(url)


class FirstFrames:
    """The first frames of a source, at most.

    Args:
        source: where they come from.
        max_frames: how many.
    """

    def __init__(self, source: FrameSource, max_frames: int) -> None:
        self._source = source
        self.name, self.is_live = source.name, source.is_live
        self.fps, self.size = source.fps, source.size
        self.length = max_frames if source.length is None else min(source.length, max_frames)
        self._max_frames = max_frames

    def __iter__(self) -> Iterator[Frame]:
        return islice(iter(self._source), self._max_frames)

    @property
    def damage(self) -> str | None:
        """Where the source broke off, if that is among these frames."""
        return self._source.damage

    def frame_path(self, index: int) -> str:
        """As the source says."""
        return self._source.frame_path(index)
