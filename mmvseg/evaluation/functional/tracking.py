"""How well objects are tracked: HOTA, CLEAR and identity measures of results of YouTube-VIS."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from mmvseg.errors import UserError, counted
from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import Video, YouTubeVIS
from mmvseg.formats.youtube_vis_results import Result, video_of

from .mots import masks_by_rules
from .track_overlap import Masks, TrackOverlap, track_overlap
from .tracking_numbers import Tracking, TrackingSums, distinct_names

#: The one class of an evaluation that does not look at classes, and its id.
ANY_CLASS, ANY_ID = 'object', 1
Entry = TypeVar('Entry', Annotation, Result)


def evaluate_tracking(
    truth: YouTubeVIS,
    results: Sequence[Result],
    source: str,
    min_score: float | None = None,
    class_agnostic: bool = False,
    mots: bool = False,
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
        mots: whether to go by the rules of :mod:`.mots`.

    Raises:
        UserError: there are no annotations; or a result is of a video that the ground truth does
            not list, has more or fewer entries than frames or masks of another size; or
            objects overlap and ``mots`` is set.

    Example:
        >>> from mmvseg.formats.youtube_vis import read_youtube_vis
        >>> from mmvseg.formats.youtube_vis_results import read_results
        >>> truth = read_youtube_vis('shapes/val.json')
        >>> results = read_results('results.json')  # four of five objects
        >>> tracking = evaluate_tracking(truth, results, 'results', min_score=0.5)
        >>> numbers = tracking.overall()['cls_comb_det_av']['mean_over_alpha']
        >>> {name: round(numbers[name], 2) for name in ('HOTA', 'DetA', 'AssA')}
        {'HOTA': 0.94, 'DetA': 0.88, 'AssA': 1.0}
    """
    if not truth.has_annotations:
        raise UserError(f'{truth.file}: has no annotations, so there is nothing to compare with')
    for result in results:
        check_form(result, video_of(result, truth.videos, truth.file, source), source)
    results = [r for r in results if min_score is None or r.score >= min_score]
    notes = tracking_notes(truth, results, source, class_agnostic, mots)
    categories = {category.id: category.name for category in truth.categories}
    objects = truth.annotations
    if class_agnostic:
        categories = {ANY_ID: ANY_CLASS}
        objects = [replace(entry, category_id=ANY_ID) for entry in objects]
        results = [replace(entry, category_id=ANY_ID) for entry in results]
    objects_of, results_of = _by_video(objects, categories), _by_video(results, categories)
    sums = {}
    for video_id, video in truth.videos.items():
        entries = objects_of[video_id], results_of[video_id]
        for category_id, overlap in _overlaps(*entries, video, truth.file, mots):
            sums[video_id, category_id] = TrackingSums.of_overlap(overlap)
    return Tracking(
        categories=distinct_names(categories),
        videos=distinct_names({i: video.name for i, video in truth.videos.items()}),
        lengths={i: len(video.file_names) for i, video in truth.videos.items()},
        sums=sums,
        notes=notes,
    )


def _overlaps(
    objects: list[Annotation], results: list[Result], video: Video, file: str, mots: bool
) -> Iterator[tuple[int, TrackOverlap]]:
    """The category ids of one video and what is compared of each."""
    masks: list[Masks] = [result.rles for result in results]
    if mots:
        masks = masks_by_rules(objects, results, video, file)
        objects = [entry for entry in objects if not entry.is_crowd]
    true, found = defaultdict(list), defaultdict(list)
    for entry in objects:
        true[entry.category_id].append(entry.rles)
    for entry, cut in zip(results, masks, strict=True):
        found[entry.category_id].append(cut)
    for category_id in sorted(true.keys() | found.keys()):
        length = len(video.file_names)
        yield category_id, track_overlap(true[category_id], found[category_id], length)


def _by_video(entries: Sequence[Entry], categories: Mapping[int, str]) -> dict[int, list[Entry]]:
    """The entries of each video id; those of a category that is not listed are left out."""
    groups = defaultdict(list)
    for entry in entries:
        if entry.category_id in categories:
            groups[entry.video_id].append(entry)
    return groups


def check_form(result: Result, video: Video, source: str) -> None:
    """Refuse a result that cannot be compared with its video frame by frame.

    Raises:
        UserError: it has more or fewer entries than frames, or masks of another size.
    """
    where = f'{source}: entry {result.index}'
    got, expected = len(result.rles), len(video.file_names)
    if got != expected:
        raise UserError(
            f'{where}: {counted(got, "segmentations")}, but video {video.id} has '
            f'{counted(expected, "frames")}; this is measured frame by frame and needs one each'
        )
    size = [video.height, video.width]
    for frame, rle in enumerate(result.rles):
        if rle is not None and list(rle['size']) != size:
            raise UserError(
                f'{where}, frame {frame}: the mask has the size {list(rle["size"])}, video '
                f'{video.id} has {size}; masks must have the size of their video'
            )


def tracking_notes(
    truth: YouTubeVIS,
    results: Sequence[Result],
    source: str,
    class_agnostic: bool = False,
    mots: bool = False,
) -> list[str]:
    """What is counted in a way that few expect, one sentence each.

    Args:
        truth: the ground truth.
        results: the objects that are left to count.
        source: name of the results.
        class_agnostic: whether all are of one class.
        mots: whether the rules are those of :mod:`.mots`.
    """
    notes = []
    if not results:
        notes.append(f'{source}: no results are left to count, so every object is missed')
    crowds = sum(annotation.is_crowd for annotation in truth.annotations)
    if crowds and not mots:
        notes.append(
            f'{truth.file}: crowds count as objects, as in TrackEval: {crowds} of '
            f'{counted(len(truth.annotations), "annotations")}'
        )
    known = {category.id for category in truth.categories}
    unknown = [result.index for result in results if result.category_id not in known]
    if unknown and not class_agnostic:
        notes.append(
            f'{source}: {counted(len(unknown), "entries")} left out (the first is entry '
            f'{unknown[0]}), as the ground truth does not list the category_id'
        )
    return notes
