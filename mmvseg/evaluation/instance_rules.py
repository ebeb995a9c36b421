"""By what rules results of instances are scored, one class a benchmark.

The same rules serve metrics in a config, ``mmvseg test`` and ``mmvseg evaluate``, so that their
numbers and names are the same.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from mmvseg.errors import UserError
from mmvseg.formats.categories import Category, load_table
from mmvseg.formats.youtube_vis import YouTubeVIS
from mmvseg.formats.youtube_vis_results import Result

from .functional.ground_truth import GroundTruth, to_ground_truth
from .functional.lv_vis_ap import LVVISAP, evaluate_lv_vis
from .functional.short_long_ap import SPLITS, ShortLongAP, evaluate_short_long
from .functional.table import ap_tables
from .functional.youtube_vis_ap import VideoAP, evaluate_youtube_vis, restrict_categories
from .scores import Scores


class InstanceRules(ABC):
    """The rules of a benchmark, with a ground truth.

    Attributes:
        truths: what results are compared with; mostly one.
    """

    truths: list[GroundTruth]

    @property
    def has_truth(self) -> bool:
        """Whether there is anything to compare with."""
        return any(truth.has_annotations for truth in self.truths)

    @property
    def source(self) -> str:
        """Name of the ground truth, for messages."""
        return ' and '.join(truth.source for truth in self.truths)

    @staticmethod
    @abstractmethod
    def number_names() -> list[str]:
        """Names of the numbers; more is better of all."""

    @abstractmethod
    def score(
        self, results: Sequence[Result], source: str, category_ids: Iterable[int] | None = None
    ) -> Scores:
        """Compare results with the ground truth.

        Args:
            results: the objects.
            source: what they are called in messages.
            category_ids: the categories that count; None: all of the ground truth.

        Raises:
            UserError: there are no results, or they do not fit the ground truth.
        """

    def chosen(self, category_ids: Iterable[int] | None) -> list[GroundTruth]:
        """The ground truths of these categories alone; None: of all."""
        if category_ids is None:
            return self.truths
        kept = [*category_ids]
        return [restrict_categories(truth, kept) for truth in self.truths]


class YouTubeVISRules(InstanceRules):
    """AP and AR of YouTube-VIS.

    Args:
        records: of the annotation file.
    """

    occlusion = False

    def __init__(self, records: YouTubeVIS) -> None:
        self.truths = [to_ground_truth(records, self.occlusion)]

    @staticmethod
    def number_names() -> list[str]:
        """See :class:`InstanceRules`."""
        return VideoAP.number_names()

    def score(
        self, results: Sequence[Result], source: str, category_ids: Iterable[int] | None = None
    ) -> Scores:
        """See :class:`InstanceRules`."""
        (truth,) = self.chosen(category_ids)
        result = evaluate_youtube_vis(truth, results, source, self.occlusion)
        return Scores(result.stats(), ap_tables(result), result.notes)


class OVISRules(YouTubeVISRules):
    """The same with OVIS's occlusion groups.

    Raises:
        UserError: an object has no, or no known, occlusion.
    """

    occlusion = True

    @staticmethod
    def number_names() -> list[str]:
        """See :class:`InstanceRules`."""
        return VideoAP.number_names(occlusion=True)


class ShortLongRules(InstanceRules):
    """AP and AR of YouTube-VIS 2022, of short and long videos.

    Args:
        records: of the annotation file of ``short``, of ``long``, or of both.
    """

    def __init__(self, records: Mapping[str, YouTubeVIS]) -> None:
        self.splits = [split for split in SPLITS if split in records]
        self.truths = [to_ground_truth(records[split]) for split in self.splits]

    @staticmethod
    def number_names() -> list[str]:
        """See :class:`InstanceRules`."""
        return ShortLongAP.number_names()

    def score(
        self, results: Sequence[Result], source: str, category_ids: Iterable[int] | None = None
    ) -> Scores:
        """See :class:`InstanceRules`."""
        truths = dict(zip(self.splits, self.chosen(category_ids), strict=True))
        result = evaluate_short_long(truths, results, source)
        return Scores(result.stats(), result.tables(), result.notes)


class LVVISRules(InstanceRules):
    """AP and AR of LV-VIS over all classes, the base ones and the novel ones.

    Args:
        records: of the annotation file, whose categories have a ``partition``, or are those of
            LV-VIS by their names.

    Raises:
        UserError: no category has a partition.
    """

    def __init__(self, records: YouTubeVIS) -> None:
        self.truths = [to_ground_truth(records, whole_areas=True)]
        self.partitions = _partitions(records.categories, records.file)

    @staticmethod
    def number_names() -> list[str]:
        """See :class:`InstanceRules`."""
        return LVVISAP.number_names()

    def score(
        self, results: Sequence[Result], source: str, category_ids: Iterable[int] | None = None
    ) -> Scores:
        """See :class:`InstanceRules`."""
        (truth,) = self.chosen(category_ids)
        result = evaluate_lv_vis(truth, results, source, self.partitions)
        return Scores(result.stats(), result.tables(), result.ap.notes)


def _partitions(categories: Sequence[Category], file: str) -> dict[int, int]:
    """Partition by category id: the file's own, else that of LV-VIS's class of the name."""
    found = {c.id: c.partition for c in categories if c.partition is not None}
    if not found:
        published = {c.name: c.partition for c in load_table('lv_vis')}
        found = {c.id: published[c.name] for c in categories if c.name in published}
    if not found:
        raise UserError(
            f"{file}: no category has a 'partition' nor the name of a class of LV-VIS, so there "
            'are no base and novel classes; without these groups use ytvis, in a config '
            'YouTubeVISMetric'
        )
    return found
