"""The frames that results belong to, checked against what the annotation file says of them."""

from collections.abc import Iterable, Iterator

import numpy as np

from mmvseg.errors import UserError
from mmvseg.media.images import read_image
from mmvseg.media.pixel_values import ValueRange

from .results_file import ResultVideo


def read_frames(
    video: ResultVideo, frames: Iterable[int], value_range: ValueRange | None = None
) -> Iterator[np.ndarray]:
    """Some of the video's frames, RGB uint8 (H, W, 3).

    Args:
        video: with the paths.
        frames: 0-based indices.
        value_range: of frames of 16 bits, the values that become black and white.

    Raises:
        UserError: a frame is missing, broken, or not of the size that the annotation file states.
    """
    for frame in frames:
        try:
            image = read_image(video.frames[frame], value_range)
        except UserError as error:
            raise UserError(f'video {video.name}, frame {frame}: {error}') from error
        if image.shape[:2] != video.size:
            raise UserError(
                f'{video.frames[frame]}: {image.shape[1]}x{image.shape[0]} pixels, the annotation '
                f'file says {video.size[1]}x{video.size[0]} (is --root the right folder?)'
            )
        yield image
