"""Why mIoU and VC are as they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.semantic import (
    CONSISTENCY_WINDOWS,
    SemanticQuality,
    SemanticSums,
    iou_stats,
)
from mmvseg.evaluation.semantic_scores import evaluate_vss
from mmvseg.formats.vspw import SemanticTruth

from .map_tables import semantic_tables
from .semantic_losses import Confused, SemanticLosses

_NUM_CONFUSIONS = 10
#: A loss that shows in a percentage with one decimal.
_SHOWN = 5e-4


@dataclass
class SemanticAnalysis:
    """What is found out about semantic results.

    Attributes:
        quality: what the metric has counted.
        names: of the classes by id.
    """

    quality: SemanticQuality
    names: Mapping[int, str]

    def __post_init__(self) -> None:
        self.losses = SemanticLosses(self.quality.confusion())

    def numbers(self) -> dict[str, Any]:
        """All numbers, as a file holds them: fractions, NaN for what is undefined.

        Returns:
            A dict of these entries.

            - ``sentence``: :meth:`sentence`.
            - ``scores``: the numbers of the metric.
            - ``losses``: what mIoU loses by ``false`` and by ``missed`` pixels; with mIoU the sum
              is 1.
            - ``void``: share of the pixels without a class.
            - ``classes``: of those that occur, IoU, share of the labelled pixels, what the IoU
              loses, and the class that most of its missed pixels are ``taken_for``, and that most
              of its false ones are ``taken_from``.
            - ``confusion``: names of the classes, and pixels of the row's class that are predicted
              as the column's.
            - ``confused``, ``costliest``: the ten confusions with most pixels, and those that cost
              most of mIoU.
            - ``videos``: mIoU, fwIoU and VC of each, the worst mIoU first, with its costliest
              confusion.
            - ``inconsistent``: by window length, what each video takes from VC, most first, and
              the first frame of its worst window; with VC the sum is 1.
        """
        return dict(
            sentence=self.sentence(),
            scores=self.quality.stats(),
            losses=dict(
                false=_mean(self.losses.false()),
                missed=_mean(self.losses.missed()),
            ),
            void=_void(*self.quality.videos.values()),
            classes=self.classes(),
            confusion=self._confusion(),
            confused=[self._named(found) for found in self.losses.largest(_NUM_CONFUSIONS)],
            costliest=[self._named(found) for found in self.losses.costliest(_NUM_CONFUSIONS)],
            videos=self.worst_videos(),
            inconsistent={str(n): self.inconsistent(n) for n in CONSISTENCY_WINDOWS},
        )

    def tables(self) -> str:
        """The most important numbers for the terminal, in percent."""
        return semantic_tables(self.numbers())

    def notes(self) -> list[str]:
        """Which numbers are undefined, and what is ignored."""
        return self.quality.notes()

    def sentence(self) -> str:
        """What most of mIoU is lost by."""
        iou = self.losses.iou[self.losses.present]
        if not len(iou):
            return 'mIoU is undefined: no pixel of the ground truth is labelled'
        start = f'mIoU is {100 * iou.mean():.1f}'
        costs = [
            f'taking {self._name(found.truth)} for {self._name(found.predicted)}: '
            f'{100 * found.cost:.1f}'
            for found in self.losses.costliest(3)
            if found.cost >= _SHOWN
        ]
        if not costs:
            some = self.losses.wrong.any()
            rest = 'no single confusion costs 0.1 points' if some else 'nothing is lost'
            return f'{start}; {rest}'
        most, *others = costs
        parts = ['; then by '.join((f'{start}; most is lost by {most} points', *others))]
        if never := int((iou == 0).sum()):
            verb = 'is' if never == 1 else 'are'
            points = 100 * never / len(iou)
            parts.append(f'{never} of {len(iou)} classes {verb} never right: {points:.1f}')
        return '; '.join(parts)

    def classes(self) -> list[dict[str, Any]]:
        """The classes that occur, see ``classes`` of :meth:`numbers`."""
        losses = self.losses
        iou, false, missed = losses.iou, losses.false(), losses.missed()
        pixels = losses.confusion.sum(axis=1)
        return [
            dict(
                id=c,
                name=self._name(c),
                IoU=float(iou[c]),
                share=float(pixels[c] / pixels.sum()),
                false=float(false[c]),
                missed=float(missed[c]),
                taken_for=self._most(losses.wrong[c]),
                taken_from=self._most(losses.wrong[:, c]),
            )
            for c in np.flatnonzero(losses.present).tolist()
        ]

    def worst_videos(self) -> list[dict[str, Any]]:
        """All videos, the worst first, see ``videos`` of :meth:`numbers`."""
        found = []
        for name, video in self.quality.videos.items():
            losses = SemanticLosses(self.quality.confusion([name]))
            stats = iou_stats(losses.confusion)
            costliest = losses.costliest(1)
            found.append(
                dict(
                    video=name,
                    **{key: stats[key] for key in ('mIoU', 'fwIoU')},
                    **{f'VC{n}': _mean(video.consistency[n]) for n in CONSISTENCY_WINDOWS},
                    void=_void(video),
                    costliest=self._named(costliest[0]) if costliest else None,
                )
            )
        # without a labelled pixel mIoU is NaN, which has no place in an order
        return sorted(found, key=lambda entry: (np.isnan(entry['mIoU']), entry['mIoU']))

    def inconsistent(self, n: int) -> list[dict[str, Any]]:
        """The videos that take something from VC, see ``inconsistent`` of :meth:`numbers`.

        Args:
            n: window length in frames.
        """
        lacking = {
            name: 1 - np.array(video.consistency[n]) for name, video in self.quality.videos.items()
        }
        total = sum(np.count_nonzero(~np.isnan(values)) for values in lacking.values())
        found = [
            dict(
                video=name,
                loss=float(np.nansum(values) / total),
                frame=int(np.nanargmax(values)),
            )
            for name, values in lacking.items()
            if np.nansum(values) > 0
        ]
        return sorted(found, key=lambda entry: -entry['loss'])

    def _name(self, label: int) -> str:
        return self.names.get(label, str(label))

    def _named(self, found: Confused) -> dict[str, Any]:
        names = dict(truth=self._name(found.truth), predicted=self._name(found.predicted))
        return found._asdict() | names

    def _most(self, pixels: np.ndarray) -> str | None:
        return self._name(int(pixels.argmax())) if pixels.any() else None

    def _confusion(self) -> dict[str, Any]:
        confusion = self.losses.confusion
        occurs = np.flatnonzero(confusion.any(axis=0) | confusion.any(axis=1))
        return dict(
            classes=[self._name(label) for label in occurs.tolist()],
            pixels=confusion[np.ix_(occurs, occurs)].tolist(),
        )


def _mean(values: np.ndarray | list[float]) -> float:
    """Mean of what is defined."""
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    return float(known.mean()) if known.size else float('nan')


def _void(*videos: SemanticSums) -> float:
    """Share of the pixels without a class."""
    ignored = sum(video.ignored for video in videos)
    pixels = ignored + sum(sum(video.confusion.values()) for video in videos)
    return ignored / pixels if pixels else float('nan')


def analyze_semantic(
    truth: SemanticTruth,
    folder: str,
    gt_coding: str = 'raw',
    on_video: Callable[[], None] = lambda: None,
) -> SemanticAnalysis:
    """Find out why results have the mIoU and VC that they have.

    Args:
        truth: the ground truth, see :func:`.vspw.load_semantic_truth`.
        folder: the predictions are ``FOLDER/<video>/<frame>.png``.
        gt_coding: of the masks, see :data:`.functional.semantic.FIRST_VALUES`.
        on_video: called after each video.

    Raises:
        UserError: there are no masks; or naming the file that is missing, broken or does not fit.

    Example:
        >>> from mmvseg.formats.vspw import load_semantic_truth
        >>> truth = load_semantic_truth('vspw/val.txt', 'vspw/data')
        >>> analyze_semantic(truth, 'predicted').sentence()  # sky everywhere
        'mIoU is 3.0; most is lost by taking water for sky: ...'
    """
    if not truth.masks:
        raise UserError(f'{truth.source}: its videos have no masks: there is nothing to compare')
    return SemanticAnalysis(evaluate_vss(truth, folder, gt_coding, on_video), truth.names)
