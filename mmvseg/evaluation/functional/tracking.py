"""How well objects are tracked: HOTA, CLEAR and identity measures of results of YouTube-VIS.

The numbers are those of TrackEval, over videos and classes as well.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mmvseg.errors import UserError
from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import Video, YouTubeVIS
from mmvseg.formats.youtube_vis_results import Result, video_of

from .clear import CLEARSums, clear_sums
from .hota import HOTASums, hota_sums
from .identity import IdentitySums, identity_sums
from .sums import Sums
from .track_overlap import Masks, TrackOverlap, track_overlap

#: TrackEval's names for all videos together, for the mean of the classes and for their sum.
ALL_VIDEOS = 'COMBINED_SEQ'
CLASS_MEAN, CLASS_SUM = 'cls_comb_cls_av', 'cls_comb_det_av'
#: The one class of an evaluation that does not look at classes, and its id.
ANY_CLASS, ANY_ID = 'object', 1
#: The fields that are added over classes; of the others there is a mean, of ``MOTP_sum`` too.
_COUNTS = frozenset(
    'HOTA_TP HOTA_FN HOTA_FP CLR_TP CLR_FN CLR_FP IDSW MT PT ML Frag CLR_Frames IDTP IDFN IDFP '
    'Dets GT_Dets IDs GT_IDs'.split()
)

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


def evaluate_tracking(
    truth: YouTubeVIS,
    results: Sequence[Result],
    source: str,
    min_score: float | None = None,
    class_agnostic: bool = False,
) -> Tracking:
    """Evaluate predicted objects as tracks.

    Every mask counts in full, whatever the score of its result: there is no ranking. Videos are
    compared one after the other.

    Args:
        truth: the ground truth.
        results: the objects. Those of a category that the ground truth does not list are left out.
        source: name of the results, for messages.
        min_score: results below it are left out.
        class_agnostic: whether all objects and results, of whatever category, are of one class.

    Raises:
        UserError: there are no annotations; or a result is of a video that the ground truth does
            not list, has more or fewer entries than frames or masks of another size.

    Example:
        >>> truth = read_youtube_vis('valid.json')  # doctest: +SKIP
        >>> results = read_results('results.json')  # doctest: +SKIP
        >>> tracking = evaluate_tracking(truth, results, 'results', min_score=0.5)  # doctest: +SKIP
        >>> tracking.overall()['cls_comb_det_av']['mean_over_alpha']['HOTA']  # doctest: +SKIP
        0.47
    """
    if not truth.has_annotations:
        raise UserError(f'{truth.file}: has no annotations, so there is nothing to compare with')
    for result in results:
        _check_form(result, video_of(result, truth.videos, truth.file, source), source)
    categories = {category.id: category.name for category in truth.categories}
    kept = [r for r in results if min_score is None or r.score >= min_score]
    notes = _notes(truth, kept, source, {} if class_agnostic else categories)
    objects = _by_video(truth.annotations, categories, class_agnostic)
    tracks = _by_video(kept, categories, class_agnostic)
    sums = {}
    for video_id, category_id in sorted(objects.keys() | tracks.keys()):
        key = video_id, category_id
        length = len(truth.videos[video_id].file_names)
        overlap = track_overlap(objects.get(key, []), tracks.get(key, []), length)
        sums[key] = _count(overlap)
    return Tracking(
        categories=_names({ANY_ID: ANY_CLASS} if class_agnostic else categories),
        videos=_names({i: video.name for i, video in truth.videos.items()}),
        lengths={i: len(video.file_names) for i, video in truth.videos.items()},
        sums=sums,
        notes=notes,
    )


def _check_form(result: Result, video: Video, source: str) -> None:
    where = f'{source}: entry {result.index}'
    got, expected = len(result.rles), len(video.file_names)
    if got != expected:
        raise UserError(
            f'{where}: {got} segmentations, but video {video.id} has {expected} frames; tracking '
            'is measured frame by frame and needs one each'
        )
    size = [video.height, video.width]
    for frame, rle in enumerate(result.rles):
        if rle is not None and list(rle['size']) != size:
            raise UserError(
                f'{where}, frame {frame}: the mask has the size {list(rle["size"])}, video '
                f'{video.id} has {size}; masks must have the size of their video'
            )


def _notes(
    truth: YouTubeVIS, results: Sequence[Result], source: str, categories: Mapping[int, str]
) -> list[str]:
    """What few expect; ``categories`` are those that results must have, if any."""
    notes = []
    if not results:
        notes.append(f'{source}: no results are left to count, so every object is missed')
    if crowds := sum(annotation.is_crowd for annotation in truth.annotations):
        notes.append(
            f'{truth.file}: {crowds} annotations are crowds; as in TrackEval they count as objects'
        )
    unknown = [r.index for r in results if categories and r.category_id not in categories]
    if unknown:
        notes.append(
            f'{source}: {len(unknown)} entries (the first is entry {unknown[0]}) have a '
            'category_id that the ground truth does not list; they are left out'
        )
    return notes


def _by_video(
    entries: Sequence[Annotation | Result], categories: Mapping[int, str], class_agnostic: bool
) -> dict[tuple[int, int], list[Masks]]:
    """Masks of each (video id, category id)."""
    masks = defaultdict(list)
    for entry in entries:
        if class_agnostic:
            masks[entry.video_id, ANY_ID].append(entry.rles)
        elif entry.category_id in categories:
            masks[entry.video_id, entry.category_id].append(entry.rles)
    return masks


def _count(overlap: TrackOverlap) -> TrackingSums:
    objects, tracks = overlap.object_lengths, overlap.track_lengths
    return TrackingSums(
        hota_sums(overlap),
        clear_sums(overlap),
        identity_sums(overlap),
        EntryCounts(len(tracks), len(objects), int(tracks.sum()), int(objects.sum())),
    )


def _names(names: dict[int, str]) -> dict[int, str]:
    """Names with ids where two would be the same, or one that of a combination."""
    reserved = {ALL_VIDEOS, CLASS_MEAN, CLASS_SUM}
    if len(reserved | set(names.values())) == len(reserved) + len(names):
        return names
    return {i: f'{name} ({i})' for i, name in names.items()}
