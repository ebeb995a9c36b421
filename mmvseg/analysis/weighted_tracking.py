"""HOTA, IDF1 and id switches of many weightings of the videos at once."""

from dataclasses import dataclass

import numpy as np

from mmvseg.evaluation.functional.hota import THRESHOLDS, HOTASums
from mmvseg.evaluation.functional.tracking_numbers import Tracking, TrackingSums

from .weighted_ap import mean_of_classes

#: The numbers of tracking; the last one is a count of events.
NAMES = ('HOTA', 'DetA', 'AssA', 'IDF1', 'IDSW')


@dataclass
class TrackingValues:
    """The :data:`NAMES` of N weightings, nan where there is nothing to track.

    Attributes:
        classes: of each of the K classes, (N, K).
        class_sum: of all classes together, TrackEval's ``cls_comb_det_av``, (N,).
        class_mean: mean of the classes that occur, the sum for the count, (N,).
    """

    classes: dict[str, np.ndarray]
    class_sum: dict[str, np.ndarray]
    class_mean: dict[str, np.ndarray]


class WeightedTracking:
    """Measures of tracking as if each video were there as often as its weight says.

    Args:
        tracking: what V videos and K classes contribute.
    """

    def __init__(self, tracking: Tracking) -> None:
        rows = {video_id: row for row, video_id in enumerate(tracking.videos)}
        columns = {category_id: column for column, category_id in enumerate(tracking.categories)}
        self._counts = np.zeros((len(rows), len(columns), len(_counts(TrackingSums()))))
        for (video_id, category_id), sums in tracking.sums.items():
            self._counts[rows[video_id], columns[category_id]] = _counts(sums)

    def __call__(self, weights: np.ndarray) -> TrackingValues:
        """The numbers of N weightings.

        Args:
            weights: integers, one a video, (N, V).
        """
        counts = np.tensordot(weights, self._counts, 1)  # (N, K, F)
        classes = _numbers(counts)
        class_sum = _numbers(counts.sum(axis=1))
        class_mean = {name: mean_of_classes(values) for name, values in classes.items()}
        class_mean['IDSW'] = class_sum['IDSW']
        return TrackingValues(classes, class_sum, class_mean)


def _counts(sums: TrackingSums) -> np.ndarray:
    """All counts that the numbers need, in a row, (F,)."""
    hota, identity = sums.hota, sums.identity
    return np.concatenate(
        [
            *(hota.true, hota.missed, hota.false, hota.association),
            (identity.true, identity.missed, identity.false, sums.clear.switches, sums.occurs),
        ]
    )


def _numbers(counts: np.ndarray) -> dict[str, np.ndarray]:
    """The :data:`NAMES` of counts (..., F)."""
    size = len(THRESHOLDS)
    true, missed, false, association = (counts[..., i * size : (i + 1) * size] for i in range(4))
    hota = HOTASums(true, missed, false, association=association).at_thresholds()
    found, lost, wrong, switches, occurs = np.moveaxis(counts[..., 4 * size :], -1, 0)
    numbers = {name: hota[name].mean(axis=-1) for name in NAMES[:3]}
    numbers['IDF1'] = found / np.maximum(1, found + 0.5 * lost + 0.5 * wrong)
    numbers['IDSW'] = switches
    return {name: np.where(occurs > 0, value, np.nan) for name, value in numbers.items()}
