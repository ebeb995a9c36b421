"""Several results of one config, such as of trainings with other seeds: how far they scatter."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .comparison import check_same_truth
from .object_outcomes import ObjectOutcome
from .run_values import RunRecord


def compare_seeds(runs: Sequence[RunRecord]) -> dict[str, Any]:
    """Put the numbers of at least two runs of the same ground truth together.

    Returns:
        ``main``, the main numbers; ``class_mean``, those of tracking as the mean of the classes
        that occur; ``gains``, what each oracle gains in AP ``alone`` and ``in_order``. For each
        number the ``values`` of the runs (-1 where there is nothing to measure), ``mean``, ``min``,
        ``max`` and ``std``, the standard deviation of a sample (None where there is nothing to
        measure). ``objects``: how many annotated objects ``all``, ``some`` and ``none`` of the runs
        find at IoU 0.5, and a list of those that not all find, with how many find each and the
        ``kinds`` of error in the runs, '' where it is found.

    Raises:
        ValueError: there are fewer than two runs, or they are not of the same ground truth.
    """
    if len(runs) < 2:
        raise ValueError('a range needs at least two runs')
    check_same_truth(runs)
    weights = np.ones((1, len(runs[0].tracking.videos)), int)
    main = [run.main_values(weights) for run in runs]
    oracles = [run.oracle_values(weights) for run in runs]
    return dict(
        num_runs=len(runs),
        main=_ranges([values.together for values in main]),
        class_mean=_ranges([values.class_mean for values in main]),
        gains=dict(
            alone=_ranges([values.alone for values in oracles]),
            in_order=_ranges([values.in_order for values in oracles]),
        ),
        objects=_objects(runs),
    )


def _ranges(runs: list[dict[str, np.ndarray]]) -> dict[str, dict[str, Any]]:
    """Values of the runs, (1,) each, number by number."""
    return {name: _range(np.concatenate([run[name] for run in runs])) for name in runs[0]}


def _range(values: np.ndarray) -> dict[str, Any]:
    numbers = dict(mean=values.mean(), min=values.min(), max=values.max(), std=values.std(ddof=1))
    return dict(
        values=[-1.0 if np.isnan(value) else float(value) for value in values],
        **{name: None if np.isnan(value) else float(value) for name, value in numbers.items()},
    )


def _objects(runs: Sequence[RunRecord]) -> dict[str, Any]:
    of_object = [*zip(*(run.outcomes for run in runs), strict=True)]
    found = [sum(outcome.found for outcome in outcomes) for outcomes in of_object]
    return dict(
        all=sum(number == len(runs) for number in found),
        some=sum(0 < number < len(runs) for number in found),
        none=sum(number == 0 for number in found),
        not_found_by_all=[
            _described(outcomes, number, runs[0])
            for outcomes, number in zip(of_object, found, strict=True)
            if number < len(runs)
        ],
    )


def _described(outcomes: tuple[ObjectOutcome, ...], number: int, run: RunRecord) -> dict[str, Any]:
    first = outcomes[0]
    return dict(
        video_id=first.video_id,
        video=run.tracking.videos[first.video_id],
        category=run.tracking.categories[first.category_id],
        annotation=first.annotation,
        found_by=number,
        kinds=[outcome.kind for outcome in outcomes],
    )
