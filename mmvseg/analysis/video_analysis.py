"""All that is found out about one video."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.tracking import check_form
from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import YouTubeVIS
from mmvseg.formats.youtube_vis_results import Result, video_of

from .association import association_errors
from .relinking import relinked_tubes
from .tube_errors import TubeError, tube_errors
from .tube_kinds import TubeKinds, tube_kinds
from .tubes import Tubes, match, owners, predicted_tubes, tube_iou
from .video_overlap import VideoOverlap, video_overlap


@dataclass
class VideoAnalysis:
    """One video with G objects, D tracks and T frames.

    Attributes:
        overlap: objects and tracks.
        tubes: the D tracks as tubes.
        shown: position of the object that each mask of a track shows, -1 for none, (D, T).
        found: what is wrong with each track.
        relinked: the same masks linked rightly.
        errors: the worst first.
    """

    overlap: VideoOverlap
    tubes: Tubes
    shown: np.ndarray
    found: TubeKinds
    relinked: Tubes
    errors: list[TubeError]

    @property
    def matched(self) -> dict[int, int]:
        """Annotation id of each right track by its position in the results, at IoU 0.5."""
        matching = self.found.matching
        return {
            self.overlap.tracks[n].index: self.overlap.objects[matching.taken[n]].id
            for n in np.flatnonzero(matching.right)
        }


def analyze_video(overlap: VideoOverlap, class_names: Mapping[int, str]) -> VideoAnalysis:
    """Find out what is wrong in a video.

    Args:
        overlap: its objects and tracks, all of known categories.
        class_names: by category id.
    """
    tubes = predicted_tubes(overlap)
    shown = owners(tubes, overlap)
    relinked, sources = relinked_tubes(overlap)
    association = association_errors(
        match(tubes, overlap), shown, sources, match(relinked, overlap)
    )
    found = tube_kinds(tubes, overlap, association)
    errors = tube_errors(
        found, tubes, shown, _best_iou(tubes, relinked, overlap), overlap, class_names
    )
    return VideoAnalysis(overlap, tubes, shown, found, relinked, errors)


def _best_iou(tubes: Tubes, relinked: Tubes, overlap: VideoOverlap) -> np.ndarray:
    """Best IoU of a relinked tube of the class of each track with each object, (D, G)."""
    iou = tube_iou(relinked, overlap)
    best = np.zeros((len(tubes), len(overlap.objects)))
    for category_id in {*tubes.category_ids.tolist()}:
        of_class = iou[relinked.category_ids == category_id]
        best[tubes.category_ids == category_id] = of_class.max(axis=0, initial=0)
    return best


def analyzed_videos(
    truth: YouTubeVIS, results: Sequence[Result], source: str
) -> Iterator[VideoAnalysis]:
    """Analyze one video after the other, in the order of the file.

    Objects and results of categories that the ground truth does not list are left out.

    Args:
        truth: the ground truth.
        results: the predicted tracks.
        source: name of the results, for messages.

    Raises:
        UserError: there are no annotations; or a result is of a video that the ground truth does
            not list, or has more or fewer entries than frames, or masks of another size.
    """
    if not truth.has_annotations:
        raise UserError(f'{truth.file}: has no annotations, so there is nothing to compare with')
    class_names = {category.id: category.name for category in truth.categories}
    objects: dict[int, list[Annotation]] = {video_id: [] for video_id in truth.videos}
    tracks: dict[int, list[Result]] = {video_id: [] for video_id in truth.videos}
    for entry in truth.annotations:
        if entry.category_id in class_names:
            objects[entry.video_id].append(entry)
    for result in results:
        check_form(result, video_of(result, truth.videos, truth.file, source), source)
        if result.category_id in class_names:
            tracks[result.video_id].append(result)
    for video_id, video in truth.videos.items():
        overlap = video_overlap(video, objects[video_id], tracks[video_id])
        yield analyze_video(overlap, class_names)
