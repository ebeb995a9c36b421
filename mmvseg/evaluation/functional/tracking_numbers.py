"""The counts of all measures of tracking, and their numbers over videos and classes.

The numbers and their names are those of TrackEval.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .clear import CLEARSums, clear_sums
from .hota import HOTASums, hota_sums
from .identity import IdentitySums, identity_sums
from .sums import Sums
from .track_overlap import TrackOverlap

#: TrackEval's names for all videos together, for the mean of the classes and for their sum.
ALL_VIDEOS = 'COMBINED_SEQ'
CLASS_MEAN, CLASS_SUM = 'cls_comb_cls_av', 'cls_comb_det_av'
#: The fields that are added over classes; of the others there is a mean, of ``MOTP_sum`` too.
_COUNTS = {
    *('HOTA_TP', 'HOTA_FN', 'HOTA_FP', 'IDTP', 'IDFN', 'IDFP'),
    *('CLR_TP', 'CLR_FN', 'CLR_FP', 'CLR_Frames', 'IDSW', 'MT', 'PT', 'ML', 'Frag'),
    *('Dets', 'GT_Dets', 'IDs', 'GT_IDs'),
}

#: Numbers of one class in one video by measure, then by field.
Numbers = dict[str, dict[str, Any]]


@dataclass
class EntryCounts(Sums):
    """How much there is of a class: objects and tracks with at least one mask, and their masks."""

    tracks: int = 0
    objects: int = 0
    track_masks: int = 0
    object_masks: int = 0

    def numbers(self) -> dict[str, int]:
        """All fields by TrackEval's names."""
        return dict(
            Dets=self.track_masks, GT_Dets=self.object_masks, IDs=self.tracks, GT_IDs=self.objects
        )


@dataclass
class TrackingSums(Sums):
    """What a class contributes in a video, or in several."""

    hota: HOTASums = field(default_factory=HOTASums)
    clear: CLEARSums = field(default_factory=CLEARSums)
    identity: IdentitySums = field(default_factory=IdentitySums)
    count: EntryCounts = field(default_factory=EntryCounts)

    @classmethod
    def of_overlap(cls, overlap: TrackOverlap) -> 'TrackingSums':
        """Count one class in one video."""
        objects, tracks = overlap.object_lengths, overlap.track_lengths
        return cls(
            hota_sums(overlap),
            clear_sums(overlap),
            identity_sums(overlap),
            EntryCounts(len(tracks), len(objects), int(tracks.sum()), int(objects.sum())),
        )

    @property
    def occurs(self) -> bool:
        """Whether there is any mask of the class, annotated or predicted."""
        return self.count.objects + self.count.tracks > 0

    def numbers(self) -> Numbers:
        """All fields by TrackEval's names, as fractions and counts."""
        means = {name: float(value.mean()) for name, value in self.hota.at_thresholds().items()}
        return dict(
            HOTA=self.hota.numbers(),
            CLEAR=self.clear.numbers(),
            Identity=self.identity.numbers(),
            Count=self.count.numbers(),
            mean_over_alpha=means,
        )

    def numbers_of_video(self, num_frames: int) -> Numbers:
        """As :meth:`numbers` for one video alone, which has ``num_frames`` frames."""
        numbers = self.numbers()
        numbers['CLEAR'] = self.clear.numbers_of_video()
        numbers['Count']['Frames'] = num_frames
        return numbers


@dataclass
class Tracking:
    """Result of an evaluation.

    Attributes:
        categories: name of each class by id, in the order of the file; no two are the same.
        videos: name of each video by id, in the order of the file; no two are the same.
        lengths: frames of each video by id.
        sums: of each (video id, category id) that occurs.
        notes: what was counted in a way that few expect, one sentence each.
    """

    categories: dict[int, str]
    videos: dict[int, str]
    lengths: dict[int, int]
    sums: dict[tuple[int, int], TrackingSums]
    notes: list[str]

    def of_category(self, category_id: int) -> TrackingSums:
        """A class over all videos."""
        return TrackingSums.of(part for key, part in self.sums.items() if key[1] == category_id)

    def overall(self) -> dict[str, Numbers]:
        """All videos together: each class, the mean of the classes and their sum."""
        classes = {name: self.of_category(i).numbers() for i, name in self.categories.items()}
        return {
            **classes,
            CLASS_MEAN: mean_of_classes([*classes.values()]),
            CLASS_SUM: TrackingSums.of(self.sums.values()).numbers(),
        }

    def numbers(self) -> dict[str, dict[str, Numbers]]:
        """By video or :data:`ALL_VIDEOS`, then by class, measure and field, as in TrackEval."""
        nothing = TrackingSums()
        videos = {
            name: {
                category: self.sums.get((v, c), nothing).numbers_of_video(self.lengths[v])
                for c, category in self.categories.items()
            }
            for v, name in self.videos.items()
        }
        return {**videos, ALL_VIDEOS: self.overall()}


def mean_of_classes(classes: Sequence[Numbers]) -> Numbers:
    """The mean of the numbers of at least one class; counts are added."""
    return {
        measure: {name: _combined(name, [c[measure][name] for c in classes]) for name in fields}
        for measure, fields in classes[0].items()
    }


def _combined(name: str, values: Sequence[Any]) -> Any:
    added = np.sum(values, axis=0)
    return (added if name in _COUNTS else added / len(values)).tolist()


def distinct_names(names: dict[int, str]) -> dict[int, str]:
    """Names with ids where two would be the same, or one that of a combination."""
    reserved = {ALL_VIDEOS, CLASS_MEAN, CLASS_SUM}
    if len(reserved | set(names.values())) == len(reserved) + len(names):
        return names
    return {i: f'{name} ({i})' for i, name in names.items()}
