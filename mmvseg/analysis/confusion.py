"""Which class is taken for which."""

import numpy as np

from mmvseg.evaluation.functional.tube_matching import by_score, take_tubes
from mmvseg.formats.youtube_vis import YouTubeVIS

from .video_analysis import VideoAnalysis

#: Row of the tracks on no object, which includes those on one that a better track has taken.
NOTHING = 'nothing'
#: Column of the objects that no track takes.
MISSED = 'missed'
#: How many confusions are listed.
MOST = 10


class Confusion:
    """Counts pairs of an object and the track that takes it, whatever their classes.

    The tracks of a video take objects in the order of their scores, each the one with the best
    IoU over the video, at least 0.5, that is left. What takes a crowd is not counted.

    Args:
        truth: the ground truth.
    """

    def __init__(self, truth: YouTubeVIS) -> None:
        self.names = [category.name for category in truth.categories]
        self._class_of = {category.id: k for k, category in enumerate(truth.categories)}
        num_classes = len(self.names)
        self._counts = np.zeros((num_classes + 1, num_classes + 1), int)

    def add(self, video: VideoAnalysis) -> None:
        """Take a video."""
        overlap, tubes = video.overlap, video.tubes
        order = by_score(tubes.scores, len(tubes))
        crowd = ~overlap.counted
        taken = take_tubes(
            video.found.matching.iou[order],
            overlap.objects,
            crowd[None],
            np.zeros((1, len(order)), bool),
        ).matched[0, 0]
        # The last class is none.
        of_objects = np.append(self._classes(overlap.object_categories), len(self.names))
        of_tracks = self._classes(tubes.category_ids[order])
        counted = ~np.append(crowd, False)[taken]
        np.add.at(self._counts, (of_objects[taken[counted]], of_tracks[counted]), 1)
        missed = overlap.counted & ~np.isin(np.arange(len(crowd)), taken)
        np.add.at(self._counts, (of_objects[:-1][missed], len(self.names)), 1)

    def numbers(self) -> dict:
        """The table and what is most often taken for something else.

        Returns:
            ``counts``, a list of lists, whose ``rows`` are classes of objects and last
            :data:`NOTHING`, whose ``columns`` classes of tracks and last :data:`MISSED`; and
            ``most_frequent``: at most ten pairs of ``truth``, ``predicted`` and ``count``.
        """
        wrong = self._counts[:-1, :-1].copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind='stable')[:MOST]
        pairs = [(k, c) for k, c in zip(*np.unravel_index(order, wrong.shape), strict=True)]
        return dict(
            rows=[*self.names, NOTHING],
            columns=[*self.names, MISSED],
            counts=self._counts.tolist(),
            most_frequent=[
                dict(truth=self.names[k], predicted=self.names[c], count=int(wrong[k, c]))
                for k, c in pairs
                if wrong[k, c]
            ],
        )

    def _classes(self, category_ids: np.ndarray) -> np.ndarray:
        return np.array([self._class_of[i] for i in category_ids.tolist()], int)
