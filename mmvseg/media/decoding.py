"""What files and streams share of decoding with FFmpeg's libraries."""

import os
import re
from collections.abc import Iterator
from io import FileIO
from urllib.parse import urlsplit

import av
import numpy as np

from mmvseg.errors import UserError

#: How long a server may be silent, in seconds.
TIMEOUT_S = 10.0
#: Largest number of pixels of a video's frame: 8192 x 8192.
MAX_VIDEO_PIXELS = 2**26


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
            metadata_errors='replace',  # titles of old files are in any encoding
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
    stream = video_stream(container)
    if stream.codec_context is None:
        container.close()
        raise UserError(f'{shown}: not a readable video (its codec is unknown)')
    if stream.width * stream.height > MAX_VIDEO_PIXELS:
        container.close()
        raise UserError(
            f'{shown}: not a readable video (declares {stream.width} x {stream.height} pixels)'
        )
    stream.codec_context.options = dict(max_pixels=str(MAX_VIDEO_PIXELS))
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
