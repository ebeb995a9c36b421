"""AP by what objects are like: their size, length, occlusion and motion, and how many there are.

A group is measured as the official evaluators measure theirs: an object outside of it is ignored,
and so is a track that takes nothing, if it is outside of the group itself. By the number of objects
a video is in a group or not. Only occlusion is different, officially, too: what takes nothing is a
false positive in each of its groups, since nobody knows how occluded a track is.
"""

from collections import Counter

import numpy as np

from mmvseg.evaluation.functional.ground_truth import average_area, occlusion_score
from mmvseg.evaluation.functional.precision_recall import (
    MAX_DETECTIONS,
    Verdicts,
    accumulate,
    mean_of_valid,
)
from mmvseg.evaluation.functional.youtube_vis_ap import AREA_RANGES, OCCLUSION_RANGES
from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import YouTubeVIS

from .object_facts import covered_shares, mask_boxes, mean_areas, mean_shifts
from .tubes import ranked_tubes, take_by_class, verdicts_by_class
from .video_analysis import VideoAnalysis

#: The last group of most kinds has no end.
_NO_END = np.inf
#: Lowest and highest value of each group, both inclusive. They are the same for all data sets, so
#: that numbers can be compared. Size and occlusion are the official ones. An object of YouTube-VIS
#: is annotated in 27 frames on average and one of OVIS in 57, so that each fills its groups of
#: length. Motion goes by the IoU of a square with itself when it moves along a side: 0.8 and 0.5.
GROUPS: dict[str, dict[str, tuple[float, float]]] = dict(
    size={name: bounds for name, bounds in AREA_RANGES.items() if name != 'all'},
    length={'short': (1, 10), 'medium': (11, 30), 'long': (31, _NO_END)},
    objects={'1': (1, 1), '2-3': (2, 3), '4-6': (4, 6), '>6': (7, _NO_END)},
    occlusion={name: bounds for name, bounds in OCCLUSION_RANGES.items() if name != 'all'},
    motion={'slow': (0, 1 / 9), 'medium': (1 / 9, 1 / 3), 'fast': (1 / 3, _NO_END)},
)
#: What each kind of group goes by.
MEASURES = dict(
    size='mean area of the masks in pixels',
    length='frames with a mask',
    objects='objects in the video',
    motion='mean shift from a frame to the next, in square roots of the area',
)
#: The measure of occlusion where files have the field ``occlusion`` of OVIS.
ANNOTATED = "OVIS's score of the annotated occlusion"
#: The measure of occlusion where they do not.
COVERED = 'mean share of the box that boxes of other objects cover'


class GroupAP:
    """Collects the verdicts of all videos for each group of :data:`~.groups.GROUPS`.

    Args:
        truth: the ground truth. Occlusion goes by its field ``occlusion`` if each object has it,
            else by the boxes of the objects.

    Attributes:
        occlusion_measure: :data:`ANNOTATED` or :data:`COVERED`.
    """

    def __init__(self, truth: YouTubeVIS) -> None:
        self.file = truth.file
        self.category_ids = [category.id for category in truth.categories]
        known = [entry for entry in truth.annotations if entry.category_id in self.category_ids]
        annotated = bool(known) and all(entry.occlusion is not None for entry in known)
        self.occlusion_measure = ANNOTATED if annotated else COVERED
        self._verdicts: list[tuple[int, Verdicts]] = []
        self._objects: Counter[tuple[str, str]] = Counter()

    def add(self, video: VideoAnalysis) -> None:
        """Take a video.

        Raises:
            UserError: an annotated occlusion is broken.
        """
        overlap, tubes = video.overlap, video.tubes
        of_objects = self._object_values(video)
        of_tracks = _track_values(video)
        object_ignored, outside = [], []
        for kind, groups in GROUPS.items():
            for name, bounds in groups.items():
                member = _within(of_objects[kind], bounds) & overlap.counted
                self._objects[kind, name] += int(member.sum())
                object_ignored.append(~member)
                outside.append(
                    ~_within(of_tracks[kind], bounds)
                    if kind in of_tracks
                    else np.zeros(len(tubes), bool)
                )
        ignored, ranked = np.array(object_ignored), ranked_tubes(tubes)
        iou = video.found.matching.iou
        taken = take_by_class(iou, ranked, tubes, overlap, ignored, np.array(outside))
        verdicts = verdicts_by_class(taken, ranked, tubes, overlap, ignored)
        self._verdicts += [(overlap.video.id, entry) for entry in verdicts]

    def numbers(self) -> dict[str, dict]:
        """AP of each group.

        Returns:
            For each kind of group its ``measure`` and its ``groups`` by name, with the bounds
            ``low`` and ``high``, both inclusive, ``high`` being None where there is no end; how
            many ``objects`` are in it; and ``AP`` and ``AP50`` as fractions, -1 without objects.
        """
        # Officially tracks of one score are ranked by the ids of their videos.
        verdicts = [entry for _, entry in sorted(self._verdicts, key=lambda pair: pair[0])]
        num_groups = sum(len(groups) for groups in GROUPS.values())
        curves = accumulate(verdicts, self.category_ids, num_groups, MAX_DETECTIONS[-1:])
        measures = MEASURES | dict(occlusion=self.occlusion_measure)
        numbers = {kind: dict(measure=measures[kind], groups={}) for kind in GROUPS}
        names = [(kind, name) for kind, groups in GROUPS.items() for name in groups]
        for c, (kind, name) in enumerate(names):
            low, high = GROUPS[kind][name]
            numbers[kind]['groups'][name] = dict(
                low=low,
                high=high if high < AREA_RANGES['all'][1] else None,
                objects=self._objects[kind, name],
                AP=curves.average_precision(c),
                AP50=mean_of_valid(curves.precision[0, :, :, c]),
            )
        return numbers

    def _object_values(self, video: VideoAnalysis) -> dict[str, np.ndarray]:
        """What each kind of group goes by, of the G objects, (G,) each."""
        overlap = video.overlap
        areas = overlap.object_areas
        boxes = mask_boxes(overlap.objects, areas)
        if self.occlusion_measure == ANNOTATED:
            occlusion = np.array([self._annotated(entry) for entry in overlap.objects], float)
        else:
            occlusion = covered_shares(boxes, areas)
        return dict(
            size=np.array([_official_area(entry) for entry in overlap.objects], float),
            length=np.count_nonzero(areas, axis=1),
            objects=np.full(len(areas), overlap.counted.sum()),
            occlusion=occlusion,
            motion=mean_shifts(boxes, areas),
        )

    def _annotated(self, entry: Annotation) -> float:
        where = f'{self.file}: video {entry.video_id}, annotation {entry.id}'
        return occlusion_score(entry.occlusion, where)


def _track_values(video: VideoAnalysis) -> dict[str, np.ndarray]:
    """The same of the D tracks, (D,) each, without occlusion."""
    areas = video.overlap.track_areas
    return dict(
        size=mean_areas(areas),
        length=np.count_nonzero(areas, axis=1),
        objects=np.full(len(areas), video.overlap.counted.sum()),
        motion=mean_shifts(mask_boxes(video.overlap.tracks, areas), areas),
    )


def _within(values: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    """Whether values are in a group, which NaN never is."""
    low, high = bounds
    return (values >= low) & (values <= high)


def _official_area(entry: Annotation) -> float:
    return average_area(entry.mask_areas.tolist() if entry.areas is None else entry.areas)
