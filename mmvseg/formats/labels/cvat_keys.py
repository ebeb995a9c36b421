"""What CVAT shows of a track in frames that the file does not list.

Between two shapes of a track it shows what lies between them; after the last, the shape stays to
the end of the task; after one that is ``outside``, nothing until the next. Masks are seen in their
own frame alone. CVAT's server writes every frame in which something is seen, so that only files of
others, which keep the key frames alone, leave something to fill.

A shape that is no track is written as a track, too: closed by a copy that is ``outside`` in the
next frame, but not near the end of a task, and not at all in later tasks of a project. There, a
single shape could be either.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from .cvat_shapes import Shape, between, draw


class Tail(Enum):
    """What comes after the last shape of a track."""

    NOTHING = 'nothing'
    STAYS = 'the shape'
    UNSURE = 'the shape if the file has key frames alone'


@dataclass(frozen=True)
class Key:
    """A shape of a track.

    Attributes:
        index: position of its frame in the task.
        outside: whether the object is gone from here on.
        is_set: whether a person set it; else it was computed.
        shape: None if it is broken.
        rle: its mask; None if it is broken or outside.
    """

    index: int
    outside: bool
    is_set: bool
    shape: Shape | None
    rle: dict | None

    @property
    def can_move(self) -> bool:
        """Whether something is shown after it, until the next one."""
        return not self.outside and self.shape is not None and self.shape.kind != 'mask'


def in_order(keys: Sequence[Key]) -> tuple[list[Key], list[int]]:
    """The keys in the order of time, one a frame.

    Returns:
        The keys, and the positions of frames that have several in which something is seen; of
        these, the first stays.
    """
    chosen: dict[int, Key] = {}
    twice = []
    for key in keys:
        other = chosen.setdefault(key.index, key)
        if other is not key and other.outside:
            chosen[key.index] = key
        elif other is not key and not key.outside:
            twice.append(key.index)
    return [chosen[index] for index in sorted(chosen)], twice


def has_gaps(keys: Sequence[Key]) -> bool:
    """Whether there are frames to fill between keys."""
    return any(a.can_move and b.index > a.index + 1 for a, b in pairwise(keys))


def filled(keys: Sequence[Key], height: int, width: int) -> Iterator[tuple[int, dict]]:
    """The masks between keys.

    Args:
        keys: in the order of time.
        height: of the frames.
        width: of the frames.

    Yields:
        Position of the frame and run-length code.
    """
    for first, second in pairwise(keys):
        if first.can_move and second.shape is not None:
            gap = second.index - first.index
            for step in range(1, gap):
                shape = between(first.shape, second.shape, step / gap)
                yield first.index + step, draw(shape, height, width)


def tail(keys: Sequence[Key], length: int, is_part: bool) -> Tail:
    """What comes after the last key.

    Args:
        keys: in the order of time.
        length: number of frames of the task.
        is_part: whether the task is one of a project.
    """
    last = keys[-1]
    if not last.can_move or last.index + 1 >= length or not all(key.is_set for key in keys):
        return Tail.NOTHING
    is_single = sum(not key.outside for key in keys) == 1
    return Tail.UNSURE if is_single and (is_part or last.index + 2 >= length) else Tail.STAYS
