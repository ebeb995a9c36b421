"""Numbers of objects, for tools that tell them apart by a number."""

from collections.abc import Sequence

from mmvseg.formats.labels.records import LabelledObject

#: Tools hold numbers of 32 bits, and some take less.
MAX_NUMBER = 10**9


def object_numbers(objects: Sequence[LabelledObject], least: int = 0) -> list[int]:
    """A number of each object: its own, or its place from 1 on where those do not do.

    Args:
        objects: of one video.
        least: smallest number that the tool takes for one.
    """
    tracks = [labelled.track for labelled in objects]
    if all(track.isdecimal() and least <= int(track) <= MAX_NUMBER for track in tracks):
        numbers = [int(track) for track in tracks]
        if len(set(numbers)) == len(numbers):
            return numbers
    return list(range(1, len(tracks) + 1))
