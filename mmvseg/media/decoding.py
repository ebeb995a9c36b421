"""What files and streams share of decoding with FFmpeg's libraries."""

import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import av
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


def open_video(path: str, timeout_s: float = TIMEOUT_S) -> av.container.InputContainer:
    """Open a file or an address that has a video stream.

    Args:
        path: any container, codec and protocol that FFmpeg reads.
        timeout_s: how long to wait for a server, to connect and for each piece of data.

    Raises:
        UserError: if there is none, with the reason.
    """
    shown, url = without_password(path), is_url(path)
    # RTP over UDP loses packets on busy networks; other protocols ignore the option.
    options = {'rtsp_transport': 'tcp'} if url else {}
    try:
        container = av.open(path, options=options, timeout=timeout_s if url else None)
    except (av.error.FFmpegError, OSError) as error:
        reason = failure(error, timeout_s)
        if url:
            raise UserError(
                f'{shown}: cannot be opened ({reason}); is the address right and the server up? '
                'A server of mp4 files must support range requests'
            ) from error
        if os.path.getsize(path) == 0:
            reason = 'empty file'
        raise UserError(f'{shown}: not a readable video ({reason})') from error
    if not container.streams.video:
        container.close()
        raise UserError(f'{shown}: has no video stream')
    return container


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
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, errors: list[str]
) -> Iterator[av.VideoFrame]:
    """Decode what can be decoded; what cannot is described in ``errors``."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError as error:
            errors.append(f'broken container: {failure(error)}')
            return
        if packet is None:
            return
        if packet.is_corrupt:
            errors.append(f'incomplete data at {_packet_time(packet)}')
        try:
            yield from packet.decode()
        except av.error.FFmpegError as error:
            errors.append(f'undecodable data at {_packet_time(packet)}: {error.strerror}')


def _packet_time(packet: av.Packet) -> str:
    if packet.pts is None:
        return 'an unknown time'
    return f'{float(packet.pts * packet.time_base):.2f} s'


def upright(frame: av.VideoFrame) -> np.ndarray:
    """RGB pixels, (H, W, 3), after the rotation that the file asks of a player."""
    image = frame.to_ndarray(format='rgb24')
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


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
