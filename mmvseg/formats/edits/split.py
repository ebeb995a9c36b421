"""A file split in two: videos to train on, and others to validate on."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from mmvseg.errors import UserError, counted

from .contents import Contents, class_counts
from .stratify import choose_videos


@dataclass(frozen=True)
class ClassSplit:
    """Where the objects of a class went.

    Attributes:
        name: of the class.
        videos: that have one of its objects.
        objects: in all.
        val_objects: of them, those of the second part.
    """

    name: str
    videos: int
    objects: int
    val_objects: int


@dataclass(frozen=True)
class Split:
    """Two parts of a file, both with all of its classes.

    Attributes:
        train: the first part.
        val: the second part.
        classes: where the objects of each class went.
    """

    train: Contents
    val: Contents
    classes: list[ClassSplit]


def split(contents: Contents, val: int | Fraction, seed: int) -> Split:
    """Split a file by videos, so that each class has its share of objects in both parts.

    The same ids of videos with the same objects always give the same split, in whatever order.

    Args:
        contents: of the file.
        val: number of videos of the second part, or their share below 1.
        seed: another one gives another split.

    Raises:
        UserError: the file annotates nothing, or there would be no video in one of the parts.

    Example:
        >>> from mmvseg.formats.edits.contents import read_contents
        >>> parts = split(read_contents('shapes/val.json'), 1, seed=0)
        >>> len(parts.train.videos), len(parts.val.videos)
        (1, 1)
    """
    if not contents.objects:
        raise UserError(
            f'{contents.file}: it has no annotations; the released validation and test files have '
            'none, split the one of training'
        )
    counts = class_counts(contents)
    number = number_to_validate(val, len(contents.videos), str(contents.file))
    chosen = choose_videos(counts, number, seed)
    return Split(
        train=select_videos(contents, lambda video_id: video_id not in chosen),
        val=select_videos(contents, lambda video_id: video_id in chosen),
        classes=[
            _class_split(entry.values.name, entry.values.id, counts, chosen)
            for entry in contents.categories
        ],
    )


def select_videos(contents: Contents, is_kept: Callable[[int], bool]) -> Contents:
    """Some of the videos of a file with their objects; all classes stay.

    Args:
        contents: of the file.
        is_kept: whether the video with an id stays.
    """
    videos = [entry for entry in contents.videos if is_kept(entry.values.id)]
    objects = contents.objects
    if objects is not None:
        objects = [entry for entry in objects if is_kept(entry.values.video_id)]
    return dataclasses.replace(contents, videos=videos, objects=objects)


def number_to_validate(val: int | Fraction, total: int, file: str) -> int:
    """How many videos of a file the second part has.

    Args:
        val: their number, or their share below 1.
        total: number of videos of the file.
        file: what messages call it.

    Raises:
        UserError: no video would be in the first part.
    """
    number = val
    if isinstance(val, Fraction):
        number = max(1, int(val * total + Fraction(1, 2)))
    if number >= total:
        raise UserError(
            f'{file}: {counted(total, "videos")}, of which {number} to validate on would '
            'leave none to train on'
        )
    return number


def _class_split(
    name: str, class_id: int, counts: Mapping[int, Mapping[int, int]], chosen: set[int]
) -> ClassSplit:
    of_videos = {video: found[class_id] for video, found in counts.items() if found.get(class_id)}
    in_val = (number for video, number in of_videos.items() if video in chosen)
    return ClassSplit(name, len(of_videos), sum(of_videos.values()), sum(in_val))
