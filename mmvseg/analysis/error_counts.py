"""How many tracks are right, how many are wrong in which way, and what is missed."""

from collections import Counter

from .tube_kinds import KINDS
from .video_analysis import VideoAnalysis


class ErrorCounts:
    """Counts tracks and objects over videos, at IoU 0.5.

    Attributes:
        wrong: false positives by kind.
        right: tracks that are right.
        missed: objects that are missed.
        objects: objects that count, which crowds do not.
    """

    def __init__(self) -> None:
        self.wrong: Counter[str] = Counter()
        self.right = self.missed = self.objects = 0

    def add(self, video: VideoAnalysis) -> None:
        """Take a video."""
        found = video.found
        self.wrong.update(found.kinds[found.kinds != ''].tolist())
        self.right += int(found.matching.right.sum())
        self.missed += int(found.missed.sum())
        self.objects += int(video.overlap.counted.sum())

    def numbers(self) -> dict[str, int | dict[str, int]]:
        """The counts. Tracks that are neither right nor wrong, as on crowds, are not in them."""
        return dict(
            wrong_tracks={kind: self.wrong[kind] for kind in KINDS if kind != 'missed'},
            right_tracks=self.right,
            missed_objects=self.missed,
            objects=self.objects,
        )
