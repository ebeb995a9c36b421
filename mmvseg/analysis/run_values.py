"""The main numbers of one results file, over all videos or over any weighting of them."""

from dataclasses import dataclass

import numpy as np

from mmvseg.evaluation.functional.precision_recall import IOU_THRESHOLDS
from mmvseg.evaluation.functional.tracking_numbers import Tracking

from .object_outcomes import ObjectOutcome
from .oracles import IN_ORDER, PREDICTED, OracleAP
from .tube_kinds import KINDS
from .weighted_ap import WeightedAP, mean_of_classes
from .weighted_tracking import NAMES as TRACKING_NAMES
from .weighted_tracking import WeightedTracking

#: The main numbers: fractions, and the count of id switches.
MAIN = ('AP', 'AP50', 'AP75', *TRACKING_NAMES)
#: Position of the threshold of AP50 and AP75.
_THRESHOLDS = dict(AP50=0, AP75=IOU_THRESHOLDS.tolist().index(0.75))


@dataclass(frozen=True)
class RunRecord:
    """What comparisons need of one results file, collected over all videos.

    Attributes:
        oracle_ap: the verdicts of AP.
        tracking: of the same results and classes.
        outcomes: of all annotated objects that count.

    Raises:
        ValueError: AP and tracking are not of the same classes.
    """

    oracle_ap: OracleAP
    tracking: Tracking
    outcomes: list[ObjectOutcome]

    def __post_init__(self) -> None:
        if self.oracle_ap.category_ids != [*self.tracking.categories]:
            raise ValueError('AP and tracking must be of the same classes in the same order')

    def main_values(self, weights: np.ndarray) -> 'MainValues':
        """The main numbers under N weightings.

        Args:
            weights: integers, one a video, (N, V).
        """
        ap = self._ap(PREDICTED, weights)  # (N, T, K)
        classes = dict(AP=ap.mean(axis=1))
        classes |= {name: ap[:, threshold] for name, threshold in _THRESHOLDS.items()}
        tracking = WeightedTracking(self.tracking)(weights)
        return MainValues(
            together={n: mean_of_classes(v) for n, v in classes.items()} | tracking.class_sum,
            class_mean=tracking.class_mean,
            classes=classes | tracking.classes,
        )

    def oracle_values(self, weights: np.ndarray) -> 'OracleValues':
        """AP under each oracle, see :meth:`main_values`."""
        names = (PREDICTED, *KINDS, *(IN_ORDER + kind for kind in KINDS))
        ap = {name: mean_of_classes(self._ap(name, weights).mean(axis=1)) for name in names}
        chain = [ap[PREDICTED], *(ap[IN_ORDER + kind] for kind in KINDS)]
        return OracleValues(
            ap={kind: ap[kind] for kind in KINDS},
            alone={kind: ap[kind] - ap[PREDICTED] for kind in KINDS},
            in_order={
                kind: after - before
                for kind, before, after in zip(KINDS, chain[:-1], chain[1:], strict=True)
            },
        )

    def _ap(self, name: str, weights: np.ndarray) -> np.ndarray:
        oracle_ap = self.oracle_ap
        verdicts = oracle_ap.by_video(name)
        return WeightedAP(verdicts, [*self.tracking.videos], oracle_ap.category_ids)(weights)


@dataclass
class MainValues:
    """The numbers :data:`MAIN` of N weightings, nan where there is nothing to measure.

    Attributes:
        together: AP as the mean of the classes that have objects, tracking of all classes
            together, (N,) each.
        class_mean: tracking as the mean of the classes that occur, (N,) each.
        classes: of each of the K classes, (N, K) each.
    """

    together: dict[str, np.ndarray]
    class_mean: dict[str, np.ndarray]
    classes: dict[str, np.ndarray]


@dataclass
class OracleValues:
    """AP of N weightings with one kind of error mended, (N,) each, by kind.

    Attributes:
        ap: with this kind alone mended.
        alone: what that gains.
        in_order: what mending it gains after all earlier kinds.
    """

    ap: dict[str, np.ndarray]
    alone: dict[str, np.ndarray]
    in_order: dict[str, np.ndarray]
