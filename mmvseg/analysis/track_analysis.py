"""All numbers about one results file of YouTube-VIS."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.ground_truth import to_ground_truth
from mmvseg.evaluation.functional.tracking import ANY_CLASS, ANY_ID, tracking_notes
from mmvseg.evaluation.functional.tracking_numbers import (
    ALL_VIDEOS,
    CLASS_SUM,
    Tracking,
    distinct_names,
)
from mmvseg.evaluation.functional.youtube_vis_ap import VideoAP, evaluate_youtube_vis
from mmvseg.formats.categories import Category
from mmvseg.formats.youtube_vis import YouTubeVIS
from mmvseg.formats.youtube_vis_results import Result

from .calibration import Calibration
from .confusion import Confusion
from .curves import precision_curves
from .error_counts import ErrorCounts
from .first_detection import FirstDetection
from .groups import GroupAP
from .object_outcomes import ObjectOutcome, object_outcomes
from .oracles import OracleAP
from .run_values import RunRecord
from .summary import summary
from .tracking import TrackingCounts
from .video_analysis import VideoAnalysis, analyzed_videos
from .worst import Worst


@dataclass(frozen=True)
class Selection:
    """What is analyzed.

    Attributes:
        min_score: results below it are left out; None for none.
        class_agnostic: whether all objects and results, of whatever category, are of one class.
    """

    min_score: float | None = None
    class_agnostic: bool = False


class Collector(Protocol):
    """Takes one video after the other."""

    def add(self, video: VideoAnalysis) -> None:
        """Take a video."""

    def numbers(self) -> Any:
        """What has been collected, as json knows it."""


@dataclass
class TrackAnalysis:
    """The analysis of one results file.

    Attributes:
        truth: name of the ground truth.
        source: name of the results.
        selection: what is analyzed.
        ap: official AP.
        tracking: HOTA and others.
        oracles: AP under oracles.
        outcomes: what becomes of each object.
        collectors: of everything else, by the name of their numbers.
        notes: what was counted in a way that few expect, one sentence each.
    """

    truth: str
    source: str
    selection: Selection
    ap: VideoAP
    tracking: Tracking
    oracles: OracleAP
    outcomes: list[ObjectOutcome]
    collectors: dict[str, Collector]
    notes: list[str]

    @property
    def record(self) -> RunRecord:
        """What comparisons need of it."""
        return RunRecord(self.oracles, self.tracking, self.outcomes)

    def numbers(self) -> dict[str, Any]:
        """Everything, as ``report.json`` has it."""
        oracles, hota = self.oracles.numbers(), self.tracking.numbers()
        collected = {name: collector.numbers() for name, collector in self.collectors.items()}
        worst = collected.pop('worst')  # errors and videos
        overall = hota[ALL_VIDEOS][CLASS_SUM]['mean_over_alpha']['HOTA']
        return dict(
            ground_truth=self.truth,
            results=self.source,
            options=dict(
                min_score=self.selection.min_score, class_agnostic=self.selection.class_agnostic
            ),
            summary=summary(oracles, collected['errors'], overall),
            ap=self._ap_numbers(),
            hota=hota,
            oracles=oracles,
            curves=precision_curves(self.ap),
            **collected,
            **worst,
        )

    def _ap_numbers(self) -> dict[str, Any]:
        names, per_class = distinct_names(self.ap.categories), self.ap.per_category()
        return {**self.ap.stats(), 'per_class': {names[i]: per_class[i] for i in names}}


def analyze_tracks(
    truth: YouTubeVIS, results: Sequence[Result], source: str, selection: Selection
) -> TrackAnalysis:
    """Analyze a results file, one video after the other.

    Args:
        truth: the ground truth.
        results: the predicted tracks.
        source: their name, for messages.
        selection: what of them is analyzed.

    Raises:
        UserError: there are no annotations, or no results; or a result is of a video that the
            ground truth does not list, or has more or fewer entries than frames, or masks of
            another size.

    Example:
        >>> from mmvseg.formats.youtube_vis import read_youtube_vis
        >>> from mmvseg.formats.youtube_vis_results import read_results
        >>> truth, results = read_youtube_vis('shapes/val.json'), read_results('results.json')
        >>> numbers = analyze_tracks(truth, results, 'results', Selection()).numbers()
        >>> numbers['summary']['sentence']
        'AP is 87.6. The most would be gained by adding missed objects: +12.4.'
        >>> numbers['errors']['missed_objects']
        1
    """
    truth, results = select(truth, results, source, selection)
    # The videos come first: their check is the strictest.
    categories = {category.id: category.name for category in truth.categories}
    oracles, counts = OracleAP([*categories]), TrackingCounts(categories)
    collectors, outcomes = _collectors(truth), []
    for video in analyzed_videos(truth, results, source):
        oracles.add(video.found, video.tubes, video.relinked, video.overlap)
        counts.add(video.overlap)
        outcomes += object_outcomes(video)
        for collector in collectors.values():
            collector.add(video)
    ap = evaluate_youtube_vis(to_ground_truth(truth), results, source)
    tracking = counts.result(tracking_notes(truth, results, source))
    notes = [*dict.fromkeys([*ap.notes, *tracking.notes])]
    return TrackAnalysis(
        truth.file, source, selection, ap, tracking, oracles, outcomes, collectors, notes
    )


def _collectors(truth: YouTubeVIS) -> dict[str, Collector]:
    return dict(
        errors=ErrorCounts(),
        groups=GroupAP(truth),
        first_detection=FirstDetection(truth),
        confusion=Confusion(truth),
        calibration=Calibration(truth),
        worst=Worst(truth),
    )


def select(
    truth: YouTubeVIS, results: Sequence[Result], source: str, selection: Selection
) -> tuple[YouTubeVIS, list[Result]]:
    """The ground truth and the results that are left, of one class if so asked.

    Raises:
        UserError: no result is left.
    """
    lowest = selection.min_score
    kept = [entry for entry in results if lowest is None or entry.score >= lowest]
    if results and not kept:
        best = max(entry.score for entry in results)
        raise UserError(
            f'{source}: none of the {len(results)} results has a score of at least {lowest:g}; the '
            f'best has {best:.3g}. Lower --min-score'
        )
    if not selection.class_agnostic:
        return truth, kept
    one_class = replace(
        truth,
        categories=[Category(ANY_ID, ANY_CLASS)],
        annotations=[replace(entry, category_id=ANY_ID) for entry in truth.annotations],
    )
    return one_class, [replace(entry, category_id=ANY_ID) for entry in kept]
