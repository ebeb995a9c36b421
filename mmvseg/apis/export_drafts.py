"""Results as drafts to correct: certain enough, and one mask an object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmvseg.errors import counted
from mmvseg.evaluation.functional.tube_iou import make_tube, tube_iou
from mmvseg.formats.youtube_vis_results import Result

#: Below, most results are none that anyone would keep.
MIN_SCORE = 0.5
#: Above, two results are taken for the same object.
MAX_OVERLAP = 0.5


@dataclass(frozen=True)
class DraftChoice:
    """Which results become drafts.

    Attributes:
        min_score: lowest score.
        max_overlap: how much a result may have in common with a better one, as intersection over
            union of their masks over all frames.
    """

    min_score: float = MIN_SCORE
    max_overlap: float = MAX_OVERLAP


def choose_drafts(
    results: Mapping[int, Sequence[Result]], choice: DraftChoice
) -> tuple[dict[int, list[Result]], list[str]]:
    """Leave out results that are not worth correcting.

    Args:
        results: by id of their video.
        choice: of them.

    Returns:
        What is left of each video, the highest score first, and a line for each reason why some are
        left out.
    """
    drafts, low, double = {}, 0, 0
    for video_id, all_of_it in results.items():
        certain = [result for result in all_of_it if result.score >= choice.min_score]
        certain.sort(key=lambda result: -result.score)
        drafts[video_id] = _without_doubles(certain, choice.max_overlap)
        low += len(all_of_it) - len(certain)
        double += len(certain) - len(drafts[video_id])
    total = counted(sum(map(len, results.values())), 'results')
    left_out = []
    if low:
        left_out.append(f'{low} of {total} score below {choice.min_score:g} (--min-score)')
    if double:
        left_out.append(
            f'{double} of {total} have more than {choice.max_overlap:g} in common with one that '
            'scores higher (--max-overlap)'
        )
    return drafts, left_out


def _without_doubles(results: Sequence[Result], max_overlap: float) -> list[Result]:
    """Results without those that show what a better one shows, of whichever class."""
    tubes = [make_tube(result.rles, result.mask_areas) for result in results]
    iou = tube_iou(tubes, tubes)
    kept: list[int] = []
    for index in range(len(results)):
        if not (iou[index, kept] > max_overlap).any():
            kept.append(index)
    return [results[index] for index in kept]
