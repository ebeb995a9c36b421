"""Cameras and streams: frames that come at their own pace, once, without a known end."""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import FileIO
from pathlib import Path
from urllib.parse import urlsplit

import av
import cv2
import numpy as np

from mmvseg.errors import UserError, counted

from .decoding import (
    TIMEOUT_S,
    check_size,
    failure,
    open_video,
    video_stream,
    without_password,
)
from .display import Display
from .frame_clock import FrameClock
from .frame_source import Frame

#: Rate of cameras and streams that state none, or one that no camera has.
USUAL_FPS = Fraction(30)
MAX_FPS = 1000


class CameraSource:
    """A camera of this computer.

    Args:
        index: 0 for the first camera.

    Raises:
        UserError: if it cannot be opened or gives no frame.
    """

    is_live = True
    length = end_s = None
    pixel_aspect = Fraction(1)

    def __init__(self, index: int) -> None:
        self.name = f'camera{index}'
        self.notes: list[str] = []
        self.damage: str | None = None
        self._label = f'camera {index}'
        with _silent_opencv():
            self._camera = cv2.VideoCapture(index)
        if not self._camera.isOpened():
            raise UserError(
                f'{self._label}: cannot be opened: there is none, another program uses it, or it '
                f'is not allowed ({_cameras()})'
            )
        self._first = self._read()
        if self._first is None:
            self._camera.release()
            raise UserError(f'{self._label}: opens but gives no frame')
        self.size = self._first.shape[:2]
        self.fps = _plausible(self._camera.get(cv2.CAP_PROP_FPS))

    def __iter__(self) -> Iterator[Frame]:
        image, self._first = _once(self._first, self._label), None
        start_s, index, seconds = time.monotonic(), 0, 0.0
        try:
            while image is not None:
                check_size(image, self.size, self._label, index)
                yield Frame(index, seconds, image)
                image = self._read()
                index, seconds = index + 1, time.monotonic() - start_s
        finally:
            self._camera.release()
        self.damage = (
            f'{self._label}: broke off after {counted(index, "frames")}, at {seconds:.2f} s'
        )

    def frame_path(self, index: int) -> str:
        """The camera and the frame's index: ``camera 0#12``."""
        return f'{self._label}#{index}'

    def _read(self) -> np.ndarray | None:
        found, image = self._camera.read()
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if found else None


class StreamSource:
    """A stream from the network, or from a pipe: RTSP, HTTP, UDP and what else FFmpeg receives.

    Data that arrive damaged are left out; when the stream breaks off, :attr:`damage` says where.
    Frames of another size than the first are scaled to it, as players do.

    Args:
        url: its address, of which a password is shown in no message, or an opened pipe.
        timeout_s: how long the sender may be silent.
        is_live: whether frames come at their own pace; a pipe waits until they are taken.
        label: what messages call it, by default the address.
        name: of the video, by default from the address.

    Raises:
        UserError: if it cannot be opened, or has no video stream or no frame.
    """

    length = end_s = None

    def __init__(
        self,
        url: str | FileIO,
        timeout_s: float = TIMEOUT_S,
        *,
        is_live: bool = True,
        label: str | None = None,
        name: str | None = None,
    ) -> None:
        self.is_live = is_live
        self.damage: str | None = None
        self._label, self._timeout_s = label or without_password(url), timeout_s
        parts = urlsplit(self._label)
        name = name or Path(parts.path).stem or parts.hostname or 'stream'
        self.name = re.sub(r'[^\w.-]', '_', name)
        self._container = open_video(url, timeout_s, label=label)
        stream = video_stream(self._container)
        # Threads that each decode a frame would hold back as many frames.
        stream.thread_type = 'SLICE'
        self.fps = _plausible(stream.average_rate or stream.guessed_rate)
        self._decoded = self._decode(stream)
        self._first = next(self._decoded, None)
        if self._first is None:
            raise UserError(
                f'{self._label}: no frame can be decoded ({self._broken or "the stream is empty"})'
            )
        self._display = Display(stream, self._first, self._label)
        self.size, self.pixel_aspect = self._display.size, self._display.pixel_aspect
        self.notes = self._display.notes

    def __iter__(self) -> Iterator[Frame]:
        decoded, self._first = _once(self._first, self._label), None
        index, clock = 0, FrameClock(self.fps)
        with self._container:
            while decoded is not None:
                seconds = clock.place(decoded.time)
                yield Frame(index, seconds, self._display.pixels(decoded, index))
                decoded, index = next(self._decoded, None), index + 1
        if self._broken:
            self.damage = (
                f'{self._label}: broke off after {counted(index, "frames")}, the last at '
                f'{seconds:.2f} s ({self._broken})'
            )

    def frame_path(self, index: int) -> str:
        """The address and the frame's index."""
        return f'{self._label}#{index}'

    def _decode(self, stream: av.video.stream.VideoStream) -> Iterator[av.VideoFrame]:
        self._broken: str | None = None
        packets = self._container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError) as error:
                self._broken = failure(error, self._timeout_s)
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                # A lost packet spoils frames until the next key frame; the stream goes on.
                continue
            yield from frames


def _once(first: object, label: str) -> object:
    if first is None:
        raise UserError(f'{label}: can be read only once; open it again')
    return first


def _plausible(fps: float | Fraction | None) -> Fraction:
    """The stated rate where it can be one: RTSP often states its clock of 90000 a second."""
    if not fps or not 0 < fps <= MAX_FPS:
        return USUAL_FPS
    return Fraction(fps).limit_denominator(100_000)


def _cameras() -> str:
    if not sys.platform.startswith('linux'):
        return 'cameras are counted from 0'
    devices = sorted(str(path) for path in Path('/dev').glob('video*'))
    return f'devices: {", ".join(devices)}' if devices else 'this computer has no /dev/video*'


@contextmanager
def _silent_opencv() -> Iterator[None]:
    """Our message says what OpenCV's pages on stderr say."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
