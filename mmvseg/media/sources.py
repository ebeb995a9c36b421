"""From what a user names to a frame source."""

import os
import re
import stat
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mmvseg.errors import UserError

from .decoding import duration, is_url, open_video, video_stream
from .frame_files import choose_frames, frames_of_pattern, what_is_left_out
from .frame_source import (
    DEFAULT_FPS,
    Frame,
    FrameSource,
    ImageFolder,
    ImageSequence,
    Picture,
    VideoFile,
)
from .images import IMAGE_SUFFIXES, is_picture
from .paged_source import AnimatedWebP, TiffStack
from .pages import count_pages, is_tiff
from .pipes import copy_pipe, is_pipe, named_pipe, open_pipe, pipe_name
from .pixel_values import ValueRange, check_range
from .stream_source import CameraSource, StreamSource


def open_source(
    path: str | Path,
    fps: Fraction | float | None = None,
    value_range: ValueRange | None = None,
    *,
    once: bool = False,
) -> FrameSource:
    """The frames of a video file, a folder, an image, a glob pattern, a camera or a stream.

    Args:
        path: what to read. An address with ``://`` is a stream, or a file on a server; a number
            that is no file's name is a camera; ``-`` is standard input.
        fps: frame rate of images, which carry none themselves (default: 6); all others keep
            their own.
        value_range: of pictures and videos of 16-bit greys, the values that become 0 and 255.
        once: whether the frames are asked for only once. Then a pipe is read as it comes, else it
            is copied to a temporary file first.

    Raises:
        UserError: if there is nothing to read at ``path``.

    Example:
        >>> from mmvseg.examples import CLIP
        >>> source = open_source(CLIP)
        >>> source.size, source.length
        ((288, 384), 48)
        >>> for index, seconds, image in islice(source, 2):
        ...     print(index, round(seconds, 2), image.shape)
        0 0.0 (288, 384, 3)
        1 0.08 (288, 384, 3)
    """
    if value_range is not None:
        check_range(value_range)
    path = _local(str(path))
    if is_url(path):
        source = _open_url(path)
    elif camera := re.fullmatch('/dev/video([0-9]+)', path):
        raise UserError(f'{path}: a camera is given by its number: {camera[1]}')
    elif os.path.exists(path):
        source = _open_path(Path(path), fps, value_range, once)
    elif re.fullmatch('[0-9]{1,4}', path):
        source = CameraSource(int(path))
    else:
        source = _open_pattern(path, fps, value_range)
    if value_range is not None and not isinstance(source, ImageSequence | VideoFile):
        raise UserError(
            f'{source.name}: a range of values is for pictures and videos of 16-bit greys'
        )
    return source


def _local(path: str) -> str:
    """The path behind what FFmpeg and browsers call a file."""
    pipe = named_pipe(path)
    if os.path.exists(path) or (pipe is None and not path.startswith('file:')):
        return path
    if pipe is not None:
        return str(pipe)
    if not is_url(path):
        return path.removeprefix('file:')
    return (
        path.removeprefix('file://') if os.path.exists(path[7:]) else unquote(urlsplit(path).path)
    )


def _rate(fps: Fraction | float | None) -> Fraction:
    return DEFAULT_FPS if fps is None else Fraction(fps).limit_denominator(100_000)


def _open_path(
    path: Path, fps: Fraction | float | None, value_range: ValueRange | None, once: bool
) -> FrameSource:
    if path.is_dir():
        return ImageFolder(path, _rate(fps), value_range)
    if path.is_file():
        return _open_file(path, fps, value_range)
    if not is_pipe(path):
        raise UserError(_why_no_file(path))
    if once:
        return StreamSource(open_pipe(path), is_live=False, label=str(path), name=pipe_name(path))
    copied, folder = copy_pipe(path)
    try:
        source = _open_file(copied, fps, value_range, str(path))
    except UserError as error:  # nobody knows of the copy
        raise UserError(str(error).replace(str(copied), str(path))) from error
    source.held = folder
    return source


def _open_file(
    path: Path,
    fps: Fraction | float | None,
    value_range: ValueRange | None,
    label: str | None = None,
) -> FrameSource:
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES and not (suffix == '' and is_picture(path)):
        # For FFmpeg, the name a%02d.gif would be a pattern.
        return VideoFile(path, value_range, 'gif' if suffix == '.gif' else None, label)
    with path.open('rb') as file:
        pages, head = count_pages(file, str(path)), file.seek(0) or file.read(16)
    if pages == 1:
        return Picture([path], path.stem, _rate(fps), value_range)
    if is_tiff(head):
        return TiffStack(path, _rate(fps), value_range)
    if head.startswith(b'RIFF'):
        return AnimatedWebP(path)
    return VideoFile(path, value_range, 'gif' if head.startswith(b'GIF') else 'apng', label)


def _open_pattern(
    pattern: str, fps: Fraction | float | None, value_range: ValueRange | None
) -> FrameSource:
    # links that lead nowhere stay: a frame is missing
    matches = [path for path in frames_of_pattern(pattern) if not os.path.isdir(path)]
    frames, left_out = choose_frames(matches, pattern)
    if frames:
        # A pattern names its frames' folder: seq/*.jpg is the video 'seq'.
        name = Path(pattern).parent.name or 'frames'
        notes = what_is_left_out(frames, left_out, pattern)
        return ImageSequence(frames, name, _rate(fps), value_range, notes)
    if matches:
        found = ', '.join(path.name for path in matches[:3])
        raise UserError(
            f'{pattern}: a pattern names pictures, the frames of a video; found {found}'
        )
    raise UserError(
        f'{pattern}: no such file or folder (give a video file, a folder of frames, an image, a '
        'quoted pattern such as "frames/*.jpg", the number of a camera or the address of a stream)'
    )


def _why_no_file(path: Path) -> str:
    """What to do about something that is no file, folder or pipe."""
    if str(path) == '/dev/stdin':
        return f'{path}: nothing is piped in'
    kinds = {stat.S_IFCHR: 'device', stat.S_IFBLK: 'device', stat.S_IFSOCK: 'socket'}
    kind = kinds.get(stat.S_IFMT(os.stat(path).st_mode), 'special file')
    return f'{path}: is a {kind}, no file, folder or pipe that could hold a video'


def _open_url(url: str) -> FrameSource:
    """Over HTTP, what has an end is a file: the server waits until we take the next part.

    A recording that still grows has a duration, too, but the server cannot state its size.
    """
    if not url.lower().startswith(('http://', 'https://')):
        return StreamSource(url)
    with open_video(url) as container:
        ends = duration(container, video_stream(container)) is not None
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
        self.pixel_aspect, self.notes = source.pixel_aspect, source.notes
        self.length = max_frames if source.length is None else min(source.length, max_frames)
        self._max_frames = max_frames

    def __iter__(self) -> Iterator[Frame]:
        return islice(iter(self._source), self._max_frames)

    @property
    def damage(self) -> str | None:
        """Where the source broke off, if that is among these frames."""
        return self._source.damage

    @property
    def end_s(self) -> float | None:
        """When the last of these frames ends, if it is the source's last."""
        return self._source.end_s

    def frame_path(self, index: int) -> str:
        """As the source says."""
        return self._source.frame_path(index)
