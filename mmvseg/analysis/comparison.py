"""Two results of the same ground truth: what differs, and whether it is more than chance.

The intervals speak of the choice of videos alone. Another training with another seed gives another
B, so two runs can differ clearly without either way of training being the better one.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .bootstrap import CONFIDENCE, NUM_DRAWS, Difference, draw_videos, paired_difference
from .comparison_sentence import sentence
from .object_outcomes import ObjectOutcome
from .run_values import MainValues, RunRecord
from .tube_kinds import KINDS

#: Less of these is better.
LOWER_IS_BETTER = ('IDSW',)
#: The numbers that are given for each video.
_OF_VIDEOS = ('AP', 'HOTA', 'AssA', 'IDSW')


@dataclass
class Comparison:
    """What B has other than A.

    Attributes:
        num_videos: in the ground truth.
        num_draws: of the videos.
        main: the numbers :data:`.run_values.MAIN`.
        class_mean: those of tracking as the mean of the classes that occur.
        oracles: AP with one kind of error mended, by kind.
        gains: what each of these oracles gains in AP. Less of it is better: there is less to mend.
        gains_in_order: what each gains after all earlier ones. What B gains less than A in all of
            them is its lead in AP, but for what AP lacks when all is mended.
        classes: the main numbers of each class by name.
        videos: name, id, some numbers and the objects gained and lost of each video, the most
            changed AP first. AP of a video is that of its tracks and objects alone.
        gained: annotated objects that are right at IoU 0.5 in B and not in A; ``kind`` is what was
            wrong in A.
        lost: the reverse; ``kind`` is what is wrong in B.
    """

    num_videos: int
    num_draws: int
    main: dict[str, Difference]
    class_mean: dict[str, Difference]
    oracles: dict[str, Difference]
    gains: dict[str, Difference]
    gains_in_order: dict[str, Difference]
    classes: dict[str, dict[str, Difference]]
    videos: list[dict[str, Any]]
    gained: list[dict[str, Any]]
    lost: list[dict[str, Any]]

    def sentence(self) -> str:
        """The result in one sentence."""
        gains = self.gains_in_order, self.gains
        return sentence(self.main, *gains, self.num_videos, len(self.gained), len(self.lost))

    def numbers(self) -> dict[str, Any]:
        """All of it as plain values; see :meth:`.bootstrap.Difference.numbers`."""
        return dict(
            sentence=self.sentence(),
            num_videos=self.num_videos,
            num_draws=self.num_draws,
            confidence=CONFIDENCE,
            main=_plain(self.main),
            class_mean=_plain(self.class_mean),
            oracles={
                kind: dict(
                    AP=ap.numbers(),
                    gain=self.gains[kind].numbers(),
                    gain_in_order=self.gains_in_order[kind].numbers(),
                )
                for kind, ap in self.oracles.items()
            },
            classes={name: _plain(values) for name, values in self.classes.items()},
            videos=self.videos,
            objects_gained=self.gained,
            objects_lost=self.lost,
        )


def compare(a: RunRecord, b: RunRecord, num_draws: int = NUM_DRAWS, seed: int = 0) -> Comparison:
    """Compare two results.

    Args:
        a: the first run.
        b: the second one, of the same ground truth.
        num_draws: how often the videos are drawn anew.
        seed: of the draws.

    Raises:
        ValueError: they are not of the same ground truth.

    Example:
        >>> from mmvseg.analysis.track_analysis import Selection, analyze_tracks
        >>> from mmvseg.formats.youtube_vis import read_youtube_vis
        >>> from mmvseg.formats.youtube_vis_results import read_results
        >>> truth, results = read_youtube_vis('shapes/val.json'), read_results('results.json')
        >>> a = analyze_tracks(truth, results[:3], 'a', Selection()).record
        >>> b = analyze_tracks(truth, results, 'b', Selection()).record
        >>> compare(a, b).sentence()
        'B - A is +25.0 AP; the videos with objects are too few for an interval;
        objects gained 1, lost 0.'
    """
    runs = a, b
    check_same_truth(runs)
    num_videos = len(a.tracking.videos)
    # The first row stands for the whole set.
    weights = np.concatenate(
        [np.ones((1, num_videos), int), draw_videos(num_videos, num_draws, seed)]
    )
    main = [run.main_values(weights) for run in runs]
    oracles = [run.oracle_values(weights) for run in runs]
    num_with_objects = len({outcome.video_id for outcome in a.outcomes})
    gained = [pair for pair in zip(a.outcomes, b.outcomes, strict=True) if _gained(*pair)]
    lost = [pair for pair in zip(b.outcomes, a.outcomes, strict=True) if _gained(*pair)]
    return Comparison(
        num_videos=num_videos,
        num_draws=num_draws,
        main=_differences([m.together for m in main], num_with_objects),
        class_mean=_differences([m.class_mean for m in main], num_with_objects),
        oracles=_differences([o.ap for o in oracles], num_with_objects),
        gains=_differences([o.alone for o in oracles], num_with_objects, KINDS),
        gains_in_order=_differences([o.in_order for o in oracles], num_with_objects, KINDS),
        classes=_class_differences(main, a),
        videos=_videos(runs, gained, lost),
        gained=[_described(before, a) for before, _ in gained],
        lost=[_described(after, a) for after, _ in lost],
    )


def check_same_truth(runs: Iterable[RunRecord]) -> None:
    """Refuse runs of different ground truths.

    Raises:
        ValueError: they differ in videos, classes or objects.
    """
    truths = {
        (
            tuple(run.tracking.videos.items()),
            tuple(run.tracking.categories.items()),
            tuple((o.video_id, o.category_id, o.annotation) for o in run.outcomes),
        )
        for run in runs
    }
    if len(truths) > 1:
        raise ValueError('the runs are not of the same ground truth')


def _gained(before: ObjectOutcome, after: ObjectOutcome) -> bool:
    return after.found and not before.found


def _differences(
    values: list[dict[str, np.ndarray]],
    num_videos: int,
    lower_is_better: tuple[str, ...] = LOWER_IS_BETTER,
) -> dict[str, Difference]:
    """Compare numbers of A and B whose first entry is that of the whole set, (1 + N,) each."""
    a, b = values
    return {
        name: paired_difference(
            (a[name][0], b[name][0]),
            (a[name][1:], b[name][1:]),
            num_videos,
            name in lower_is_better,
        )
        for name in a
    }


def _class_differences(main: list[MainValues], run: RunRecord) -> dict[str, dict[str, Difference]]:
    with_objects = Counter(
        category_id for category_id, _ in {(o.category_id, o.video_id) for o in run.outcomes}
    )
    return {
        name: _differences(
            [{n: values[:, k] for n, values in m.classes.items()} for m in main],
            with_objects[category_id],
        )
        for k, (category_id, name) in enumerate(run.tracking.categories.items())
    }


def _videos(
    runs: tuple[RunRecord, RunRecord],
    gained: list[tuple[ObjectOutcome, ObjectOutcome]],
    lost: list[tuple[ObjectOutcome, ObjectOutcome]],
) -> list[dict[str, Any]]:
    """Differences of each video, the most changed first; see :class:`Comparison`."""
    names = runs[0].tracking.videos
    a, b = (run.main_values(np.eye(len(names), dtype=int)).together for run in runs)
    num_gained = Counter(outcome.video_id for outcome, _ in gained)
    num_lost = Counter(outcome.video_id for outcome, _ in lost)
    videos = []
    for row, (video_id, name) in enumerate(names.items()):
        numbers = {n: _without_interval(a[n][row], b[n][row]) for n in _OF_VIDEOS}
        counts = dict(gained=num_gained[video_id], lost=num_lost[video_id])
        videos.append(dict(video_id=video_id, video=name, **numbers, **counts))
    return sorted(
        videos, key=lambda video: [-abs(video[n]['difference'] or 0) for n in ('AP', 'HOTA')]
    )


def _without_interval(a: float, b: float) -> dict[str, float | None]:
    numbers = Difference(float(a), float(b), np.nan, np.nan, np.nan).numbers()
    return {name: numbers[name] for name in ('a', 'b', 'difference')}


def _described(outcome: ObjectOutcome, run: RunRecord) -> dict[str, Any]:
    return dict(
        video_id=outcome.video_id,
        video=run.tracking.videos[outcome.video_id],
        category=run.tracking.categories[outcome.category_id],
        annotation=outcome.annotation,
        kind=outcome.kind,
    )


def _plain(differences: dict[str, Difference]) -> dict[str, Any]:
    return {name: difference.numbers() for name, difference in differences.items()}
