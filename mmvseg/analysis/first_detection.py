"""How long it takes until an object is found."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from mmvseg.formats.youtube_vis import YouTubeVIS

from .tube_kinds import ON
from .video_analysis import VideoAnalysis

#: First and last delay of each bin, in frames.
BINS = {'0': (0, 0), '1': (1, 1), '2-4': (2, 4), '5-9': (5, 9), '>=10': (10, np.inf)}
#: The bin of the objects that no mask of their track shows.
NEVER = 'never'


class FirstDetection:
    """Collects, for each object, the frames from its first one to the first mask that shows it.

    The mask is of the track that takes the object at IoU 0.5, else of the track of any class with
    the best IoU over the video, at least 0.1; objects without such a track are counted apart. A
    mask shows an object at an IoU of 0.5. Crowds are left out.

    Args:
        truth: the ground truth.
    """

    def __init__(self, truth: YouTubeVIS) -> None:
        self.class_names = {category.id: category.name for category in truth.categories}
        self._delays: dict[int, list[float]] = defaultdict(list)
        self._without_track: dict[int, int] = defaultdict(int)

    def add(self, video: VideoAnalysis) -> None:
        """Take a video."""
        categories = video.overlap.object_categories.tolist()
        for g in np.flatnonzero(video.overlap.counted):
            track = _track_of(g, video)
            if track is None:
                self._without_track[categories[g]] += 1
            else:
                self._delays[categories[g]].append(_delay(g, track, video))

    def numbers(self) -> dict:
        """The delays of all objects, and of each class.

        Returns:
            ``all``, and ``classes`` by name; each with the number of ``objects``, of those
            ``without_track``, a ``histogram`` of the others and the ``median`` delay in frames of
            those that are shown at some time, None if there are none.
        """
        of_all = [delay for delays in self._delays.values() for delay in delays]
        return dict(
            all=_summary(of_all, sum(self._without_track.values())),
            classes={
                name: _summary(self._delays[i], self._without_track[i])
                for i, name in self.class_names.items()
            },
        )


def _track_of(g: int, video: VideoAnalysis) -> int | None:
    """The track that goes for an object, by position."""
    matching = video.found.matching
    taking = np.flatnonzero(matching.right & (matching.taken == g))
    if len(taking):
        return int(taking[0])
    iou = matching.iou[:, g]
    return int(iou.argmax()) if iou.max(initial=0) >= ON else None


def _delay(g: int, track: int, video: VideoAnalysis) -> float:
    """Frames until a track shows an object, infinite if it never does."""
    showing = np.flatnonzero(video.shown[track] == g)
    there = np.flatnonzero(video.overlap.object_areas[g])
    return float(showing[0] - there[0]) if len(showing) else np.inf


def _summary(delays: Sequence[float], without_track: int) -> dict:
    delay = np.array(delays, float)
    shown = delay[np.isfinite(delay)]
    histogram = {
        name: int(((shown >= first) & (shown <= last)).sum())
        for name, (first, last) in BINS.items()
    }
    return dict(
        objects=len(delay) + without_track,
        without_track=without_track,
        histogram=histogram | {NEVER: len(delay) - len(shown)},
        median=float(np.median(shown)) if len(shown) else None,
    )
