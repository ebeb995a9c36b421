"""From decoded frames to what a player shows: mirrored, turned, of one size."""

from fractions import Fraction
from typing import NamedTuple

import av
import cv2
import numpy as np

from .decoding import note_once


class Orientation(NamedTuple):
    """How stored pixels become those to be seen: transposed first, then flipped."""

    transposed: bool = False
    columns_flipped: bool = False
    rows_flipped: bool = False


#: By quarter turns to the left.
_ROTATIONS = (
    Orientation(),
    Orientation(transposed=True, rows_flipped=True),
    Orientation(columns_flipped=True, rows_flipped=True),
    Orientation(transposed=True, columns_flipped=True),
)


def orientation(frame: av.VideoFrame) -> Orientation:
    """What the file's display matrix asks of a player; angles between are rounded to these eight.

    The matrix takes the stored pixel (x, y) to (a x + c y, b x + d y).
    """
    try:
        matrix = frame.side_data.get('DISPLAYMATRIX')
    except ValueError:  # PyAV lists none of them where it does not know one, such as Exif
        return _ROTATIONS[round(frame.rotation / 90) % 4]
    if matrix is None:
        return Orientation()
    a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, np.int32)[:5])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, c < 0, b < 0)
    return Orientation(False, a < 0, d < 0)


class Display:
    """Shows the frames of a video as a player does.

    Args:
        stream: of the frames.
        first: its first frame.
        path: of the video, for messages.

    Attributes:
        size: (height, width) of what is shown: that of the first frame.
        pixel_aspect: width of a pixel by its height; 1 where the file does not say.
        notes: a line if frames of other sizes were scaled to that.
    """

    def __init__(
        self, stream: av.video.stream.VideoStream, first: av.VideoFrame, path: str
    ) -> None:
        self._path = path
        self._known: dict[tuple, Orientation] = {}
        self.size = self._size(first)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        self.pixel_aspect = 1 / aspect if self._orientation(first).transposed else aspect
        self.notes: list[str] = []

    def pixels(self, frame: av.VideoFrame, index: int, pixel_format: str = 'rgb24') -> np.ndarray:
        """The frame's pixels, by default RGB, (H, W, 3).

        Args:
            frame: as decoded.
            index: its number.
            pixel_format: FFmpeg's name of the format that comes out.
        """
        if self._size(frame) != self.size:
            self._note_scaling(frame, index)
        transposed, columns_flipped, rows_flipped = self._orientation(frame)
        height, width = self.size[::-1] if transposed else self.size
        image = frame.to_ndarray(format=pixel_format, height=height, width=width)
        if transposed:
            image = cv2.transpose(image)
        if columns_flipped or rows_flipped:
            both = columns_flipped and rows_flipped
            image = cv2.flip(image, -1 if both else int(columns_flipped))  # 0: rows, 1: columns
        return image

    def _orientation(self, frame: av.VideoFrame) -> Orientation:
        # Reading a frame's side data ties it into a circle of references, and its memory waits for
        # the garbage collector.
        key = frame.rotation, frame.height, frame.width
        if key not in self._known:
            self._known[key] = orientation(frame)
        return self._known[key]

    def _size(self, frame: av.VideoFrame) -> tuple[int, int]:
        size = frame.height, frame.width
        return size[::-1] if self._orientation(frame).transposed else size

    def _note_scaling(self, frame: av.VideoFrame, index: int) -> None:
        height, width = self._size(frame)
        note_once(
            self.notes,
            f'{self._path}: the size changes in the stream',
            f': frame {index} is {width}x{height} pixels, the first '
            f'{self.size[1]}x{self.size[0]}; frames of other sizes are scaled to that',
        )
