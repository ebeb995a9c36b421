"""Frames in: one protocol, and the sources that can be read again and again."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from mmvseg.errors import UserError

from .decoding import check_size, decode, duration, open_video, upright, without_password
from .images import IMAGE_SUFFIXES, read_image
from .names import natural_key

#: Rate of frames that carry no timing (folders): YouTube-VIS annotates every fifth of 30 a second.
DEFAULT_FPS = Fraction(6)


class DamagedVideoWarning(UserWarning):
    """A video broke off; what was decoded before is used."""


class Frame(NamedTuple):
    """One decoded frame: 0-based ``index``, time in ``seconds``, RGB uint8 ``image`` (H, W, 3)."""

    index: int
    seconds: float
    image: np.ndarray


class FrameSource(Protocol):
    """Frames of one video, decoded one at a time; every ``iter()`` starts again at frame 0.

    Attributes:
        name: short name for messages and output files.
        is_live: whether frames come at their own pace, can be read only once and may never end.
        fps: frames per second.
        size: (height, width) of every frame.
        length: number of frames as far as it is known without decoding, else None.
        damage: after an iteration, where and how the video broke off; None if it was read whole.
    """

    name: str
    is_live: bool
    fps: Fraction
    size: tuple[int, int]
    length: int | None
    damage: str | None

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
    """Images, all of one size, as the frames of a video.

    Args:
        paths: the frames in order.
        name: name of the video.
        fps: frames per second.

    Raises:
        UserError: for no images, an unreadable image, or (while iterating) differing sizes.
    """

    is_live = False
    damage = None

    def __init__(self, paths: Sequence[str | Path], name: str, fps: Fraction = DEFAULT_FPS) -> None:
        if not paths:
            raise UserError(f'{name}: no frames')
        self.paths = [str(path) for path in paths]
        self.name = name
        self.fps = fps
        self.length = len(self.paths)
        self.size = read_image(self.paths[0]).shape[:2]

    def __iter__(self) -> Iterator[Frame]:
        for index, path in enumerate(self.paths):
            image = read_image(path)
            check_size(image, self.size, path, index)
            yield Frame(index, float(index / self.fps), image)

    def frame_path(self, index: int) -> str:
        """Path of image ``index``."""
        return self.paths[index]


class ImageFolder(ImageSequence):
    """The images of a folder, in natural order.

    Args:
        folder: where the images are; sub-folders and hidden files are left out.
        fps: frames per second.

    Raises:
        UserError: if the folder holds no image.
    """

    def __init__(self, folder: str | Path, fps: Fraction = DEFAULT_FPS) -> None:
        folder = Path(folder)
        paths = [
            path
            for path in folder.iterdir()
            if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith('.')
        ]
        if not paths:
            inside = ', '.join(sorted(path.name for path in folder.iterdir())[:5]) or 'nothing'
            raise UserError(
                f'{folder}: no frames (looked for {" ".join(sorted(IMAGE_SUFFIXES))}; found '
                f'{inside})'
            )
        super().__init__(sorted(paths, key=natural_key), folder.resolve().name, fps)


class VideoFile:
    """A video file, here or on a server, decoded with FFmpeg's libraries and turned upright.

    A file that breaks off, or holds undecodable packets, gives the frames that can be decoded;
    :attr:`damage` then says where.

    Args:
        path: any container and codec that FFmpeg reads; also the address of a file.

    Raises:
        UserError: if the file is unreadable, has no video stream or no frame.
    """

    is_live = False

    def __init__(self, path: str | Path) -> None:
        self._address = str(path)
        self.path = without_password(self._address)
        self.name = Path(self.path).stem
        self.damage: str | None = None
        with open_video(self._address) as container:
            stream = container.streams.video[0]
            rate = stream.average_rate or stream.guessed_rate
            if not rate:
                raise UserError(f'{self.path}: the file states no frame rate')
            self.fps = Fraction(rate)
            self._duration_s = duration(container, stream)
            self.length = stream.frames or (
                round(self._duration_s * self.fps) if self._duration_s else None
            )
        # Only a decoded frame tells the true size and rotation.
        self.size = next(iter(self)).image.shape[:2]

    def __iter__(self) -> Iterator[Frame]:
        self.damage = None
        index, seconds, errors = 0, 0.0, []
        with open_video(self._address) as container:
            stream = container.streams.video[0]
            stream.thread_type = 'AUTO'
            start_s = float((stream.start_time or 0) * stream.time_base)
            for decoded in decode(container, stream, errors):
                image = upright(decoded)
                if index:
                    check_size(image, self.size, self.path, index)
                seconds = index / self.fps if decoded.time is None else decoded.time - start_s
                yield Frame(index, float(seconds), image)
                index += 1
        if index == 0:
            raise UserError(
                f'{self.path}: no frame can be decoded ({"; ".join(errors) or "empty"})'
            )
        self.damage = self._find_damage(index, float(seconds), errors)

    @property
    def address(self) -> str:
        """The path or address to open it again; may hold a password, so it is not for messages."""
        return self._address

    def frame_path(self, index: int) -> str:
        """The file and the frame's index: ``street.mp4#12``."""
        return f'{self.path}#{index}'

    def _find_damage(self, count: int, last_s: float, errors: list[str]) -> str | None:
        where = f'{self.path}: read {count} frames'
        if self.length:
            where += f' of {self.length}'
        where += f', the last at {last_s:.2f} s'
        if errors:
            return f'{where}; the file is truncated or damaged ({errors[0]})'
        missing_s = (self._duration_s or 0) - last_s
        # Containers round durations; half a second is beyond what rounding and delays explain.
        if missing_s > max(0.5, 3 / self.fps):
            return f'{where}; {missing_s:.2f} s are missing at its end (truncated file?)'
        return None
