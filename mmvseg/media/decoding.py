"""What files and streams share of decoding with FFmpeg's libraries."""

import os
import re
from collections.abc import Iterator
from fractions import Fraction
from io import FileIO
from typing import NamedTuple
from urllib.parse import urlsplit

import av
import cv2
import numpy as np

from mmvseg.errors import UserError

#: How long a server may be silent, in seconds.
TIMEOUT_S = 10.0


def is_url(path: str) -> bool:
    """Whether ``path`` is an address such as ``rtsp://host/stream``."""
    return re.match(r'[a-z][a-z0-9+.-]+://', path, re.IGNORECASE) is not None


def without_password(path: str) -> str:
    """A path or an address as messages may show it.

    Raises:
        UserError: if the address cannot be taken apart.
    """
    if not is_url(path):
        return path
    # Cameras take passwords in the query, too.
    path = path.partition('?')[0]
    try:
        host = urlsplit(path).netloc
    except ValueError as error:
        shown = re.sub('//.*@', '//', path)
        raise UserError(f'{shown}: not a valid address ({error})') from error
    return path.replace(host, host.rpartition('@')[2], 1)


def protocol_path(path: str | os.PathLike) -> str:
    """A file's name as FFmpeg takes it: without ``file:``, ``12:30.mp4`` has the protocol 12."""
    return f'file:{os.fspath(path)}'


def open_video(
    path: str | FileIO,
    timeout_s: float = TIMEOUT_S,
    container_format: str | None = None,
    label: str | None = None,
) -> av.container.InputContainer:
    """Open a file or an address that has a video stream.

    Args:
        path: any container, codec and protocol that FFmpeg reads; or an opened pipe.
        timeout_s: how long to wait for a server, to connect and for each piece of data.
        container_format: FFmpeg's name of it, where content and name may mislead.
        label: what messages call it, by default the path.

    Raises:
        UserError: if there is none, with the reason.
    """
    pipe, url = isinstance(path, FileIO), not isinstance(path, FileIO) and is_url(path)
    shown = label or without_password(path)
    # RTP over UDP loses packets on busy networks; other protocols ignore the option.
    options = {'rtsp_transport': 'tcp'} if url else {}
    try:
        container = av.open(
            path if url or pipe else protocol_path(path),
            format=container_format,
            options=options,
            timeout=timeout_s if url else None,
        )
    except (av.error.FFmpegError, OSError) as error:
        reason = failure(error, timeout_s)
        if url:
            raise UserError(
                f'{shown}: cannot be opened ({reason}); is the address right and the server up? '
                'A server of mp4 files must support range requests'
            ) from error
        if pipe:
            raise UserError(
                f'{shown}: no video that can be read as it comes ({reason}); save it as a file'
            ) from error
        if os.path.isfile(path) and os.path.getsize(path) == 0:
            reason = 'empty file'
        raise UserError(f'{shown}: not a readable video ({reason})') from error
    if not _moving(container):
        cover = ' (only a cover picture)' if container.streams.video else ''
        container.close()
        raise UserError(f'{shown}: has no video stream{cover}')
    return container


def video_stream(container: av.container.InputContainer) -> av.video.stream.VideoStream:
    """The first video of an opened file; the covers of sound files and films are none."""
    return _moving(container)[0]


def _moving(container: av.container.InputContainer) -> list[av.video.stream.VideoStream]:
    cover = av.stream.Disposition.attached_pic
    return [stream for stream in container.streams.video if not stream.disposition & cover]


def failure(error: OSError, timeout_s: float = TIMEOUT_S) -> str:
    """What went wrong, in words; FFmpeg calls a timeout an exit."""
    if isinstance(error, av.error.ExitError):
        return f'no data for {timeout_s:g} s'
    return error.strerror or str(error)


def duration(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream
) -> float | None:
    """Seconds that the video stream lasts, as far as the container says."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    # The container's duration may be that of a longer audio track.
    if container.duration and len(container.streams) == 1:
        return container.duration / av.time_base
    return None


def decode(
    container: av.container.InputContainer,
    stream: av.video.stream.VideoStream,
    errors: list[str],
    gaps: list[str],
) -> Iterator[av.VideoFrame]:
    """Decode what can be decoded; what cannot is described in ``errors``.

    Incomplete data with whole data behind them are ``gaps``: recordings that were joined, or bad
    reception.
    """
    packets, incomplete = container.demux(stream), []
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError as error:
            errors.append(f'broken container: {failure(error)}')
            break
        if packet is None:
            break
        if packet.is_corrupt:
            incomplete.append(f'incomplete data at {_packet_time(packet)}')
        elif packet.size:
            gaps += incomplete
            incomplete.clear()
        try:
            yield from packet.decode()
        except av.error.FFmpegError as error:
            errors.append(f'undecodable data at {_packet_time(packet)}: {error.strerror}')
    errors += incomplete


def _packet_time(packet: av.Packet) -> str:
    if packet.pts is None:
        return 'an unknown time'
    return f'{float(packet.pts * packet.time_base):.2f} s'


class Orientation(NamedTuple):
    """How stored pixels become those to be seen: transposed first, then flipped."""

    transposed: bool = False
    columns_flipped: bool = False
    rows_flipped: bool = False


def orientation(frame: av.VideoFrame) -> Orientation:
    """What the file's display matrix asks of a player; angles between are rounded to these eight.

    The matrix takes the stored pixel (x, y) to (a x + c y, b x + d y).
    """
    matrix = frame.side_data.get('DISPLAYMATRIX')
    if matrix is None:
        return Orientation()
    a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, np.int32)[:5])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, c < 0, b < 0)
    return Orientation(False, a < 0, d < 0)


def upright(
    frame: av.VideoFrame, size: tuple[int, int] | None = None, pixel_format: str = 'rgb24'
) -> np.ndarray:
    """Pixels as a player shows them, by default RGB, (H, W, 3).

    Args:
        frame: as decoded.
        size: (H, W) that they are scaled to if need be, by default the frame's own.
        pixel_format: FFmpeg's name of the format that comes out.
    """
    transposed, columns_flipped, rows_flipped = orientation(frame)
    height, width = size or (None, None)
    if transposed:
        height, width = width, height
    image = frame.to_ndarray(format=pixel_format, height=height, width=width)
    if transposed:
        image = cv2.transpose(image)
    if columns_flipped or rows_flipped:
        # OpenCV's code: 0 rows, 1 columns, -1 both
        image = cv2.flip(image, -1 if columns_flipped and rows_flipped else int(columns_flipped))
    return image


def upright_size(frame: av.VideoFrame) -> tuple[int, int]:
    """Height and width of a frame as a player shows it."""
    size = frame.height, frame.width
    return size[::-1] if orientation(frame).transposed else size


def pixel_aspect(stream: av.video.stream.VideoStream, frame: av.VideoFrame) -> Fraction:
    """Width of a pixel by its height, as a player shows it; 1 where the file does not say."""
    aspect = stream.sample_aspect_ratio
    if not aspect or aspect < 0:
        return Fraction(1)
    return 1 / aspect if orientation(frame).transposed else aspect


def note_scaling(
    frame: av.VideoFrame, size: tuple[int, int], path: str, index: int, notes: list[str]
) -> None:
    """Note the first frame that must be scaled to the video's size (H, W)."""
    height, width = upright_size(frame)
    if (height, width) == size:
        return
    note_once(
        notes,
        f'{path}: the size changes in the stream',
        f': frame {index} is {width}x{height} pixels, the first {size[1]}x{size[0]}; frames of '
        'other sizes are scaled to that',
    )


def note_once(notes: list[str], event: str, detail: str) -> None:
    """Add a line on an event, the first time that it happens."""
    if not any(note.startswith(event) for note in notes):
        notes.append(event + detail)


def check_size(image: np.ndarray, size: tuple[int, int], path: str, index: int) -> None:
    """Refuse a frame that differs in size (H, W) from those before.

    Raises:
        UserError: naming the frame and both sizes.
    """
    if image.shape[:2] != size:
        raise UserError(
            f'{path}: frame {index} is {image.shape[1]}x{image.shape[0]} pixels, the frames '
            f'before it are {size[1]}x{size[0]} (all frames of a video must have one size)'
        )
