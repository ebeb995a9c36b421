"""Average precision of tubes as YouTube-VIS and OVIS define it.

The numbers are those of the official evaluators (``ytvoseval`` and ``oviseval``); the matching runs
over all IoU thresholds, area ranges and occlusion groups at once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.formats.youtube_vis_results import Result, video_of

from .ground_truth import Annotation, GroundTruth, average_area
from .precision_recall import (
    IOU_THRESHOLDS,
    MAX_DETECTIONS,
    RECALL_POINTS,
    accumulate,
    mean_of_valid,
)
from .tube_iou import Tube, make_tube, tube_iou
from .tube_matching import Detection, Matching, by_score, match_tubes

#: Bounds of the average area in pixels, both inclusive.
AREA_RANGES = dict(all=(0, 1e10), small=(0, 128**2), medium=(128**2, 256**2), large=(256**2, 1e10))
#: Bounds of the occlusion score, both inclusive.
OCCLUSION_RANGES = dict(all=(0, 1), light=(0, 0.25), moderate=(0.25, 0.5), heavy=(0.5, 1))


@dataclass
class VideoAP:
    """Result of an evaluation. Fractions in [0, 1]; -1 where there is no ground truth.

    The axes are the 10 IoU thresholds, the 101 recall points, the K categories by ascending id,
    the 4 area ranges, the occlusion groups (4 for OVIS, else only 'all') and 1, 10 and 100
    detections a video and category.

    Attributes:
        categories: name of each category by id, in ascending order of the ids.
        precision: (10, 101, K, 4, 1 or 4, 3).
        recall: (10, K, 4, 1 or 4, 3).
        scores: score at which each recall point is reached, in the axes of ``precision``.
        matchings: one for each video and category with annotations or detections.
        notes: what was counted in a way that few expect, one sentence each.
    """

    categories: dict[int, str]
    precision: np.ndarray
    recall: np.ndarray
    scores: np.ndarray
    matchings: list[Matching]
    notes: list[str]

    def stats(self) -> dict[str, float]:
        """The 12 summary numbers of YouTube-VIS, or the 18 of OVIS."""
        return self._summary(slice(None))

    def stats_of(self, category_ids: Collection[int]) -> dict[str, float]:
        """The summary numbers over some of the categories."""
        return self._summary([k for k, i in enumerate(self.categories) if i in category_ids])

    @classmethod
    def number_names(cls, occlusion: bool = False) -> list[str]:
        """Names of the summary numbers, of OVIS with its occlusion groups."""
        groups = len(OCCLUSION_RANGES) if occlusion else 1
        recall = np.zeros((len(IOU_THRESHOLDS), 1, len(AREA_RANGES), groups, len(MAX_DETECTIONS)))
        precision = np.repeat(recall[:, None], len(RECALL_POINTS), 1)
        return [*cls({}, precision, recall, precision, [], []).stats()]

    def per_category(self) -> dict[int, dict[str, float]]:
        """The summary numbers of each category by id."""
        return {i: self._summary(slice(k, k + 1)) for k, i in enumerate(self.categories)}

    def per_iou_threshold(self) -> dict[str, list[float]]:
        """AP and AR100 at each IoU threshold, over all areas and occlusions."""
        return dict(
            AP=[mean_of_valid(p) for p in self.precision[:, :, :, 0, 0, -1]],
            AR100=[mean_of_valid(r) for r in self.recall[:, :, 0, 0, -1]],
        )

    def _summary(self, categories: slice | list[int]) -> dict[str, float]:
        precision, recall = self.precision[:, :, categories], self.recall[:, categories]
        areas = [*enumerate(AREA_RANGES)][1:]
        groups = [*enumerate(OCCLUSION_RANGES)][1 : precision.shape[4]]
        values = dict(AP=precision[..., 0, 0, -1])
        for percent in (50, 75):
            threshold = IOU_THRESHOLDS.tolist().index(percent / 100)
            values[f'AP{percent}'] = precision[threshold, ..., 0, 0, -1]
        values.update({f'AP_{name}': precision[..., a, 0, -1] for a, name in areas})
        values.update({f'AP_{name}': precision[..., 0, o, -1] for o, name in groups})
        values.update({f'AR{n}': recall[..., 0, 0, m] for m, n in enumerate(MAX_DETECTIONS)})
        values.update({f'AR_{name}': recall[..., a, 0, -1] for a, name in areas})
        values.update({f'AR_{name}': recall[..., 0, o, -1] for o, name in groups})
        return {name: mean_of_valid(value) for name, value in values.items()}


def evaluate_youtube_vis(
    truth: GroundTruth, results: Sequence[Result], source: str, occlusion: bool = False
) -> VideoAP:
    """Evaluate predicted objects.

    Args:
        truth: the ground truth, see :func:`.ground_truth.to_ground_truth`.
        results: the objects. Those of a category that the ground truth does not list are left out,
            as they are officially.
        source: name of the results, for messages.
        occlusion: whether to evaluate OVIS's occlusion groups too; ``truth`` must have been made
            with ``occlusion=True``.

    Raises:
        UserError: there are no objects, or some are of a video that the ground truth does not
            list.

    Example:
        >>> from mmvseg.evaluation.functional.ground_truth import to_ground_truth
        >>> from mmvseg.formats.youtube_vis import read_youtube_vis
        >>> from mmvseg.formats.youtube_vis_results import read_results
        >>> truth = to_ground_truth(read_youtube_vis('shapes/val.json'))
        >>> results = read_results('results.json')  # four of five objects
        >>> found = evaluate_youtube_vis(truth, results, 'results')
        >>> {name: round(found.stats()[name], 3) for name in ('AP', 'AR10')}
        {'AP': 0.876, 'AR10': 0.875}
        >>> {category: round(ap['AP'], 3) for category, ap in found.per_category().items()}
        {1: 0.505, 2: 1.0, 3: 1.0, 4: -1.0, 5: 1.0, 6: -1.0}
    """
    if not results:
        raise UserError(
            f'{source}: holds no predictions; the official evaluator cannot score an empty list'
        )
    return average_precision(truth, results, source, occlusion)


def average_precision(
    truth: GroundTruth,
    results: Sequence[Result],
    source: str,
    occlusion: bool = False,
    ignore_crowds: bool = True,
) -> VideoAP:
    """What :func:`evaluate_youtube_vis` does, of no results at all, too.

    Args:
        truth: see there, as all that is not named here.
        results: see there.
        source: see there.
        occlusion: see there.
        ignore_crowds: whether detections on a crowd are neither right nor wrong; else it is an
            object that any number of them can find.

    Raises:
        UserError: a result is of a video that the ground truth does not list.
    """
    detections = _to_detections(results, truth, source)
    notes = _result_notes(results, truth, source)
    matchings = [
        _match(
            key,
            detections.get(key, []),
            truth.annotations.get(key, []),
            source,
            occlusion,
            ignore_crowds,
        )
        for key in sorted(truth.annotations.keys() | detections.keys())
    ]
    groups = len(OCCLUSION_RANGES) if occlusion else 1
    verdicts = [matching.verdicts() for matching in matchings]
    curves = accumulate(verdicts, [*truth.categories], len(AREA_RANGES) * groups)
    precision, recall, scores = (
        values.reshape(*values.shape[:-2], len(AREA_RANGES), groups, len(MAX_DETECTIONS))
        for values in (curves.precision, curves.recall, curves.scores)
    )
    return VideoAP(truth.categories, precision, recall, scores, matchings, truth.notes + notes)


def _to_detections(
    results: Sequence[Result], truth: GroundTruth, source: str
) -> dict[tuple[int, int], list[tuple[Detection, Tube]]]:
    """The detections of each (video id, category id), in the order of the results."""
    detections = defaultdict(list)
    for result in results:
        video_of(result, truth.videos, truth.source, source)
        if result.category_id in truth.categories:
            tube = make_tube(result.rles, result.mask_areas)
            area = average_area(result.mask_areas.tolist())
            detection = Detection(result.index, result.score, area)
            detections[result.video_id, result.category_id].append((detection, tube))
    return detections


def _result_notes(results: Sequence[Result], truth: GroundTruth, source: str) -> list[str]:
    """How many entries have a foreign category, another length or another size than their video."""
    unknown, lengths, sizes = [], [], []
    for result in results:
        video = truth.videos[result.video_id]
        if result.category_id not in truth.categories:
            unknown.append(result.index)
        if len(result.rles) != len(video.file_names):
            lengths.append(result.index)
        size = [video.height, video.width]
        if any(rle is not None and list(rle['size']) != size for rle in result.rles):
            sizes.append(result.index)
    rules = [
        (unknown, 'with a category_id that the ground truth does not list: left out'),
        (lengths, 'with more or fewer segmentations than frames: the rest is not compared'),
        (sizes, 'with masks of another size than the video: such frames are not compared'),
    ]
    return [
        f'{source}: {counted(len(which), "entries")} (the first is entry {which[0]}) {rule}, as in '
        'the official evaluator'
        for which, rule in rules
        if which
    ]


def restrict_categories(truth: GroundTruth, category_ids: Iterable[int]) -> GroundTruth:
    """The ground truth of a model that knows some of the categories only.

    Args:
        truth: the ground truth, see :func:`.ground_truth.to_ground_truth`.
        category_ids: ids of the categories to evaluate.

    Returns:
        ``truth`` itself if they are all of its categories; else a ground truth without the others,
        with a note of how many are left out.
    """
    kept = truth.categories.keys() & set(category_ids)
    left_out = [name for i, name in truth.categories.items() if i not in kept]
    if not left_out:
        return truth
    note = (
        f'{truth.source}: {len(left_out)} of {len(truth.categories)} categories are left out of '
        f'the numbers, since the data set does not use them: {", ".join(left_out)}'
    )
    return replace(
        truth,
        categories={i: name for i, name in truth.categories.items() if i in kept},
        annotations={key: value for key, value in truth.annotations.items() if key[1] in kept},
        notes=[*truth.notes, note],
    )


def _match(
    key: tuple[int, int],
    detections: list[tuple[Detection, Tube]],
    annotations: list[Annotation],
    source: str,
    occlusion: bool,
    ignore_crowds: bool,
) -> Matching:
    order = by_score([d.score for d, _ in detections], MAX_DETECTIONS[-1])
    detections = [detections[i] for i in order]
    if occlusion:
        _check_lengths(detections, annotations, source)
    iou = tube_iou([tube for _, tube in detections], [g.tube for g in annotations])
    ignored = _ignored_annotations(annotations, occlusion, ignore_crowds)
    outside = _outside_area([d.average_area for d, _ in detections])
    outside = np.repeat(outside, len(ignored) // len(AREA_RANGES), axis=0)
    return match_tubes(key, [d for d, _ in detections], annotations, iou, ignored, outside)


def _check_lengths(
    detections: list[tuple[Detection, Tube]], annotations: list[Annotation], source: str
) -> None:
    for detection, tube in detections:
        for annotation in annotations:
            got, expected = len(tube), len(annotation.tube)
            if got != expected:
                raise UserError(
                    f'{source}: entry {detection.index} has {got} segmentations, annotation '
                    f'{annotation.id} of its video has {expected}; OVIS needs one a frame'
                )


def _outside_area(areas: list[float]) -> np.ndarray:
    """Whether each of n areas is outside of each range, (4, n)."""
    area = np.array(areas, dtype=float)
    return np.array([(area < low) | (area > high) for low, high in AREA_RANGES.values()])


def _ignored_annotations(
    annotations: list[Annotation], occlusion: bool, ignore_crowds: bool
) -> np.ndarray:
    """Whether each annotation is ignored, for each area range and occlusion group, (C, G)."""
    is_ignored = np.array([g.is_crowd and ignore_crowds for g in annotations], dtype=bool)
    ignored = (_outside_area([g.average_area for g in annotations]) | is_ignored)[:, None]
    if occlusion:
        score = np.array([g.occlusion for g in annotations], dtype=float)
        ranges = OCCLUSION_RANGES.values()
        ignored = ignored | np.array([(score < low) | (score > high) for low, high in ranges])
    return np.concatenate(ignored)  # (4, O, G) to (C, G)
