"""Video out: H.264 in mp4, complete or not there; or growing, and playable at any time."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import cv2
import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.files import partial_path
from mmvseg.locks import exclusive

from .audio import AudioTracks
from .decoding import protocol_path

#: Into how many parts a picture is cut, whose encoding can run at the same time. It shows in the
#: file, so the number of cores must not decide.
_THREADS = 4
#: Ticks a second that place the frames of a growing video: the clock of broadcasting.
_TICKS = 90_000
#: FFmpeg's flag that hands the durations of frames on to the file.
_KEEP_DURATIONS = 1 << 8


class VideoWriter:
    """Write an H.264 mp4 that browsers play, one frame at a time.

    The file appears under its name only when it is complete: a killed run leaves at most a hidden
    ``.<name>.part``. Odd heights and widths are padded by one row or column, as H.264 asks.
    Equal frames give an equal file.

    Args:
        path: the mp4 to write; its folder is made.
        fps: frames per second, ideally the ``Fraction`` of the source.
        crf: constant quality, 0 (lossless) to 51 (worst).
        timed: place frames by their times, as of a video without a constant rate.
        pixel_aspect: width of a pixel by its height, which players are told.
        growing: write under the file's own name from the start, frame by frame, so that all but
            the last frame can be played even if the program is killed. What was written stays when
            an exception ends it. Frames are placed by their times.
        audio: sound to put beside the frames, not for a growing video; closed with the file.
        max_gop: a frame that can be decoded on its own comes at least every so many frames, for
            players that jump; None leaves it to the encoder.

    Raises:
        UserError: if the file cannot be written, e.g. on a full disk, or another run writes it.

    Example:
        >>> with VideoWriter('out.mp4', Fraction(30000, 1001)) as writer:
        ...     for brightness in (0, 100, 200):
        ...         writer.write(np.full((48, 64, 3), brightness, np.uint8))
        >>> Path('out.mp4').exists()
        True
    """

    def __init__(
        self,
        path: str | Path,
        fps: Fraction | float,
        crf: int = 20,
        *,
        timed: bool = False,
        pixel_aspect: Fraction = Fraction(1),
        growing: bool = False,
        audio: AudioTracks | None = None,
        max_gop: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.count = 0
        self._growing, self._audio = growing, audio
        self._fps = Fraction(fps).limit_denominator(100_000)
        self._timed, self._pixel_aspect = timed or growing, pixel_aspect
        self._tick_s = Fraction(1, _TICKS) if self._timed else 1 / self._fps
        self._last_tick = -1
        self._failure = False
        self._crf, self._max_gop = crf, max_gop
        self._stream: av.video.stream.VideoStream | None = None
        self._part = self.path if growing else partial_path(self.path)
        self._held = ExitStack()
        options = {'movflags': '+faststart'}
        if growing:
            flags = '+empty_moov+default_base_moof+frag_keyframe+frag_every_frame'
            options = {'movflags': flags, 'flush_packets': '1'}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._held.enter_context(exclusive(self._part))
            if not growing:
                self._held.callback(self._part.unlink, missing_ok=True)
            self._container = av.open(protocol_path(self._part), 'w', format='mp4', options=options)
        except (av.error.FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def write(
        self, image: np.ndarray, seconds: float | None = None, lasting_s: float | None = None
    ) -> None:
        """Append a frame.

        Args:
            image: RGB uint8, (H, W, 3); all frames have the first one's size.
            seconds: of a timed or growing video, when it is shown; by default by the frame rate.
            lasting_s: how long, if no other frame follows; by default as the frame rate says.
        """
        height, width = image.shape[:2]
        if self._stream is None:
            self._stream = self._add_stream(height + height % 2, width + width % 2)
            self._size = (height, width)
        if (height, width) != self._size:
            raise ValueError(f'frame {self.count}: size {image.shape[:2]}, not {self._size}')
        if height % 2 or width % 2:
            image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format='rgb24')
        frame = frame.reformat(format='yuv420p', dst_colorspace='ITU709')
        timed = self._timed and seconds is not None
        due = Fraction(seconds) if timed else self.count / self._fps
        lasting = 1 / self._fps if lasting_s is None else Fraction(lasting_s)
        frame.duration = max(1, round(lasting / self._tick_s))
        self._last_tick = frame.pts = max(self._last_tick + 1, round(due / self._tick_s))
        frame.time_base = self._tick_s
        self._mux(frame)
        self.count += 1
        if self._audio:
            with self._failures():
                self._audio.write_until(self._end_s)

    def close(self) -> None:
        """Finish the file and give it its name."""
        if self._stream is None:
            self.discard()
            raise UserError(f'{self.path}: no frames to write')
        self._mux(None)
        with self._failures():
            if self._audio:
                self._audio.finish(self._end_s)
            self._container.close()
            if not self._growing:
                os.replace(self._part, self.path)
        self._held.close()

    def discard(self) -> None:
        """Drop what was written, or of a growing video what is not complete."""
        # Closing may fail for the reason that made us stop; the file is deleted anyway.
        with suppress(av.error.FFmpegError, OSError):
            self._container.close()
        if self._audio:
            self._audio.close()
        if self._growing and not self.count:
            self._part.unlink(missing_ok=True)
        self._held.close()

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._failure:
            return
        if error_type is None or (self._growing and self.count):
            self.close()
        else:
            self.discard()

    def _add_stream(self, height: int, width: int) -> av.video.stream.VideoStream:
        # The macroblock tree is left out: x264's code of it for AVX-512 reads memory that was never
        # set, so that equal frames would give differing files.
        options = {'crf': str(self._crf), 'preset': 'veryfast', 'mbtree': '0'}
        if self._max_gop:
            options['g'] = str(self._max_gop)
        if self._growing:
            options['tune'] = 'zerolatency'  # no frame waits in the encoder
        if self._timed:
            options['bf'] = '0'  # frames stored in another order would change when the last ends
        stream = self._container.add_stream('libx264', rate=self._fps, options=options)
        stream.height, stream.width, stream.pix_fmt = height, width, 'yuv420p'
        stream.codec_context.time_base = self._tick_s
        stream.codec_context.sample_aspect_ratio = self._pixel_aspect.limit_denominator(2**15)
        stream.codec_context.flags |= _KEEP_DURATIONS
        stream.codec_context.thread_count = _THREADS
        # State the conversion (BT.709, limited range), or players guess it from the frame size.
        stream.codec_context.colorspace = stream.codec_context.color_primaries = 1
        stream.codec_context.color_trc = stream.codec_context.color_range = 1
        if self._audio:
            self._audio.add_to(self._container)
        return stream

    @property
    def _end_s(self) -> Fraction:
        """When the last frame has been shown."""
        return self._last_tick * self._tick_s + 1 / self._fps

    def _mux(self, frame: av.VideoFrame | None) -> None:
        with self._failures():
            self._container.mux(self._stream.encode(frame))

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> UserError:
        self._failure = True
        if hasattr(self, '_container'):
            self.discard()
        self._held.close()
        written = counted(self.count, 'frames')
        return UserError(f'{self.path}: cannot write the video after {written} ({error})')
