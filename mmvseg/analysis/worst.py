"""The worst errors of all videos, and how much is wrong in each video."""

import heapq
from itertools import count

from mmvseg.formats.youtube_vis import YouTubeVIS

from .tube_errors import TubeError, counts_by_kind
from .video_analysis import VideoAnalysis

#: How many errors are listed.
MOST = 30


class Worst:
    """Keeps the worst errors and a summary of each video.

    Args:
        truth: the ground truth.
    """

    def __init__(self, truth: YouTubeVIS) -> None:
        self.class_names = {category.id: category.name for category in truth.categories}
        self._videos: list[dict] = []
        # Costs, the lowest first; of equal ones the latest, which is the first to leave.
        self._heap: list[tuple[float, int, dict]] = []
        self._places = count(0, -1)

    def add(self, video: VideoAnalysis) -> None:
        """Take a video."""
        for error in video.errors:
            place = next(self._places)
            if len(self._heap) < MOST:
                heapq.heappush(self._heap, (error.cost, place, self._entry(error, video)))
            elif (error.cost, place) > self._heap[0][:2]:
                heapq.heapreplace(self._heap, (error.cost, place, self._entry(error, video)))
        self._videos.append(
            dict(
                id=video.overlap.video.id,
                name=video.overlap.video.name,
                cost=sum(error.cost for error in video.errors),
                counts=counts_by_kind(video.errors),
            )
        )

    def numbers(self) -> dict[str, list[dict]]:
        """The worst errors and all videos, the worst first.

        Returns:
            A dict of these entries.

            ``worst``: the fields of :class:`.TubeError`, and the name of the ``video``, the
            ``class`` of the track, and its ``score``; if there is no track, the class of the
            object, and None as the score. ``videos``: for each its ``id`` and ``name``, the sum
            of the ``cost`` of its errors, and their ``counts`` by kind.
        """
        return dict(
            worst=[entry for *_, entry in sorted(self._heap, reverse=True)],
            videos=sorted(self._videos, key=lambda entry: -entry['cost']),
        )

    def _entry(self, error: TubeError, video: VideoAnalysis) -> dict:
        overlap = video.overlap
        if error.track is None:
            culprit = next(entry for entry in overlap.objects if entry.id == error.object)
            score = None
        else:
            culprit = next(entry for entry in overlap.tracks if entry.index == error.track)
            score = culprit.score
        return dict(
            kind=error.kind,
            video_id=error.video_id,
            video=overlap.video.name,
            track=error.track,
            object=error.object,
            **{'class': self.class_names[culprit.category_id]},
            score=score,
            frame=error.frame,
            cost=error.cost,
            reason=error.reason,
        )
