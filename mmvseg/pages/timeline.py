"""Who shows whom, frame by frame, as bars: switches are changes of colour, gaps are thin lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from .records import ShownRun, ShownTube, ShownVideo
from .script_data import hex_color, label

#: In the place of a position.
NOBODY, ABSENT = -1, -2
#: Marks between which the numbers of frames stand on the bar, at most.
_MAX_TICKS = 10


@dataclass(frozen=True)
class Bar:
    """Frames in a row that show the same.

    Attributes:
        start: first frame.
        length: number of frames.
        color: of what is shown, as in CSS.
        is_thin: whether nothing is shown.
        text: in words.
    """

    start: int
    length: int
    color: str
    is_thin: bool
    text: str


def object_bars(video: ShownVideo, position: int, run: ShownRun) -> list[Bar]:
    """The bars of an annotated object, coloured by the track that shows it."""
    values = object_values(video.objects[position], position, run)
    return _bars(values, run.tracks, 'shown by', 'no track shows it')


def track_bars(video: ShownVideo, position: int, run: ShownRun) -> list[Bar]:
    """The bars of a track, coloured by the object that it shows; by itself if nobody knows."""
    track = run.tracks[position]
    if run.owners is None:
        own = np.where(present(track), 0, ABSENT)
        return _bars(own, [track], 'there:', '')
    values = np.where(present(track), run.owners[position], ABSENT)
    return _bars(values, video.objects or [], 'shows', 'shows no object', hex_color(track.color))


def annotated_bars(tube: ShownTube) -> list[Bar]:
    """The bars of an object that nobody has compared with tracks: where it is."""
    return _bars(np.where(present(tube), 0, ABSENT), [tube], 'there:', '')


def object_values(tube: ShownTube, position: int, run: ShownRun) -> np.ndarray:
    """Position of the track that shows an object, or NOBODY, or ABSENT, (T,) int.

    Of several tracks on it, the one of the frame before stays, then comes the best.
    """
    values = np.where(present(tube), NOBODY, ABSENT)
    before = NOBODY
    for frame in np.flatnonzero(values == NOBODY).tolist():
        on_it = np.flatnonzero(run.owners[:, frame] == position).tolist()
        if on_it:
            before = before if before in on_it else on_it[0]
            values[frame] = before
    return values


def present(tube: ShownTube) -> np.ndarray:
    """Whether a tube is in each frame, (T,) bool."""
    return np.array([code is not None for code in tube.masks], bool)


def _bars(
    values: np.ndarray,
    shown: Sequence[ShownTube],
    verb: str,
    nobody: str,
    nobody_color: str = '',
) -> list[Bar]:
    bars, start = [], 0
    for value, group in groupby(values.tolist()):
        length = len(list(group))
        if value != ABSENT:
            is_thin = value == NOBODY
            color = nobody_color if is_thin else hex_color(shown[value].color)
            what = nobody if is_thin else f'{verb} {label(shown[value])}'
            bars.append(Bar(start, length, color, is_thin, f'{_frames(start, length)}: {what}'))
        start += length
    return bars


def _frames(start: int, length: int) -> str:
    return f'frame {start}' if length == 1 else f'frames {start} to {start + length - 1}'


def ticks(length: int) -> list[int]:
    """Frames whose numbers stand on the bar of a video of ``length`` frames.

    Example:
        >>> ticks(36), ticks(1)
        ([0, 5, 10, 15, 20, 25, 30, 35], [0])
    """
    steps = (base * 10**power for power in range(9) for base in (1, 2, 5))
    step = next(step for step in steps if length <= step * _MAX_TICKS)
    return list(range(0, length, step))
