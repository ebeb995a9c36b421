"""Regions of Label Studio as masks: lengths are percent of the picture, corners are meant."""

from collections.abc import Iterator
from itertools import pairwise, zip_longest
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from .labelstudio_regions import Region
from .labelstudio_rle import decode_brush
from .outlines import box_corners, corner_polygon_code, encode, polygon_rule


class _Box(Struct):
    """A box, turned about its top left corner by ``rotation`` degrees, clockwise."""

    x: float
    y: float
    width: float
    height: float
    rotation: float | None = None

    def code(self, height: int, width: int) -> dict:
        """Run-length code of its pixels."""
        x, box_width = (value * width / 100 for value in (self.x, self.width))
        y, box_height = (value * height / 100 for value in (self.y, self.height))
        corners = box_corners(x, y, box_width, box_height, self.rotation or 0, about='corner')
        if (rule := polygon_rule(corners, height, width)) is not None:
            raise ValueError(rule)
        return corner_polygon_code(corners, height, width)


class _KeyFrame(_Box, kw_only=True):
    """A box in a frame, counted from 1."""

    frame: int
    enabled: bool | None = None
    time: float | None = None


class _Sequence(Struct):
    sequence: list[_KeyFrame]
    framesCount: float | None = None


def region_code(region: Region, height: int, width: int) -> dict:
    """Run-length code of a region of a picture.

    Raises:
        ValueError: it is broken, or of a picture of another size.
    """
    if region.size not in (None, (height, width)):
        raise ValueError(
            f'of a picture of {region.size[1]}x{region.size[0]} pixels, the frames have '
            f'{width}x{height}'
        )
    if region.rotation:
        raise ValueError(f'the picture was turned by {region.rotation:g} degrees to label it')
    if region.kind == 'brush':
        return _brush(region.value, height, width)
    if region.kind == 'polygon':
        return _polygon(region.value, height, width)
    if region.kind == 'rectangle':
        return _converted(region.value, _Box).code(height, width)
    raise ValueError(f'a region of the type {region.kind} in a picture')


def _brush(value: dict[str, Any], height: int, width: int) -> dict:
    rle = value.get('rle')
    if value.get('format', 'rle') != 'rle' or not isinstance(rle, list):
        raise ValueError('a brush without rle')
    try:
        return encode(decode_brush(bytes(rle), height, width))
    except TypeError as error:
        raise ValueError('an rle that is no list of bytes') from error


def _polygon(value: dict[str, Any], height: int, width: int) -> dict:
    points = _converted(value, _Points).points
    if (rule := polygon_rule(points, 100, 100)) is not None:
        raise ValueError(rule)
    return corner_polygon_code(np.array(points) * (width / 100, height / 100), height, width)


class _Points(Struct):
    points: list[list[float]]


def _converted(value: dict[str, Any], kind: type) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace('`', '').replace('$.', '')) from error


class BoxTrack:
    """A box over the frames of a video.

    Args:
        value: of the region.

    Raises:
        ValueError: it is broken.
    """

    def __init__(self, value: dict[str, Any]) -> None:
        track = _converted(value, _Sequence)
        self._keys = sorted(track.sequence, key=lambda key: key.frame)
        #: Number of frames as the labelling page counted them, None if it does not say.
        self.length = None if track.framesCount is None else round(track.framesCount)
        for key, following in pairwise(self._keys):
            if key.frame == following.frame:
                raise ValueError(f'two key frames at frame {key.frame}')

    def place_by_time(self, fps: float, length: int) -> None:
        """Give the key frames the numbers of frames that are shown at their times.

        Args:
            fps: frames of the video a second.
            length: number of its frames.

        Raises:
            ValueError: there is a key frame without a time.
        """
        placed = {}
        for key in self._keys:
            if key.time is None:
                raise ValueError(f'the key frame at frame {key.frame} has no time')
            key.frame = round(key.time * fps) + 1
            placed[key.frame] = key
        self._keys, self.length = list(placed.values()), length

    def codes(self, length: int, height: int, width: int) -> Iterator[tuple[int, dict]]:
        """The box frame by frame, where it is: 0-based index and run-length code.

        Raises:
            ValueError: it is in frames that there are not.
        """
        for key, following in zip_longest(self._keys, self._keys[1:]):
            stop = (self.length or length) + 1 if following is None else following.frame
            if key.frame < 1 or max(key.frame, stop - 1) > length:
                last = max(key.frame, stop - 1)
                raise ValueError(f'frames {key.frame} to {last} of a video of {length}, from 1')
            if key.enabled is False:  # seen here, and gone after it
                stop = key.frame + 1
            for frame in range(key.frame, stop):
                box = key if following is None else _between(key, following, frame)
                yield frame - 1, box.code(height, width)


def _between(key: _KeyFrame, following: _KeyFrame, frame: int) -> _Box:
    share = (frame - key.frame) / (following.frame - key.frame)
    starts, ends = (
        (box.x, box.y, box.width, box.height, box.rotation or 0) for box in (key, following)
    )
    return _Box(*(a + (b - a) * share for a, b in zip(starts, ends, strict=True)))
