"""Frames that labels know by numbers: which of a video's frames is which."""

import re
from collections.abc import Collection, Sequence

from mmvseg.errors import UserError

from .records import Frame
from .report import ImportReport
from .sources import SourceFile

#: Numbers from here on count no frames; they may be times, for example.
MANY = 10**6


def number_in(stem: str) -> int | None:
    """The number at the end of a file's name without suffix; None if there is none.

    Example:
        >>> number_in('clip2_000031'), number_in('last')
        (31, None)
    """
    digits = re.search(r'[0-9]+$', stem)
    return int(digits[0]) if digits else None


class NumberedFrames:
    """The frames of a video by the numbers that its labels use.

    Pictures that have numbers say which they are. Others are counted from 0, or from 1 if the
    labels use no 0 and do use the number of the last one then.

    Args:
        frames: of the video, in order; none if they are not there: then they are made up, from the
            first number to the last that is used, the first being 0 or 1.
        used: numbers that the labels use; below :data:`MANY` if there are no frames.
        pattern: name of a made-up frame, for :meth:`str.format`.

    Attributes:
        frames: of the video, in order.
        note: what was assumed, None if nothing was.
    """

    def __init__(
        self, frames: Sequence[Frame] | None, used: Collection[int], pattern: str = '{:06d}.png'
    ) -> None:
        self.note: str | None = None
        start = min([1, *used])
        if not frames:
            last = max(used, default=0)
            frames = [Frame(pattern.format(number)) for number in range(start, last + 1)]
            self.note = (
                f'where there are no pictures, frames are taken to be from {start} to the last '
                'that has an object'
            )
        elif (numbers := _numbers_of_pictures(frames)) is not None:
            self.frames, self._places = list(frames), {n: i for i, n in enumerate(numbers)}
            return
        elif start == 1 and max(used, default=0) < len(frames):
            start = 0
            self.note = 'where pictures have no numbers, frames are taken to be counted from 0'
        self.frames = list(frames)
        self._places = {start + place: place for place in range(len(self.frames))}

    def place(self, number: int) -> int | None:
        """0-based position of the frame of a number, None if there is no such frame."""
        return self._places.get(number)


def placed_masks(
    masks: Sequence[SourceFile],
    frames: Sequence[Frame] | None,
    video: str,
    report: ImportReport,
    *,
    fill_gaps: bool,
) -> tuple[list[Frame], list[int | None]]:
    """The frames of a video, and which of them each of its masks belongs to.

    Pictures and masks belong together by their names without suffix, or by the numbers at the end
    of these.

    Args:
        masks: files of masks, at least one.
        frames: of the video, None if they are not there: then they are made up of the masks.
        video: name of the video.
        report: is told what is assumed.
        fill_gaps: whether numbers without a mask are frames, too, where frames are made up.

    Returns:
        The frames, and of each mask the 0-based position of its own, None where there is none.

    Raises:
        UserError: nothing tells which picture a mask belongs to.
    """
    stems = [mask.stem for mask in masks]
    names = {frame.name.rpartition('.')[0]: place for place, frame in enumerate(frames or [])}
    if frames and frames[0].picture is not None and not names.keys().isdisjoint(stems):
        return list(frames), [names.get(stem) for stem in stems]
    numbers = [number_in(stem) for stem in stems]
    has_numbers = None not in numbers
    if frames and not has_numbers:
        raise UserError(
            f'{masks[0]}: video {video}: its frames have other names than the masks, and there are '
            'no numbers to tell which belong together'
        )
    if not frames and not (fill_gaps and has_numbers and max(numbers) < MANY):
        made_up = dict.fromkeys(stems)
        places = {stem: place for place, stem in enumerate(made_up)}
        report.note('where there are no pictures, the masks are taken to be the frames')
        return [Frame(f'{stem}.png') for stem in made_up], [places[stem] for stem in stems]
    digits = len(stems[0]) - len(stems[0].rstrip('0123456789'))
    prefix = stems[0][: len(stems[0]) - digits].replace('{', '{{').replace('}', '}}')
    numbered = NumberedFrames(frames, {*numbers}, f'{prefix}{{:0{digits}d}}.png')
    if numbered.note:
        report.note(numbered.note)
    return numbered.frames, [numbered.place(number) for number in numbers]


def _numbers_of_pictures(frames: Sequence[Frame]) -> list[int] | None:
    if any(frame.picture is None for frame in frames):
        return None
    numbers = [number_in(frame.name.rpartition('.')[0]) for frame in frames]
    if None in numbers or len(set(numbers)) < len(numbers):
        return None
    return numbers
