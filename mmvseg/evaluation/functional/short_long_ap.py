"""Average precision of YouTube-VIS 2022: of its short videos, of its long ones, and the mean.

The released ``valid.json`` does not say which videos are long; the split is that of two ground
truths. The two evaluations have nothing in common but the results.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmvseg.errors import UserError, counted
from mmvseg.formats.youtube_vis_results import Result

from .ground_truth import GroundTruth
from .table import percent_table
from .youtube_vis_ap import VideoAP, average_precision

SPLITS = ('short', 'long')


@dataclass
class ShortLongAP:
    """Result of an evaluation.

    Attributes:
        of_split: the numbers of the splits that have a ground truth.
        notes: what was counted in a way that few expect, one sentence each.
    """

    of_split: dict[str, VideoAP]
    notes: list[str]

    def stats(self) -> dict[str, float]:
        """``AP``, where both splits have one, and the 12 summary numbers of each split.

        ``AP`` is the plain mean of ``short_AP`` and ``long_AP``, whatever the numbers of videos.
        """
        numbers = {
            f'{split}_{name}': value
            for split, result in self.of_split.items()
            for name, value in result.stats().items()
        }
        parts = [numbers.get(f'{split}_AP', -1) for split in SPLITS]
        return dict(AP=sum(parts) / 2, **numbers) if min(parts) >= 0 else numbers

    @staticmethod
    def number_names() -> list[str]:
        """Names of all numbers."""
        names = VideoAP.number_names()
        return ['AP', *(f'{split}_{name}' for split in SPLITS for name in names)]

    def tables(self) -> str:
        """The AP of each class and the summary, in percent, '-' where there is no ground truth."""
        splits = {split: result.per_category() for split, result in self.of_split.items()}
        names = {i: name for part in self.of_split.values() for i, name in part.categories.items()}
        classes = {
            name: {split: of_class[i]['AP'] for split, of_class in splits.items() if i in of_class}
            for i, name in names.items()
        }
        stats = self.stats()
        means = {
            name: {split: stats.get(f'{split}_{name}', math.nan) for split in SPLITS}
            for name in VideoAP.number_names()
        }
        for name, row in means.items():
            row['mean'] = stats.get(name, math.nan)
        nothing = dict.fromkeys(SPLITS, math.nan)
        return '\n'.join(
            (
                percent_table(
                    'AP of classes (%)', {n: nothing | row for n, row in classes.items()}, SPLITS
                ),
                percent_table('mean (%)', means, (*SPLITS, 'mean')),
            )
        )


def evaluate_short_long(
    truths: Mapping[str, GroundTruth], results: Sequence[Result], source: str
) -> ShortLongAP:
    """Evaluate one list of results against both ground truths.

    A split sees the results of its own videos alone.

    Args:
        truths: the ground truth of ``short``, of ``long``, or of both.
        results: the objects of all videos.
        source: name of the results, for messages.

    Raises:
        UserError: there are no results; or some are of a video that neither ground truth lists, or,
            of one alone, all are.
    """
    if not results:
        raise UserError(
            f'{source}: holds no predictions; the official evaluator cannot score an empty list'
        )
    known = {video for truth in truths.values() for video in truth.videos}
    others = [result for result in results if result.video_id not in known]
    notes = _check_others(others, truths, source, all_are=len(others) == len(results))
    of_split = {}
    for split, truth in truths.items():
        own = [result for result in results if result.video_id in truth.videos]
        of_split[split] = average_precision(truth, own, source)
        notes += of_split[split].notes
        if not truth.has_annotations:
            notes.append(f'{truth.source} has no annotations, so there is no AP of {split} videos')
        elif not own:
            notes.append(f'{source}: nothing was predicted in {split} videos, whose AP is 0')
    return ShortLongAP(of_split, notes)


def _check_others(
    others: Sequence[Result], truths: Mapping[str, GroundTruth], source: str, all_are: bool
) -> list[str]:
    """Notes of results whose video no ground truth lists; an error where there should be none."""
    files = ' nor in '.join(truth.source for truth in truths.values())
    if others and (len(truths) == len(SPLITS) or all_are):
        raise UserError(
            f'{source}: entry {others[0].index}: video_id {others[0].video_id} is not in {files}; '
            'are the results those of this data set?'
        )
    if len(truths) == len(SPLITS):
        return []
    (split,) = truths
    return [
        f'there is a ground truth of the {split} videos alone, so there is no mean of short and '
        f'long; {counted(len(others), "entries")} of other videos in {source} are left out'
    ]
