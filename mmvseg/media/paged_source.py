"""Pictures of several pages as videos: stacks of microscopes, animated WebP."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmvseg.errors import UserError

from .decoding import MAX_VIDEO_PIXELS
from .frame_source import Frame, ImageSequence
from .images import MAX_PIXELS, MAX_SIDE, TIFF_FLAGS, to_rgb, too_large
from .pages import open_picture, tiff_pages
from .pixel_values import ValueRange

#: OpenCV walks from the first page whenever it is asked; so many bytes of pages at once.
_CHUNK_BYTES = 2**26
#: What players make of frames without a delay.
_NO_DELAY_S = 0.1


class TiffStack(ImageSequence):
    """The pages of a TIFF, all of one size and type, as the frames of a video.

    Args:
        path: the file; thumbnails and masks among its pages are left out.
        fps: frames per second.
        value_range: see :class:`ImageSequence`.

    Raises:
        UserError: if a page is unreadable, or too large, or (while iterating) of another size.
    """

    def __init__(self, path: Path, fps: Fraction, value_range: ValueRange | None = None) -> None:
        self._path = str(path)
        with path.open('rb') as file:
            self._pages = tiff_pages(file, self._path)
        for _, size in self._pages:
            if not 0 < min(size) <= max(size) <= MAX_SIDE or size[0] * size[1] > MAX_PIXELS:
                raise too_large(path, size)
        super().__init__([path] * len(self._pages), path.stem, fps, value_range)

    def frame_path(self, index: int) -> str:
        """The file and the page, counted from 0: ``stack.tif#12``."""
        return f'{self._path}#{index}'

    def _read(self) -> Iterator[np.ndarray]:
        height, width = self._pages[0][1]
        count = max(1, _CHUNK_BYTES // (8 * height * width))
        for start in range(0, len(self._pages), count):
            wanted = [position for position, _ in self._pages[start : start + count]]
            first, span = wanted[0], wanted[-1] - wanted[0] + 1
            try:
                done, pages = cv2.imreadmulti(self._path, first, span, flags=TIFF_FLAGS)
            except (cv2.error, MemoryError) as error:
                raise UserError(f'{self.frame_path(start)}: not a readable page') from error
            if not done or len(pages) < span:
                broken = start + len([p for p in wanted if p < first + len(pages)])
                raise UserError(f'{self.frame_path(broken)}: not a readable page')
            yield from (to_rgb(pages[position - first]) for position in wanted)


class AnimatedWebP:
    """The frames of an animated WebP, each at its time.

    Args:
        path: the file.

    Raises:
        UserError: if it cannot be read.
    """

    is_live = False
    damage = None
    pixel_aspect = Fraction(1)

    def __init__(self, path: Path) -> None:
        self.name, self._path = path.stem, str(path)
        self.notes: list[str] = []
        self.end_s: float | None = None
        with open_picture(path) as image:
            self.length, self.size = image.n_frames, (image.height, image.width)
            if image.height * image.width > MAX_VIDEO_PIXELS:
                raise too_large(path, self.size)
            delay_s = _decoded(image, 0, self._path)[1]
        self.fps = 1 / Fraction(delay_s).limit_denominator(1000)

    def __iter__(self) -> Iterator[Frame]:
        seconds = 0.0
        with open_picture(self._path) as image:
            for index in range(self.length):
                pixels, delay_s = _decoded(image, index, self.frame_path(index))
                yield Frame(index, seconds, pixels)
                seconds += delay_s
        self.end_s = seconds

    def frame_path(self, index: int) -> str:
        """The file and the frame's index: ``cat.webp#12``."""
        return f'{self._path}#{index}'


def _decoded(image: Image.Image, index: int, where: str) -> tuple[np.ndarray, float]:
    """RGB pixels of a frame and how long it is shown, in seconds."""
    try:
        image.seek(index)
        pixels = np.asarray(image.convert('RGB'))
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise UserError(f'{where}: not a readable frame ({error})') from error
    return pixels, image.info.get('duration', 0) / 1000 or _NO_DELAY_S
