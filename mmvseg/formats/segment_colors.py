"""Colours that are the ids of panoptic segments: a picture that can be read back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mmvseg.structures import Segment

#: Where the fractional parts of the multiples of these three numbers lie in a cube, they lie far
#: apart: the powers of the inverse of the real root of x^4 = x + 1.
_STEPS = 1.2207440846057596 ** -np.arange(1.0, 4.0)


def segment_colors(segments: Sequence[Segment], metainfo: Mapping[str, Any]) -> np.ndarray:
    """A colour for each segment of a video, as its id in PNGs: R + 256 G + 65536 B.

    Stuff has the colour of its class. The first thing of a class has it too, unless it is one of
    stuff, the others have colours close to it. Depends on the arguments alone.

    Args:
        segments: of one video.
        metainfo: of the dataset: ``palette``, RGB of each class, those of ``thing_classes`` first.

    Returns:
        RGB of each segment, all different, none black, (N, 3) uint8.
    """
    palette = [tuple(color) for color in metainfo['palette']]
    of_stuff = set(palette[len(metainfo['thing_classes']) :])
    taken = {(0, 0, 0)}
    near = {color: _near(color) for color in palette}
    colors = np.zeros((len(segments), 3), np.uint8)
    # stuff first, since it has a right to its colour
    for i in sorted(range(len(segments)), key=lambda i: segments[i].is_thing):
        color = palette[segments[i].label]
        if color in taken or (segments[i].is_thing and color in of_stuff):
            color = next(c for c in near[color] if c not in taken and c not in of_stuff)
        taken.add(color)
        colors[i] = color
    return colors


def _near(color: tuple[int, int, int]) -> Iterator[tuple[int, int, int]]:
    """Colours around one, in ever wider cubes that end as all there are."""
    number = 0
    while True:
        number += 1
        radius = min(40 + number, 255)
        shifted = np.array(color) + radius * (2 * (number * _STEPS % 1) - 1)
        reflected = 255 - np.abs(255 - np.abs(np.rint(shifted)))  # back into 0..255
        yield tuple(reflected.astype(int).tolist())
