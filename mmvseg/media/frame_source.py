"""Frames in: one protocol, and the sources that can be read again and again."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Protocol

import av
import numpy as np

from mmvseg.errors import UserError, counted

from .decoding import (
    check_size,
    decode,
    duration,
    note_once,
    open_video,
    video_stream,
    without_password,
)
from .display import Display
from .frame_clock import FrameClock
from .frame_files import frames_of_folder
from .images import read_values, to_rgb
from .pixel_values import ValueRange, choose_range, described, to_uint8

#: Rate of frames that carry no timing (folders): YouTube-VIS annotates every fifth of 30 a second.
DEFAULT_FPS = Fraction(6)

#: FFmpeg's names of 16-bit greys; numpy gets the first as numbers.
_DEEP_GREYS = ('gray16le', 'gray16be')


class DamagedVideoWarning(UserWarning):
    """A video broke off; what was decoded before is used."""


class Frame(NamedTuple):
    """One decoded frame: 0-based ``index``, time in ``seconds``, RGB uint8 ``image`` (H, W, 3)."""

    index: int
    seconds: float
    image: np.ndarray


class FrameSource(Protocol):
    """Frames of one video, decoded one at a time; every ``iter()`` starts again at frame 0.

    This is all that is known of a video; what the tools write has its sizes, times and pixels.

    Attributes:
        name: short name for messages and output files.
        is_live: whether frames come at their own pace, can be read only once and may never end.
        fps: frames per second, on average where they do not come at a rate.
        size: (height, width) of every frame.
        pixel_aspect: width of a pixel by its height, as a player shows it.
        length: number of frames as far as it is known without decoding, else None.
        notes: lines on how frames were chosen or changed; there may be more after an iteration.
        damage: after an iteration, where and how the video broke off; None if it was read whole.
        end_s: after an iteration, when the last frame ends, in seconds; None if nothing says so.
    """

    name: str
    is_live: bool
    fps: Fraction
    size: tuple[int, int]
    pixel_aspect: Fraction
    length: int | None
    notes: list[str]
    damage: str | None
    end_s: float | None

    def __iter__(self) -> Iterator[Frame]:
        """Decode lazily from the first frame on."""
        ...

    def frame_path(self, index: int) -> str:
        """Where frame ``index`` comes from, for messages and results."""
        ...


def parse_fps(text: str) -> Fraction:
    """A frame rate from the command line: ``25``, ``29.97`` or ``30000/1001``.

    Raises:
        ValueError: if it is no number above 0.
    """
    try:
        fps = Fraction(text)
    except ZeroDivisionError as error:
        raise ValueError(text) from error
    if fps <= 0:
        raise ValueError(text)
    return fps


class ImageSequence:
    """Images, all of one size and type, as the frames of a video.

    Args:
        paths: the frames in order.
        name: name of the video.
        fps: frames per second.
        value_range: the values that become 0 and 255; by default those of the smallest number of
            bits that holds all of the video's.
        notes: what to say of the choice of the images.

    Raises:
        UserError: for no images, an unreadable image, or (while iterating) differing sizes.
    """

    is_live = False
    damage = end_s = None
    pixel_aspect = Fraction(1)

    def __init__(
        self,
        paths: Sequence[str | Path],
        name: str,
        fps: Fraction = DEFAULT_FPS,
        value_range: ValueRange | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        if not paths:
            raise UserError(f'{name}: no frames')
        self.paths = [str(path) for path in paths]
        self.name = name
        self.fps = fps
        self.length = len(self.paths)
        self.notes = [*notes]
        first = next(iter(self._read()))
        self.size, self._type = first.shape[:2], first.dtype
        self._range = value_range
        if value_range is None:
            self._range, note = choose_range(first, self._all_values, name)
        else:
            note = described(name, value_range)
        self.notes += [note] if note else []

    def __iter__(self) -> Iterator[Frame]:
        for index, values in enumerate(self._all_values()):
            image = to_uint8(values, self._range, self.frame_path(index))
            yield Frame(index, float(index / self.fps), image)

    def frame_path(self, index: int) -> str:
        """Path of image ``index``."""
        return self.paths[index]

    def _all_values(self) -> Iterator[np.ndarray]:
        for index, values in enumerate(self._read()):
            path = self.frame_path(index)
            check_size(values, self.size, path, index)
            if values.dtype != self._type:
                raise UserError(
                    f'{path}: frame {index} has values of {values.dtype}, the frames before it of '
                    f'{self._type} (all frames of a video must have one type)'
                )
            yield values

    def _read(self) -> Iterator[np.ndarray]:
        return map(read_values, self.paths)


class Picture(ImageSequence):
    """A single image, see :class:`ImageSequence`."""


class ImageFolder(ImageSequence):
    """The images of a folder, in natural order.

    Args:
        folder: where the images are; sub-folders, hidden files and masks of other images are left
            out.
        fps: frames per second.
        value_range: see :class:`ImageSequence`.

    Raises:
        UserError: if the folder holds no image.
    """

    def __init__(
        self,
        folder: str | Path,
        fps: Fraction = DEFAULT_FPS,
        value_range: ValueRange | None = None,
    ) -> None:
        folder = Path(folder)
        paths, notes = frames_of_folder(folder)
        super().__init__(paths, folder.resolve().name, fps, value_range, notes)


class VideoFile:
    """A video file, here or on a server, decoded with FFmpeg's libraries and turned upright.

    A file that breaks off, or holds undecodable packets, gives the frames that can be decoded;
    :attr:`damage` then says where. Frames of another size than the first are scaled to it, as
    players do.

    Args:
        path: any container and codec that FFmpeg reads; also the address of a file.
        value_range: of a video of 16-bit greys, the values that become 0 and 255, see
            :class:`ImageSequence`.
        container_format: FFmpeg's name of the container, where content and name may mislead.
        label: what it is called in messages and results, by default the path.

    Attributes:
        start_s: time of the first frame in the file, from which the frames' seconds are counted.

    Raises:
        UserError: if the file is unreadable, has no video stream or no frame, or if a range is
            given for pixels of other kinds.
    """

    is_live = False

    def __init__(
        self,
        path: str | Path,
        value_range: ValueRange | None = None,
        container_format: str | None = None,
        label: str | None = None,
    ) -> None:
        self._address, self._format = str(path), container_format
        self.path = label or without_password(self._address)
        self.name = Path(without_password(self._address)).stem
        self.damage: str | None = None
        self.end_s: float | None = None
        with self._open() as container:
            stream = video_stream(container)
            rate = stream.average_rate or stream.guessed_rate
            if not rate:
                raise UserError(f'{self.path}: the file states no frame rate')
            self.fps = Fraction(rate)
            self._duration_s = duration(container, stream)
            self.length = stream.frames or (
                round(self._duration_s * self.fps) if self._duration_s else None
            )
            # Only a decoded frame tells the true size and how it is turned.
            first = next(self._decode(container, [], []))
            self._display = Display(stream, first, self.path)
            self.size, self.pixel_aspect = self._display.size, self._display.pixel_aspect
            self.notes = self._display.notes
            self.start_s = first.time or 0.0
        self._is_deep, self._range = first.format.name in _DEEP_GREYS, value_range
        if value_range is not None:
            if not self._is_deep:
                raise UserError(
                    f'{self.path}: a range of values is for pictures and videos of 16-bit greys; '
                    f'this video has the pixels {first.format.name}'
                )
            self.notes.append(described(self.name, value_range))
        elif self._is_deep:
            self._range, note = choose_range(self._pixels(first, 0), self._all_values, self.name)
            self.notes.append(note)

    def __iter__(self) -> Iterator[Frame]:
        self.damage = self.end_s = None
        index, errors, gaps, clock = 0, [], [], FrameClock(self.fps)
        with self._open() as container:
            video_stream(container).thread_type = 'AUTO'
            for decoded in self._decode(container, errors, gaps):
                seconds = clock.place(decoded.time)
                values = self._pixels(decoded, index)
                yield Frame(index, seconds, to_uint8(values, self._range, self.path))
                index += 1
        lasting = decoded.duration * decoded.time_base if decoded.duration else 1 / self.fps
        self.end_s = seconds + float(lasting)
        self.damage = self._find_damage(index, seconds, errors)
        if gaps and not errors:
            note_once(self.notes, f'{self.path}: frames may be damaged', f' ({gaps[0]})')

    @property
    def address(self) -> str:
        """The path or address to open it again; may hold a password, so it is not for messages."""
        return self._address

    def frame_path(self, index: int) -> str:
        """The file and the frame's index: ``street.mp4#12``."""
        return f'{self.path}#{index}'

    def _open(self) -> av.container.InputContainer:
        return open_video(self._address, container_format=self._format, label=self.path)

    def _decode(
        self, container: av.container.InputContainer, errors: list[str], gaps: list[str]
    ) -> Iterator[av.VideoFrame]:
        decoded = None
        for decoded in decode(container, video_stream(container), errors, gaps):
            yield decoded
        if decoded is None:
            raise UserError(
                f'{self.path}: no frame can be decoded ({"; ".join(errors) or "empty"})'
            )

    def _pixels(self, decoded: av.VideoFrame, index: int) -> np.ndarray:
        """Its values, (H, W, 3), 8 bits or those of the file."""
        if self._is_deep:
            return to_rgb(self._display.pixels(decoded, index, _DEEP_GREYS[0]))
        return self._display.pixels(decoded, index)

    def _all_values(self) -> Iterator[np.ndarray]:
        with self._open() as container:
            for index, decoded in enumerate(self._decode(container, [], [])):
                yield self._pixels(decoded, index)

    def _find_damage(self, count: int, last_s: float, errors: list[str]) -> str | None:
        where = f'{self.path}: read {counted(count, "frames")}'
        if self.length:
            where += f' of {self.length}'
        where += f', the last at {last_s:.2f} s'
        if errors:
            return f'{where}; the file is truncated or damaged ({errors[0]})'
        missing_s = (self._duration_s or 0) - last_s
        # Containers round durations; half a second is beyond what rounding and delays explain.
        if missing_s > max(0.5, 3 / self.fps, 2 * (self.end_s - last_s)):
            return f'{where}; {missing_s:.2f} s are missing at its end (truncated file?)'
        return None
