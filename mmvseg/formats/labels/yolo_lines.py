"""Lines of YOLO's segmentation labels: a class, a polygon, and what may stand behind it.

That a line ends with a track id, or with a confidence and one, is not declared anywhere. The count
of numbers behind the class is all there is: of a polygon it is even.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmvseg.errors import counted

from .outlines import corner_polygon_code, polygon_rule


@dataclass(frozen=True)
class Line:
    """A part of an object in a frame.

    Attributes:
        label: number of the class.
        points: x and y divided by width and height, (P, 2).
        track: number of the object, None if the line has none.
    """

    label: int
    points: np.ndarray
    track: int | None


def read_line(words: Sequence[str], with_confidence: bool) -> Line:
    """The meaning of a line.

    Args:
        words: of the line.
        with_confidence: a confidence and an id stand behind the polygon.

    Raises:
        ValueError: it is broken, or has something else at its end.
    """
    try:
        label, *numbers = map(float, words)
    except ValueError as error:
        raise ValueError('has words that are no numbers') from error
    track = id_ = None
    if with_confidence:
        if len(numbers) % 2:
            raise ValueError(
                f'{counted(len(numbers), "numbers")} after the class, so there are no confidence '
                'and id behind a polygon; leave --with-confidence out'
            )
        *numbers, _, id_ = numbers
    elif len(numbers) % 2:
        *numbers, id_ = numbers
    if len(numbers) < 6:
        raise ValueError(
            f'a polygon of {counted(len(numbers) // 2, "points")}; at least 3 are needed (lines '
            'of boxes have no masks)'
        )
    if id_ is not None and not _is_count(id_):
        raise ValueError(f'{id_:g} is no track id (is it a confidence, and is there no id?)')
    if id_ is not None:  # a float has not all digits of a large id
        track = int(words[-1]) if words[-1].isdecimal() else int(id_)
    if id_ is None and numbers[-1] > 1 and _is_count(numbers[-1]):
        raise ValueError(
            f'the last number is {numbers[-1]:g}: if it is a track id behind a confidence, give '
            '--with-confidence'
        )
    if not _is_count(label):
        raise ValueError(f'{label:g} is no number of a class')
    points = np.array(numbers).reshape(-1, 2)
    return Line(int(label), points, track)


def _is_count(number: float) -> bool:
    return math.isfinite(number) and number >= 0 and number == int(number)


def line_code(line: Line, height: int, width: int) -> dict:
    """Run-length code of a line.

    Raises:
        ValueError: its points are far outside of the frame.
    """
    if (rule := polygon_rule(line.points, 1, 1)) is not None:
        raise ValueError(f'{rule} (points are divided by the width and height of the picture)')
    return corner_polygon_code(line.points * (width, height), height, width)
