"""The result of video instance segmentation: scored tubes, their masks run-length coded."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .distinct_tracks import distinct_tracks, without_repeats


@dataclass(repr=False)
class VideoInstances:
    """Instance tubes of one video.

    Attributes:
        scores: confidence of each tube, (N,) float.
        labels: 0-based class index of each tube, (N,) int.
        masks: ``masks[n][t]`` is the COCO run-length code (``dict(size=[H, W], counts=bytes)``) of
            tube n in frame t at the original resolution, or None where the object is absent.
        track_ids: identity of each tube within its video, (N,) int. Two tubes may share one when a
            query is reported under two classes.

    Example:
        >>> everywhere = dict(size=[2, 2], counts=b'04')
        >>> found = VideoInstances(
        ...     np.array([0.9, 0.2]), np.array([0, 3]), [[everywhere], [None]], np.array([0, 1])
        ... )
        >>> found
        VideoInstances(2 tubes of 1 frames, scores 0.20 to 0.90)
        >>> found.above(0.5).to_youtube_vis(video_id=7, category_ids=[1, 2, 3, 4])
        [{'video_id': 7, 'score': 0.9, 'category_id': 1,
        'segmentations': [{'size': [2, 2], 'counts': '04'}]}]
    """

    scores: np.ndarray
    labels: np.ndarray
    masks: list[list[dict | None]]
    track_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        if not len(self):
            return 'VideoInstances(0 tubes)'
        return (
            f'VideoInstances({len(self)} tubes of {len(self.masks[0])} frames, '
            f'scores {min(self.scores):.2f} to {max(self.scores):.2f})'
        )

    def above(self, score_thr: float) -> 'VideoInstances':
        """The tubes whose score is at least ``score_thr``."""
        keep = np.flatnonzero(self.scores >= score_thr)
        return self.select(keep)

    def distinct(self) -> 'VideoInstances':
        """One mask an object: tubes that repeat what better ones show are left out.

        So are, in single frames, the masks of a tube that lies on another's object there.

        Example:
            >>> mask = dict(size=[2, 2], counts=b'04')  # all four pixels
            >>> both = VideoInstances(
            ...     np.array([0.3, 0.9]), np.array([0, 1]), [[mask], [mask]], np.array([4, 4])
            ... )
            >>> both.distinct().labels.tolist()
            [1]
        """
        kept = self.select(distinct_tracks(self.scores, self.masks))
        kept = replace(kept, masks=without_repeats(kept.scores, kept.masks))
        return kept.select(np.flatnonzero([any(tube) for tube in kept.masks]))

    def of_labels(self, labels: Collection[int]) -> 'VideoInstances':
        """The tubes of these class indices."""
        return self.select(np.flatnonzero(np.isin(self.labels, list(labels))))

    def select(self, index: np.ndarray) -> 'VideoInstances':
        """The tubes at the integer positions ``index`` (n,), in that order."""
        masks = [self.masks[i] for i in index]
        return VideoInstances(self.scores[index], self.labels[index], masks, self.track_ids[index])

    def to_youtube_vis(self, video_id: int, category_ids: Sequence[int | None]) -> list[dict]:
        """Entries of an official ``results.json``.

        Args:
            video_id: the video's id in the annotation file.
            category_ids: the dataset's category id of each class index; None: it does not have
                the class, whose tubes are left out.

        Returns:
            One ``dict(video_id, score, category_id, segmentations)`` a tube, run-length counts as
            strings.
        """
        return [
            dict(
                video_id=video_id,
                score=float(score),
                category_id=int(category_ids[label]),
                segmentations=[_to_json(rle) for rle in tube],
            )
            for score, label, tube in zip(self.scores, self.labels, self.masks, strict=True)
            if category_ids[label] is not None
        ]


def _to_json(rle: dict | None) -> dict | None:
    if rle is None:
        return None
    return dict(size=list(rle['size']), counts=rle['counts'].decode('ascii'))
