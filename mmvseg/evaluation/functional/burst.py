"""HOTA of BURST, whose videos are not annotated exhaustively: class by class, or of all objects.

What a model finds of a class that a video may have without its being annotated counts neither for
nor against it. The rules are those of BURST's evaluation, its odd ones too.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pycocotools.mask as coco_mask
from scipy.optimize import linear_sum_assignment

from mmvseg.errors import UserError
from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import Video, YouTubeVIS
from mmvseg.formats.youtube_vis_results import Result, video_of

from .hota import HOTASums, hota_sums
from .track_overlap import Masks, track_overlap
from .tracking import check_form

#: Classes that take in others, by their ids in LVIS: name and what becomes of this class.
MERGED = {
    347: ('cup', (504, 720)),
    529: ('grocery_bag', (912, 967)),
    554: ('hat', (207,)),
    943: ('scrubbing_brush', (153,)),
    1175: ('walking_stick', (201,)),
}
#: How many results count in a frame.
MAX_RESULTS = 300
THRESHOLD = 0.5
EPSILON = np.finfo(float).eps
#: The one class of the open-world task. Lists of absent classes are asked for this id, too.
ANY_ID = 1
MEASURES = ('HOTA', 'DetA', 'AssA')
OPEN_MEASURES = ('OWTA', 'DetRe', 'AssA')


@dataclass
class BURSTClass:
    """A class over all videos.

    Attributes:
        name: of the class.
        sums: what HOTA is computed of.
    """

    name: str
    sums: HOTASums

    def numbers(self, measures: Iterable[str] = MEASURES) -> dict[str, float]:
        """Means over the thresholds of IoU."""
        values = self.sums.at_thresholds()
        return {name: float(values[name].mean()) for name in measures}


def evaluate_classes(
    truth: YouTubeVIS, results: Sequence[Result], source: str, distractors: Collection[int] = ()
) -> dict[int, BURSTClass]:
    """Evaluate class by class.

    Args:
        truth: the ground truth, its categories with the ids of LVIS.
        results: the objects of all videos.
        source: name of the results, for messages.
        distractors: ids of the categories that are no part of the evaluation.

    Returns:
        The classes that have ground truth, by category id.

    Raises:
        UserError: the ground truth has no objects or other ids, or a result does not fit its video.
    """
    _check_truth(truth, distractors)
    objects = [entry for entry in truth.annotations if entry.category_id not in distractors]
    names = {category.id: category.name for category in truth.categories}
    evaluated = {_merged(entry.category_id) for entry in objects} - {*distractors}
    sums: dict[int, HOTASums] = defaultdict(HOTASums)
    for video, found, true in _videos(truth, objects, results, source):
        frames = annotated_frames(true)
        for class_id in evaluated & {_merged(e.category_id) for e in (*found, *true)}:
            of_class = [e.rles for e in true if _merged(e.category_id) == class_id]
            tracks = [e.rles for e in found if _merged(e.category_id) == class_id]
            sums[class_id] += _hota(video, of_class, tracks, frames, class_id)
    return {i: BURSTClass(names[i], sums[i]) for i in sorted(evaluated)}


def evaluate_open_world(
    truth: YouTubeVIS,
    results: Sequence[Result],
    source: str,
    distractors: Collection[int] = (),
    classes: Collection[int] | None = None,
) -> BURSTClass:
    """Evaluate all objects as of one class, or those of some classes.

    Args:
        truth: see :func:`evaluate_classes`, as all that is not named here.
        results: see there; whatever their categories.
        source: see there.
        distractors: see there.
        classes: ids of the categories whose objects are looked for; None: all.

    Raises:
        UserError: see there.
    """
    _check_truth(truth, distractors)
    objects = [
        entry
        for entry in truth.annotations
        if entry.category_id not in distractors
        and (classes is None or entry.category_id in classes)
    ]
    sums = HOTASums()
    for video, found, true in _videos(truth, objects, results, source):
        masks = [entry.rles for entry in true], [entry.rles for entry in found]
        sums += _hota(video, *masks, annotated_frames(true), ANY_ID)
    return BURSTClass('object', sums)


def _check_truth(truth: YouTubeVIS, distractors: Collection[int]) -> None:
    if not truth.has_annotations:
        raise UserError(f'{truth.file}: has no annotations, so there is nothing to compare with')
    names = {category.id: category.name for category in truth.categories}
    for class_id, (name, _) in MERGED.items():
        if names.get(class_id, name) != name:
            raise UserError(
                f'{truth.file}: category {class_id} is {names[class_id]!r}, in BURST it is '
                f'{name!r}; the rules of BURST go by the ids of LVIS'
            )
    if unknown := sorted({*distractors} - names.keys()):
        raise UserError(
            f'{truth.file}: has no categories with the ids {unknown}, which were named as '
            'distractors; are they those of BURST?'
        )


def _merged(category_id: int) -> int:
    """The class that a category counts as."""
    return next((i for i, (_, parts) in MERGED.items() if category_id in parts), category_id)


def _videos(
    truth: YouTubeVIS, objects: Sequence[Annotation], results: Sequence[Result], source: str
) -> Iterator[tuple[Video, list[Result], list[Annotation]]]:
    """Each video with its results, of which the best are left in a frame, and its objects."""
    found, true = defaultdict(list), defaultdict(list)
    for result in results:
        video = video_of(result, truth.videos, truth.file, source)
        check_form(result, video, source)
        found[video.id].append(result)
    for entry in objects:
        true[entry.video_id].append(entry)
    for video in truth.videos.values():
        yield video, best_in_frames(found[video.id], len(video.file_names)), true[video.id]


def best_in_frames(results: Sequence[Result], num_frames: int) -> list[Result]:
    """The results with the masks of each frame that are among its best."""
    order = sorted(range(len(results)), key=lambda n: -results[n].score)
    kept: list[list[dict | None]] = [[None] * num_frames for _ in results]
    for t in range(num_frames):
        there = [n for n in order if results[n].rles[t] is not None]
        for n in there[:MAX_RESULTS]:
            kept[n][t] = results[n].rles[t]
    return [replace(result, rles=rles) for result, rles in zip(results, kept, strict=True)]


def annotated_frames(objects: Iterable[Annotation]) -> list[int]:
    """The frames that have an object; results in others do not count."""
    return sorted({t for e in objects for t, rle in enumerate(e.rles) if rle is not None})


def _hota(
    video: Video,
    objects: Sequence[Masks],
    tracks: Sequence[Masks],
    frames: Sequence[int],
    class_id: int,
) -> HOTASums:
    """Count a class, or all objects, in a video."""
    is_absent = class_id in (video.neg_category_ids or ())
    is_incomplete = class_id in (video.not_exhaustive_category_ids or ())
    kept = counted_masks(objects, tracks, frames, is_absent, is_incomplete)
    return hota_sums(track_overlap(objects, kept, len(video.file_names)))


def counted_masks(
    objects: Sequence[Masks],
    tracks: Sequence[Masks],
    frames: Iterable[int],
    is_absent: bool,
    is_incomplete: bool,
) -> list[Masks]:
    """The masks of tracks without those that may lie on what is not annotated.

    Those without an object go where the class is not annotated exhaustively; and in frames without
    an object of it, unless it is known to be absent from the video.

    Args:
        objects: masks of the objects of the class.
        tracks: masks of the tracks of the class.
        frames: that have an object of any class.
        is_absent: whether the video is known not to have the class.
        is_incomplete: whether some objects of the class are not annotated in the video.
    """
    kept: list[list[dict | None]] = [[None] * len(masks) for masks in tracks]
    for t in frames:
        there = [masks[t] for masks in objects if masks[t] is not None]
        found = [n for n, masks in enumerate(tracks) if masks[t] is not None]
        all_count = not is_incomplete and (is_absent or bool(there))
        chosen = found if all_count else _matched(there, tracks, found, t)
        for n in chosen:
            kept[n][t] = tracks[n][t]
    return kept


def _matched(
    objects: Sequence[dict], tracks: Sequence[Masks], found: Sequence[int], frame: int
) -> list[int]:
    """Which of the found tracks lie on an object of a frame."""
    if not objects or not found:
        return []
    iou = coco_mask.iou(objects, [tracks[n][frame] for n in found], [0] * len(found))
    iou[iou < THRESHOLD - EPSILON] = 0
    rows, columns = linear_sum_assignment(iou, maximize=True)
    return [found[j] for i, j in zip(rows, columns, strict=True) if iou[i, j] > EPSILON]


@dataclass
class BURSTScores:
    """Numbers of groups of classes.

    Attributes:
        groups: numbers by measure, by group; NaN of a group without classes.
        classes: the same by class; empty of the open-world task.
        notes: what differs from BURST's own numbers, one sentence each.
    """

    groups: dict[str, dict[str, float]]
    classes: dict[str, dict[str, float]]
    notes: list[str]


def score_burst(
    truth: YouTubeVIS,
    results: Sequence[Result],
    source: str,
    distractors: Collection[int] | None = None,
    common: Collection[int] | None = None,
    open_world: bool = False,
) -> BURSTScores:
    """Evaluate all classes, the common ones and the others.

    The name of a group says so if distractors, which BURST leaves out, are among its classes.

    Args:
        truth: see :func:`evaluate_classes`, as all that is not named here.
        results: see there.
        source: see there.
        distractors: see there; None: not known.
        common: ids of the common classes; None: not known, then there is the group of all alone.
        open_world: whether objects are of one class.

    Raises:
        UserError: see there.
    """
    left_out, notes = distractors or (), []
    if distractors is None:
        notes.append(
            'it is not said which classes are distractors, so they count; numbers of BURST are '
            'without them'
        )
    if common is None:
        notes.append('it is not said which classes are common, so there are no numbers of these')
    known = [category.id for category in truth.categories]
    members: dict[str, list[int] | None] = dict(All=None)
    if common is not None:
        members['Common'] = [i for i in known if i in common]
        members['Uncommon'] = [i for i in known if i not in common]
    classes = {}
    if open_world:
        groups = {
            name: evaluate_open_world(truth, results, source, left_out, ids).numbers(OPEN_MEASURES)
            for name, ids in members.items()
        }
    else:
        found = evaluate_classes(truth, results, source, left_out)
        groups = {
            name: _mean([entry for i, entry in found.items() if ids is None or i in ids])
            for name, ids in members.items()
        }
        classes = {entry.name: entry.numbers() for entry in found.values()}
    suffix = '' if distractors is not None else ' with distractors'
    return BURSTScores({f'{name}{suffix}': row for name, row in groups.items()}, classes, notes)


def _mean(classes: Sequence[BURSTClass]) -> dict[str, float]:
    """The mean of each measure over some classes; NaN of none."""
    rows = [entry.numbers() for entry in classes]
    return {m: float(np.mean([row[m] for row in rows])) if rows else np.nan for m in MEASURES}
