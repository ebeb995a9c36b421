"""What becomes of each annotated object: found, or lost to which kind of error."""

from dataclasses import dataclass

import numpy as np

from .video_analysis import VideoAnalysis


@dataclass(frozen=True)
class ObjectOutcome:
    """One annotated object that counts.

    Attributes:
        video_id: id of its video.
        category_id: id of its class.
        annotation: its id.
        kind: '' if a track is right about it at IoU 0.5, else what went wrong, of
            :data:`.tube_kinds.KINDS`.
    """

    video_id: int
    category_id: int
    annotation: int
    kind: str

    @property
    def found(self) -> bool:
        """Whether a track is right about it."""
        return not self.kind


class ObjectOutcomes:
    """Collects the objects of all videos.

    Attributes:
        outcomes: of all videos so far.
    """

    def __init__(self) -> None:
        self.outcomes: list[ObjectOutcome] = []

    def add(self, video: VideoAnalysis) -> None:
        """Take a video."""
        self.outcomes += object_outcomes(video)


def object_outcomes(video: VideoAnalysis) -> list[ObjectOutcome]:
    """The objects of a video in the order of the file, crowds left out."""
    return [
        ObjectOutcome(video.overlap.video.id, entry.category_id, entry.id, _kind(video, g))
        for g, entry in enumerate(video.overlap.objects)
        if not entry.is_crowd
    ]


def _kind(video: VideoAnalysis, g: int) -> str:
    """The error of the track that aims at an object and has the best IoU with it.

    An object that right linking finds and no track aims at is part of a track that shows others.
    """
    found = video.found
    aims = np.flatnonzero(found.targets == g)
    if found.matching.right[aims].any():
        return ''
    if found.missed[g]:
        return 'missed'
    if not len(aims):
        return 'association'
    return str(found.kinds[aims[found.matching.iou[aims, g].argmax()]])
