"""Average precision of tubes as YouTube-VIS and OVIS define it.

The numbers are those of the official evaluators (``ytvoseval`` and ``oviseval``); the matching runs
over all IoU thresholds, area ranges and occlusion groups at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.formats.youtube_vis_results import Result, video_of

from .ground_truth import Annotation, GroundTruth, average_area
from .tube_iou import Tube, make_tube, tube_iou

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALL_POINTS = np.linspace(0, 1, 101)
MAX_DETECTIONS = (1, 10, 100)
#: Bounds of the average area in pixels, both inclusive.
AREA_RANGES = dict(all=(0, 1e10), small=(0, 128**2), medium=(128**2, 256**2), large=(256**2, 1e10))
#: Bounds of the occlusion score, both inclusive.
OCCLUSION_RANGES = dict(all=(0, 1), light=(0, 0.25), moderate=(0.25, 0.5), heavy=(0.5, 1))


@dataclass
class Detection:
    """One predicted object.

    Attributes:
        index: 0-based position in the results.
        score: confidence.
        average_area: mean pixels of its masks that are not empty; 0 if all are.
        tube: its masks.
    """

    index: int
    score: float
    average_area: float
    tube: Tube


@dataclass
class Matching:
    """Detections of one video and category against its annotations.

    C are the pairs (area range, occlusion group), occlusion running faster; D the detections by
    descending score, at most 100; G the annotations in the order of the file.

    Attributes:
        video_id: the video's id.
        category_id: the category's id.
        detections: the D detections.
        annotations: the G annotations.
        iou: (D, G) in [0, 1].
        matched: annotation that each detection takes, -1 for none, (C, T, D) for T thresholds.
        hit: whether that counts as a match, (C, T, D).
        ignored: whether the detection is neither right nor wrong, (C, T, D).
        annotation_ignored: (C, G).
    """

    video_id: int
    category_id: int
    detections: list[Detection]
    annotations: list[Annotation]
    iou: np.ndarray
    matched: np.ndarray
    hit: np.ndarray
    ignored: np.ndarray
    annotation_ignored: np.ndarray


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
            AP=[_mean_of_valid(p) for p in self.precision[:, :, :, 0, 0, -1]],
            AR100=[_mean_of_valid(r) for r in self.recall[:, :, 0, 0, -1]],
        )

    def _summary(self, categories: slice) -> dict[str, float]:
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
        return {name: _mean_of_valid(value) for name, value in values.items()}


def _mean_of_valid(values: np.ndarray) -> float:
    valid = values[values > -1]
    return float(valid.mean()) if valid.size else -1.0


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
        >>> truth = to_ground_truth(read_youtube_vis('valid.json'))  # doctest: +SKIP
        >>> results = read_results('results.json')  # doctest: +SKIP
        >>> evaluate_youtube_vis(truth, results, 'results').stats()['AP']  # doctest: +SKIP
        0.41
    """
    if not results:
        raise UserError(
            f'{source}: holds no predictions; the official evaluator cannot score an empty list'
        )
    detections = _to_detections(results, truth, source)
    notes = _result_notes(results, truth, source)
    keys = sorted(truth.annotations.keys() | detections.keys())
    matchings = [
        _match(key, detections.get(key, []), truth.annotations.get(key, []), source, occlusion)
        for key in keys
    ]
    precision, recall, scores = _accumulate(matchings, [*truth.categories], occlusion)
    return VideoAP(truth.categories, precision, recall, scores, matchings, truth.notes + notes)


def _to_detections(
    results: Sequence[Result], truth: GroundTruth, source: str
) -> dict[tuple[int, int], list[Detection]]:
    """The detections of each (video id, category id), in the order of the results."""
    detections = defaultdict(list)
    for result in results:
        video_of(result, truth.videos, truth.source, source)
        if result.category_id in truth.categories:
            tube = make_tube(result.rles, result.mask_areas)
            area = average_area(result.mask_areas.tolist())
            detection = Detection(result.index, result.score, area, tube)
            detections[result.video_id, result.category_id].append(detection)
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
    detections: list[Detection],
    annotations: list[Annotation],
    source: str,
    occlusion: bool,
) -> Matching:
    order = np.argsort([-d.score for d in detections], kind='stable')[: MAX_DETECTIONS[-1]]
    detections = [detections[i] for i in order]
    if occlusion:
        _check_lengths(detections, annotations, source)
    iou = tube_iou([d.tube for d in detections], [g.tube for g in annotations])
    annotation_ignored = _ignored_annotations(annotations, occlusion)
    is_crowd = np.array([g.is_crowd for g in annotations], dtype=bool)
    matched = _assign(iou, annotation_ignored, is_crowd)

    # Officially a match is stored as the annotation's id and 0 means none, so a match with an
    # annotation of id 0 uses the annotation up and yet counts as none.
    ids = np.array([g.id for g in annotations] + [0])  # the last one is what -1 selects
    hit = ids[matched] != 0
    taken_ignored = np.pad(annotation_ignored, ((0, 0), (0, 1)))
    outside = _outside_area([d.average_area for d in detections])
    outside = np.repeat(outside, annotation_ignored.shape[0] // len(AREA_RANGES), axis=0)
    ignored = np.take_along_axis(taken_ignored[:, None], matched, axis=2)
    ignored = ignored | (~hit & outside[:, None])
    return Matching(*key, detections, annotations, iou, matched, hit, ignored, annotation_ignored)


def _check_lengths(detections: list[Detection], annotations: list[Annotation], source: str) -> None:
    for detection in detections:
        for annotation in annotations:
            got, expected = len(detection.tube), len(annotation.tube)
            if got != expected:
                raise UserError(
                    f'{source}: entry {detection.index} has {got} segmentations, annotation '
                    f'{annotation.id} of its video has {expected}; OVIS needs one a frame'
                )


def _outside_area(areas: list[float]) -> np.ndarray:
    """Whether each of n areas is outside of each range, (4, n)."""
    area = np.array(areas, dtype=float)
    return np.array([(area < low) | (area > high) for low, high in AREA_RANGES.values()])


def _ignored_annotations(annotations: list[Annotation], occlusion: bool) -> np.ndarray:
    """Whether each annotation is ignored, for each area range and occlusion group, (C, G)."""
    is_crowd = np.array([g.is_crowd for g in annotations], dtype=bool)
    ignored = (_outside_area([g.average_area for g in annotations]) | is_crowd)[:, None]
    if occlusion:
        score = np.array([g.occlusion for g in annotations], dtype=float)
        ranges = OCCLUSION_RANGES.values()
        ignored = ignored | np.array([(score < low) | (score > high) for low, high in ranges])
    return np.concatenate(ignored)  # (4, O, G) to (C, G)


def _assign(iou: np.ndarray, ignored: np.ndarray, is_crowd: np.ndarray) -> np.ndarray:
    """Give each detection in turn the best annotation that is left.

    Args:
        iou: (D, G), detections by descending score.
        ignored: (C, G) bool.
        is_crowd: (G,) bool; a crowd annotation may be taken again and again.

    Returns:
        The annotation that each detection takes, -1 for none, (C, T, D).
    """
    thresholds = np.minimum(IOU_THRESHOLDS, 1 - 1e-10)
    shape = (len(ignored), len(thresholds))
    matched = np.full((*shape, len(iou)), -1)
    free = np.ones((*shape, len(is_crowd)), dtype=bool)  # (C, T, G)
    counted = ~ignored[:, None]  # (C, 1, G)
    for d in np.flatnonzero((iou >= thresholds[0]).any(axis=1)):
        candidates = free & (iou[d] >= thresholds[:, None])
        preferred = candidates & counted
        pool = np.where(preferred.any(axis=2, keepdims=True), preferred, candidates)
        # The last of equal maxima wins, hence the search from the end.
        best = len(is_crowd) - 1 - np.where(pool, iou[d], -1)[..., ::-1].argmax(axis=2)
        found = pool.any(axis=2)
        matched[..., d] = np.where(found, best, -1)
        c, t = np.nonzero(found)
        free[c, t, best[c, t]] = is_crowd[best[c, t]]
    return matched


def _accumulate(
    matchings: list[Matching], category_ids: list[int], occlusion: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and scores in the axes of :class:`VideoAP`."""
    groups = len(OCCLUSION_RANGES) if occlusion else 1
    conditions = len(AREA_RANGES) * groups
    shape = (len(IOU_THRESHOLDS), len(RECALL_POINTS), len(category_ids), conditions, 3)
    precision, scores = np.full(shape, -1.0), np.full(shape, -1.0)
    recall = np.full((shape[0], *shape[2:]), -1.0)
    for k, category_id in enumerate(category_ids):
        of_category = [m for m in matchings if m.category_id == category_id]
        if not of_category:
            continue
        positives = sum(np.count_nonzero(~m.annotation_ignored, axis=1) for m in of_category)
        for m, limit in enumerate(MAX_DETECTIONS):
            ranked_scores, true, false = _rank(of_category, limit)
            for c in np.flatnonzero(positives):
                recall[:, k, c, m] = true[c, :, -1] / positives[c] if len(ranked_scores) else 0
                for t in range(len(IOU_THRESHOLDS)):
                    precision[t, :, k, c, m], scores[t, :, k, c, m] = _interpolate(
                        true[c, t], false[c, t], ranked_scores, positives[c]
                    )
    areas = (len(AREA_RANGES), groups, len(MAX_DETECTIONS))
    return tuple(a.reshape(*a.shape[:-2], *areas) for a in (precision, recall, scores))


def _rank(matchings: list[Matching], limit: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Detections of one category over all videos by descending score, the best ``limit`` of each.

    Returns:
        Their scores, (N,), and how many right and wrong ones there are up to each, (C, T, N).
    """
    scores = np.concatenate([[d.score for d in m.detections[:limit]] for m in matchings])
    hit = np.concatenate([m.hit[..., :limit] for m in matchings], axis=2)
    counted = ~np.concatenate([m.ignored[..., :limit] for m in matchings], axis=2)
    order = np.argsort(-scores, kind='stable')
    true = np.cumsum((hit & counted)[..., order], axis=2)
    false = np.cumsum((~hit & counted)[..., order], axis=2)
    return scores[order], true, false


def _interpolate(
    true: np.ndarray, false: np.ndarray, scores: np.ndarray, positives: int
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and score at each recall point, 0 where it is never reached, (101,) each."""
    precision = true / (false + true + np.spacing(1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    index = np.searchsorted(true / positives, RECALL_POINTS, side='left')
    return np.append(precision, 0)[index], np.append(scores, 0)[index]
