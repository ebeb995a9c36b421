"""Where mIoU goes: what each class loses, and what each confusion of two classes costs.

What the IoU of a class lacks are the pixels that it misses and those that it has of other classes,
each over its union. So a confusion costs twice: the class that is there, and the one that is
predicted unless it occurs nowhere, as such classes do not count. All costs add up to what mIoU
lacks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mmvseg.evaluation.functional.semantic import class_iou


class Confused(NamedTuple):
    """Pixels of one class that are predicted as another.

    Attributes:
        truth: the class that is there.
        predicted: the class that is predicted.
        share: of all labelled pixels.
        cost: what mIoU loses by it, as a fraction.
    """

    truth: int
    predicted: int
    share: float
    cost: float


@dataclass
class SemanticLosses:
    """Losses of some videos.

    Attributes:
        confusion: pixels, (K, K); rows are the ground truth.
    """

    confusion: np.ndarray

    def __post_init__(self) -> None:
        right = np.diag(self.confusion)
        self.present = self.confusion.any(axis=1)
        self.union = self.confusion.sum(axis=0) + self.confusion.sum(axis=1) - right
        self.wrong = self.confusion - np.diag(right)

    @property
    def iou(self) -> np.ndarray:
        """Of each class, (K,); NaN for those that do not occur in the ground truth."""
        return class_iou(self.confusion)

    def missed(self) -> np.ndarray:
        """What each class loses by pixels of its that are predicted as others, (K,)."""
        return self._of_union(self.wrong.sum(axis=1))

    def false(self) -> np.ndarray:
        """What each class loses by pixels of others that are predicted as it, (K,)."""
        return self._of_union(self.wrong.sum(axis=0))

    def costs(self) -> np.ndarray:
        """What mIoU loses by each confusion, (K, K); 1 - mIoU is the sum."""
        weights = np.divide(
            self.present, self.union, out=np.zeros(len(self.union)), where=self.union > 0
        )
        return self.wrong * (weights[:, None] + weights) / max(self.present.sum(), 1)

    def largest(self, number: int) -> list[Confused]:
        """The confusions with most pixels."""
        return [*self._first(self.wrong, number)]

    def costliest(self, number: int) -> list[Confused]:
        """The confusions that cost most."""
        return [*self._first(self.costs(), number)]

    def _of_union(self, pixels: np.ndarray) -> np.ndarray:
        with np.errstate(invalid='ignore'):
            return np.where(self.present, pixels / self.union, np.nan)

    def _first(self, values: np.ndarray, number: int) -> Iterator[Confused]:
        costs, pixels = self.costs(), self.confusion.sum()
        for flat in np.argsort(-values, axis=None, kind='stable')[:number].tolist():
            t, p = divmod(flat, len(values))
            if values[t, p] > 0:
                share = float(self.wrong[t, p] / pixels)
                yield Confused(t, p, share, float(costs[t, p]))
