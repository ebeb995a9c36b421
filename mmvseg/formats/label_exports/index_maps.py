"""Objects of a frame as one map of numbers: where they overlap, the first is in front."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np
from pycocotools import mask as coco_mask

from mmvseg.errors import UserError, counted
from mmvseg.formats.labels.records import LabelledObject, LabelledVideo
from mmvseg.formats.labels.report import ImportReport


class IndexMaps:
    """Paints the frames of videos, and counts what overlaps and what is no object.

    Args:
        type_: of the numbers, ``np.uint8`` or ``np.uint16``.
        report: is told what has no place.
    """

    def __init__(self, type_: type[np.unsignedinteger], report: ImportReport) -> None:
        self._type, self._report = type_, report
        self._cut = self._hidden = self._pixels = 0

    def objects(self, video: LabelledVideo) -> list[LabelledObject]:
        """The objects of a video that are one each, those in front first."""
        objects = [labelled for labelled in video.objects if not labelled.is_crowd]
        if len(objects) < len(video.objects):
            self._report.ignore('crowd', len(video.objects) - len(objects))
        return objects

    def paint(
        self, video: LabelledVideo, objects: Sequence[LabelledObject], numbers: Sequence[int]
    ) -> Iterator[np.ndarray]:
        """The map of each frame, (H, W).

        Args:
            video: its frames.
            objects: those in front first.
            numbers: of each object.
        """
        lost = np.zeros(len(objects), np.int64)
        seen = np.zeros(len(objects), np.int64)
        for place in range(len(video.frames)):
            ids = np.zeros((video.height, video.width), self._type)
            for index, labelled in enumerate(objects):
                if (rle := labelled.rles[place]) is not None:
                    mask = coco_mask.decode(rle) > 0
                    free = mask & (ids == 0)
                    ids[free] = numbers[index]
                    seen[index] += np.count_nonzero(free)
                    lost[index] += np.count_nonzero(mask) - np.count_nonzero(free)
            yield ids
        self._cut += np.count_nonzero(lost)
        self._hidden += np.count_nonzero(seen == 0)
        self._pixels += int(lost.sum())

    def tell_overlaps(self) -> None:
        """Say what was cut off, once all videos are painted."""
        if self._cut:
            whole = f', {self._hidden} of them are hidden altogether' if self._hidden else ''
            self._report.note(
                f'masks must not overlap: {counted(self._cut, "objects")} lost {self._pixels} '
                f'pixels to objects in front{whole}'
            )


def frame_stems(video: LabelledVideo) -> list[str]:
    """Names of a video's frames without suffix, which masks are called as.

    Raises:
        UserError: two are the same.
    """
    stems = [PurePosixPath(frame.name).stem for frame in video.frames]
    if len(set(stems)) < len(stems):
        double = next(stem for stem in stems if stems.count(stem) > 1)
        raise UserError(
            f'video {video.name}: two frames are called {double} but for their suffix; masks are '
            'known by these names, so rename one'
        )
    return stems


def check_count(video: str, kind: str, count: int, most: int) -> None:
    """Refuse more objects than the numbers of a format are enough for.

    Raises:
        UserError: there are too many.
    """
    if count > most:
        raise UserError(
            f'video {video}: {counted(count, "objects")}{kind}, the format has numbers for {most}; '
            'leave some out first (of results, with a higher --min-score)'
        )
