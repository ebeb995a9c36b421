"""Join the tubes of clips or stretches into tubes of a whole video. Not part of the papers.

Clips overlap, for models that see a clip at a time. Stretches follow each other, for models whose
track ids hold over the video.
"""

from dataclasses import dataclass

import numpy as np
from pycocotools import mask as mask_utils
from scipy.optimize import linear_sum_assignment

from .video_instances import VideoInstances


@dataclass
class _Tube:
    label: int
    track_id: int
    masks: list[dict | None]
    score_sum: float  # over the frames whose clip reported the tube
    num_scored: int

    @property
    def score(self) -> float:
        return self.score_sum / self.num_scored


class TubeStitcher:
    """Collects the tubes of consecutive clips or stretches of one video.

    A tube of a new clip continues an old one of the same class if their masks agree on the frames
    that both clips saw. The score of a tube is the mean, over frames, of the scores in the clips
    that reported it; where no clip reported it, it has no mask.

    Args:
        min_iou: tube IoU on the shared frames from which two tubes are the same object.

    Example:
        >>> everywhere = dict(size=[2, 2], counts=b'04')
        >>> clip = VideoInstances(np.array([0.9]), np.array([3]), [[everywhere] * 4], np.array([0]))
        >>> stitcher = TubeStitcher()
        >>> stitcher.add(clip, start=0)
        >>> stitcher.add(clip, start=3)  # shares frame 3 with the first
        >>> stitcher.result(max_tubes=10)
        VideoInstances(1 tubes of 7 frames, scores 0.90 to 0.90)
    """

    def __init__(self, min_iou: float = 0.5) -> None:
        self.min_iou = min_iou
        self.num_frames = 0
        self._tubes: list[_Tube] = []
        self._next_track_id = 0

    def add(self, clip: VideoInstances, start: int) -> None:
        """Add the tubes of the clip that begins at frame ``start`` (at most ``num_frames``)."""
        if not len(clip):
            raise ValueError(
                f'the clip at frame {start} has no tubes; a model reports its best ones'
            )
        continued = self._match(clip, start)
        self._append(clip, start, continued, self._track_ids(clip, continued))

    def add_by_identity(self, stretch: VideoInstances) -> None:
        """Add the tubes of the next frames; each continues the one of its track id and class."""
        tubes = {(tube.track_id, tube.label): tube for tube in self._tubes}
        names = list(zip(stretch.track_ids.tolist(), stretch.labels.tolist(), strict=True))
        continued = {index: tubes[name] for index, name in enumerate(names) if name in tubes}
        self._append(stretch, self.num_frames, continued, stretch.track_ids.tolist())

    def _append(
        self,
        clip: VideoInstances,
        start: int,
        continued: dict[int, _Tube],
        track_ids: list[int],
    ) -> None:
        num_shared = self.num_frames - start
        num_new = len(clip.masks[0]) - num_shared
        for index, (score, label, masks) in enumerate(
            zip(clip.scores, clip.labels, clip.masks, strict=True)
        ):
            if index in continued:
                tube = continued[index]
                tube.masks += masks[num_shared:]
                tube.score_sum += float(score) * num_new
                tube.num_scored += num_new
            else:
                padded = [None] * start + masks
                total, track_id = float(score) * len(masks), track_ids[index]
                self._tubes.append(_Tube(int(label), track_id, padded, total, len(masks)))
        self.num_frames += num_new
        for tube in self._tubes:
            tube.masks += [None] * (self.num_frames - len(tube.masks))

    def result(self, max_tubes: int | None = None) -> VideoInstances:
        """The ``max_tubes`` best tubes of the video, or all, by descending score."""
        best = sorted(self._tubes, key=lambda tube: -tube.score)[:max_tubes]
        return VideoInstances(
            scores=np.array([tube.score for tube in best], dtype=np.float32),
            labels=np.array([tube.label for tube in best], dtype=np.int64),
            masks=[tube.masks for tube in best],
            track_ids=np.array([tube.track_id for tube in best], dtype=np.int64),
        )

    def _match(self, clip: VideoInstances, start: int) -> dict[int, _Tube]:
        """The old tube that each continuing tube of the clip belongs to, by clip index."""
        iou = np.zeros((len(self._tubes), len(clip)))
        for row, tube in enumerate(self._tubes):
            if not any(tube.masks[start:]):  # ended before: most tubes of a long video
                continue
            for column in np.flatnonzero(clip.labels == tube.label):
                iou[row, column] = tube_iou(tube.masks[start:], clip.masks[column])
        rows, columns = linear_sum_assignment(-iou)
        return {
            int(column): self._tubes[row]
            for row, column in zip(rows, columns, strict=True)
            if iou[row, column] >= self.min_iou
        }

    def _track_ids(self, clip: VideoInstances, continued: dict[int, _Tube]) -> list[int]:
        """Identities over the whole video; tubes that share one in the clip share one here."""
        identity: dict[int, int] = {}
        for index in sorted(continued, key=lambda i: -clip.scores[i]):
            identity.setdefault(int(clip.track_ids[index]), continued[index].track_id)
        for track_id in clip.track_ids.tolist():
            if track_id not in identity:
                identity[track_id] = self._next_track_id
                self._next_track_id += 1
        return [identity[track_id] for track_id in clip.track_ids.tolist()]


def tube_iou(first: list[dict | None], second: list[dict | None]) -> float:
    """IoU of two tubes over the frames that both lists cover: a ratio of sums, 0 if both are empty.

    Args:
        first: a run-length code or None per frame.
        second: likewise; the longer list is cut.
    """
    intersection = union = 0
    for a, b in zip(first, second):  # noqa: B905 - the shorter list sets the frames
        present = [mask for mask in (a, b) if mask is not None]
        if not present:
            continue
        union += int(mask_utils.area(mask_utils.merge(present)))
        if len(present) == 2:
            intersection += int(mask_utils.area(mask_utils.merge(present, intersect=True)))
    return intersection / union if union else 0.0
