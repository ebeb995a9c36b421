"""Average precision of LV-VIS: over all classes, the base ones and the novel ones.

The numbers are those of its evaluator, which differs from that of YouTube-VIS: a crowd counts as an
object, and the ``areas`` of the ground truth are cut to integers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmvseg.errors import UserError, counted
from mmvseg.formats.youtube_vis_results import Result

from .ground_truth import GroundTruth
from .table import CLASS_COLUMNS, percent_table
from .youtube_vis_ap import VideoAP, average_precision

#: The partitions of classes in each group: those of COCO and other frequent or common ones of LVIS;
#: rare ones of LVIS and those that LVIS does not have.
GROUPS = dict(base=(0, 1), novel=(2, 3))


@dataclass
class LVVISAP:
    """Result of an evaluation.

    Attributes:
        ap: over all classes.
        groups: category ids of each of :data:`GROUPS`.
    """

    ap: VideoAP
    groups: dict[str, list[int]]

    def stats(self) -> dict[str, float]:
        """The 12 summary numbers of all classes, then of each group with its name in front."""
        numbers = self.ap.stats()
        for group, ids in self.groups.items():
            numbers |= {f'{group}_{name}': v for name, v in self.ap.stats_of(ids).items()}
        return numbers

    @staticmethod
    def number_names() -> list[str]:
        """Names of all numbers."""
        names = VideoAP.number_names()
        return [*names, *(f'{group}_{name}' for group in GROUPS for name in names)]

    def tables(self) -> str:
        """The AP of the classes that have ground truth, and the summary, in percent."""
        per_category = self.ap.per_category()
        classes = {
            name: per_category[i]
            for i, name in self.ap.categories.items()
            if per_category[i]['AP'] >= 0
        }
        columns = dict(all=self.ap.stats())
        columns |= {group: self.ap.stats_of(ids) for group, ids in self.groups.items()}
        means = {
            name: {column: values[name] for column, values in columns.items()}
            for name in VideoAP.number_names()
        }
        return '\n'.join(
            (
                percent_table('classes with ground truth (%)', classes, CLASS_COLUMNS),
                percent_table('mean (%)', means, [*columns]),
            )
        )


def evaluate_lv_vis(
    truth: GroundTruth, results: Sequence[Result], source: str, partitions: Mapping[int, int]
) -> LVVISAP:
    """Evaluate predicted objects.

    Args:
        truth: the ground truth, made with ``whole_areas=True``.
        results: the objects.
        source: name of the results, for messages.
        partitions: partition of each class by category id.

    Raises:
        UserError: there are no results, or some are of a video that the ground truth does not list.
    """
    if not results:
        raise UserError(
            f'{source}: holds no predictions; the official evaluator cannot score an empty list'
        )
    ap = average_precision(truth, results, source, ignore_crowds=False)
    crowds = sum(entry.is_crowd for entries in truth.annotations.values() for entry in entries)
    if crowds:
        ap.notes.append(
            f'{truth.source}: crowds count as objects, as in the evaluator of LV-VIS: '
            f'{counted(crowds, "annotations")}; that of YouTube-VIS ignores them'
        )
    groups = {
        group: [i for i in truth.categories if partitions.get(i) in members]
        for group, members in GROUPS.items()
    }
    return LVVISAP(ap, groups)
