"""Why VPQ and STQ are as they are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.panoptic_overlap import video_overlaps
from mmvseg.evaluation.functional.stq import TubeSums, VideoTubes
from mmvseg.evaluation.functional.vpq import GROUPS, SCRIPT_WINDOWS, WINDOWS, in_group
from mmvseg.formats.categories import Category
from mmvseg.formats.panoptic_records import PanopticSet, Video

from .map_tables import PHRASES, panoptic_tables
from .panoptic_counts import VideoCounter, VideoCounts
from .panoptic_losses import KINDS, PanopticLosses
from .panoptic_mending import MENDABLE

#: A loss that shows in a percentage with one decimal.
_SHOWN = 5e-4
_NUM_CONFUSIONS = 10


@dataclass
class PanopticVideo:
    """One video.

    Attributes:
        name: of its folders.
        num_frames: its length.
        counts: of its segments.
        tubes: what it contributes to STQ.
    """

    name: str
    num_frames: int
    counts: VideoCounts
    tubes: TubeSums

    def losses(self, categories: Sequence[Category]) -> PanopticLosses:
        """What it loses of its own VPQ, the mean over the windows that it is long enough for."""
        windows = [k for k in WINDOWS if k <= self.num_frames]
        return PanopticLosses.of(categories, [self.counts], SCRIPT_WINDOWS, windows)


@dataclass
class PanopticAnalysis:
    """What is found out about panoptic results.

    Attributes:
        categories: the K classes.
        videos: all of them, in the order of the ground truth.
    """

    categories: Sequence[Category]
    videos: list[PanopticVideo]

    def __post_init__(self) -> None:
        counts = [video.counts for video in self.videos]
        self.losses = PanopticLosses.of(self.categories, counts, SCRIPT_WINDOWS)
        self.confusion = np.sum([video.confusion for video in counts], axis=0)
        self.tubes = TubeSums.of(video.tubes for video in self.videos)

    def numbers(self) -> dict[str, Any]:
        """All numbers, as a file holds them.

        VPQ, its parts, losses and gains are in percent, as ``mmvseg evaluate vpq`` has it; STQ and
        its parts are fractions, as ``mmvseg evaluate stq`` has it. NaN is what is undefined.

        Returns:
            A dict of these entries.

            - ``sentence``: :meth:`sentence`.
            - ``VPQ``: the numbers of the metric.
            - ``parts``: by group and window length, SQ and RQ, means over classes.
            - ``losses``: by group, where VPQ goes; with VPQ the sum is 100.
            - ``gains``: by group, what VPQ gains if one kind of error is mended alone.
            - ``STQ``: with AQ and SQ.
            - ``classes``: of those that occur, VPQ by window length, SQ and RQ in single frames,
              losses.
            - ``confusion``: names of the classes that occur in it, and how many of the segments
              that match in single frames, whatever their class, are of the row's class and
              predicted as the column's.
            - ``confused``: its ten largest entries off the diagonal, with the percentage of the
              row.
            - ``videos``: VPQ and STQ of each on its own, the worst first, its main loss and the
              frame where most is wrong.
        """
        return dict(
            sentence=self.sentence(),
            VPQ=self.losses.quality.numbers(),
            parts={group: self._parts(group) for group in GROUPS},
            losses={group: _percent(self.losses.by_kind(group)) for group in GROUPS},
            gains={
                group: _percent({kind: self.losses.gain(kind, group) for kind in MENDABLE})
                for group in GROUPS
            },
            STQ=self.tubes.stats(),
            classes=self.classes(),
            confusion=self._confusion(),
            confused=self.confused(),
            videos=self.worst_videos(),
        )

    def tables(self) -> str:
        """The most important numbers for the terminal."""
        return panoptic_tables(self.numbers())

    def notes(self) -> list[str]:
        """Which numbers are undefined or 0 by definition, and why."""
        return [*self.losses.quality.notes(), *self.tubes.notes()]

    def sentence(self) -> str:
        """What most of VPQ is lost by."""
        vpq, losses = self.losses.quality.mean(WINDOWS), self.losses.by_kind()
        start = f'VPQ is {100 * vpq:.1f}'
        if np.isnan(vpq):
            missing = [str(k) for k in WINDOWS if np.isnan(self.losses.quality.quality(k))]
            if '1' in missing:
                return 'VPQ is undefined: there is no segment'
            start = (
                f'VPQ is undefined in windows of {", ".join(missing)} frames; in single frames it '
                f'is {100 * self.losses.quality.quality(1):.1f}'
            )
        order = [kind for kind in _by_size(losses) if losses[kind] >= _SHOWN]
        if not order:
            flawless = self.losses.quality.quality(1) == 1
            rest = 'nothing is lost' if flawless else 'no kind of error costs 0.1 points'
            return f'{start}; {rest}'
        most, *others = (f'{PHRASES[kind]}: {100 * losses[kind]:.1f}' for kind in order[:3])
        return '; then by '.join((f'{start}; most is lost by {most} points', *others))

    def confused(self) -> list[dict[str, Any]]:
        """The most frequent confusions of classes, see ``confused`` of :meth:`numbers`."""
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        found = []
        for flat in np.argsort(-wrong, axis=None, kind='stable')[:_NUM_CONFUSIONS]:
            t, p = np.unravel_index(flat, wrong.shape)
            if wrong[t, p]:
                found.append(
                    dict(
                        truth=self.categories[t].name,
                        predicted=self.categories[p].name,
                        segments=int(wrong[t, p]),
                        percent=float(100 * wrong[t, p] / self.confusion[t].sum()),
                    )
                )
        return found

    def worst_videos(self) -> list[dict[str, Any]]:
        """All videos, the worst first, see ``videos`` of :meth:`numbers`."""
        found = []
        for video in self.videos:
            losses = video.losses(self.categories)
            by_kind = losses.by_kind()
            found.append(
                dict(
                    video=video.name,
                    frames=video.num_frames,
                    VPQ=100 * losses.quality.mean(losses.windows),
                    STQ=video.tubes.stats(),
                    main_loss=next((k for k in _by_size(by_kind) if by_kind[k] >= _SHOWN), None),
                    frame=video.counts.frame,
                    losses=_percent(by_kind),
                )
            )
        # without any segment VPQ is NaN, which has no place in an order
        return sorted(found, key=lambda entry: (np.isnan(entry['VPQ']), entry['VPQ']))

    def classes(self) -> list[dict[str, Any]]:
        """The classes that occur, see ``classes`` of :meth:`numbers`."""
        quality = self.losses.quality
        by_window = {str(k): quality.per_class(k) for k in quality.sums}
        parts, losses = self.losses.parts(1), self.losses.by_class()
        return [
            dict(
                id=category.id,
                name=category.name,
                is_thing=category.is_thing,
                VPQ=_percent({k: values[label] for k, values in by_window.items()}),
                **_percent({name: values[label] for name, values in parts.items()}),
                losses=_percent({kind: losses[kind][label] for kind in KINDS}),
            )
            for label, category in enumerate(self.categories)
            if not np.isnan(by_window['1'][label])
        ]

    def _parts(self, group: str) -> dict[str, dict[str, float]]:
        chosen = in_group(self.categories, group)
        found: dict[str, dict[str, float]] = {}
        for k in SCRIPT_WINDOWS:
            for name, values in self.losses.parts(k).items():
                occurring = values[chosen & ~np.isnan(values)]
                mean = 100 * float(occurring.mean()) if occurring.size else float('nan')
                found.setdefault(name, {})[str(k)] = mean
        return found

    def _confusion(self) -> dict[str, Any]:
        occurs = np.flatnonzero(self.confusion.any(axis=0) | self.confusion.any(axis=1))
        return dict(
            classes=[self.categories[label].name for label in occurs],
            segments=self.confusion[np.ix_(occurs, occurs)].tolist(),
        )


def _by_size(losses: Mapping[str, float]) -> list[str]:
    """Kinds of errors, the largest loss first; without those that are undefined."""
    known = [kind for kind, loss in losses.items() if not np.isnan(loss)]
    return sorted(known, key=lambda kind: -losses[kind])


def _percent(fractions: Mapping[str, float]) -> dict[str, float]:
    return {key: 100 * float(value) for key, value in fractions.items()}


def analyze_panoptic(
    truth: PanopticSet,
    predictions: Mapping[str, Video],
    on_video: Callable[[], None] = lambda: None,
) -> PanopticAnalysis:
    """Find out why results have the VPQ and STQ that they have.

    Args:
        truth: the ground truth, see :func:`.vipseg.read_vipseg`.
        predictions: of each annotated video, see :func:`.vipseg_results.load_results`.
        on_video: called after each video.

    Raises:
        UserError: there are no annotations; or naming the file that is missing, broken or does not
            fit.

    Example:
        >>> from mmvseg.formats.vipseg import read_vipseg
        >>> truth = read_vipseg('vipseg/panoptic_gt_VIPSeg_val.json', 'vipseg/panomasksRGB')
        >>> first, second = truth.videos.values()
        >>> swapped = dict(zip(truth.videos, (second, first)))  # each with the other's segments
        >>> analyze_panoptic(truth, swapped).sentence()
        'VPQ is 0.1; most is lost by masks too poor to match: ...'
    """
    if not truth.annotated:
        raise UserError(f'{truth.file}: has no annotations, so there is nothing to compare with')
    videos = []
    for name, video in truth.annotated.items():
        counter = VideoCounter(truth.classes, SCRIPT_WINDOWS, f'{truth.file}: video {name}')
        tubes = VideoTubes(truth.classes)
        for frame in video_overlaps(video, predictions[name]):
            counter.add(frame)
            tubes.add(frame)
        videos.append(PanopticVideo(name, video.length, counter.result(), tubes.sums()))
        on_video()
    return PanopticAnalysis(truth.classes, videos)
