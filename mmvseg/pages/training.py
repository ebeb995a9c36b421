"""The page of trainings: curves of all runs over each other, and tables of what they reached."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmvseg.files import write_bytes
from mmvseg.formats.training_log import Curve, TrainingLog

from .rendering import files_in, render, write_assets
from .script_data import call

#: What the page shares with those of results.
_SHARED_ASSETS = [f'assets/{name}' for name in ('style.css', 'theme.js', 'state.js', 'elements.js')]
#: Runs that differ by their colour alone; further ones have dashed lines, too.
NUM_COLORS = 8
_NUM_DASHES = 4
_DIGITS = 6
#: ``loss_mask``, ``d3.loss_mask`` and ``stage2_loss_cls``: where a loss is taken, and the loss.
_LOSS = re.compile(r'(?:(?P<where>.+?)[._])?(?P<name>loss(?:[._].*)?)')
_SPEED = ('time', 'data_time', 'memory')


@dataclass(frozen=True)
class TrainingRun:
    """A training that is shown.

    Attributes:
        name: in legends.
        folder: its work dir, for people.
        log: what it has logged.
    """

    name: str
    folder: str
    log: TrainingLog

    @property
    def iterations(self) -> int:
        """The last iteration in the log."""
        return max(curve.steps[-1] for curve in self.log.train.values())


@dataclass(frozen=True)
class _Chart:
    """One number of all runs; None for runs that have not logged it."""

    title: str
    curves: list[Curve | None]


@dataclass
class _Section:
    """Charts under one title.

    Attributes:
        title: of the section.
        charts: in the order of the page.
        note: what the numbers are.
        is_loss: whether its charts can have a logarithmic scale.
        is_val: whether they are few numbers, one a validation.
        is_noisy: whether smoothing shows more.
        is_open: whether the charts show at first.
    """

    title: str
    charts: list[_Chart]
    note: str = ''
    is_loss: bool = False
    is_val: bool = False
    is_noisy: bool = True
    is_open: bool = True


@dataclass(frozen=True)
class _Reached:
    """A number of validation of one run: its highest and its last value, and their iterations."""

    highest: str
    highest_at: int
    last: str
    last_at: int


def write_training_page(folder: Path, runs: Sequence[TrainingRun]) -> None:
    """Write ``index.html`` and what it needs.

    Args:
        folder: where to.
        runs: at least one, with different names.

    Raises:
        UserError: a file cannot be written.
    """
    sections = _sections(runs)
    page = render(
        'training.html',
        root='',
        runs=runs,
        styles=[_style(number) for number in range(len(runs))],
        losses=[_last(run.log.train.get('loss')) for run in runs],
        reached=_reached(sections),
        sections=sections,
    )
    write_assets(folder, [*_SHARED_ASSETS, *files_in('training')])
    write_bytes(folder / 'training.js', call('registerTraining', _data(runs, sections)))
    write_bytes(folder / 'index.html', page)


def _sections(runs: Sequence[TrainingRun]) -> list[_Section]:
    train = _names(run.log.train for run in runs)
    val = _names(run.log.val for run in runs)
    losses: dict[str, list[str]] = {}
    for name in train:
        if match := _LOSS.fullmatch(name):
            losses.setdefault(match['where'] or '', []).append(name)
    losses[''] = sorted(losses.get('', []), key=lambda name: name != 'loss')
    taken = {name for names in losses.values() for name in names}
    rates = [name for name in train if name.endswith('lr') and name not in taken]
    rest = [name for name in train if name not in {*taken, *rates, *_SPEED}]
    speed = _charts(runs, 'train', [name for name in _SPEED if name in train])
    speed += _charts(runs, 'val', [name for name in _SPEED if name in val], ' of validation')
    has_others = len(losses['']) > 1
    sections = [
        _Section('Losses', _charts(runs, 'train', losses.pop('')), is_loss=True),
        _Section(
            'Validation',
            _charts(runs, 'val', [name for name in val if name not in _SPEED]),
            is_val=True,
            is_noisy=False,
        ),
        _Section('Learning rate', _charts(runs, 'train', rates), is_noisy=False),
        _Section('Gradients and others', _charts(runs, 'train', rest)),
        *(
            _Section(
                f'Losses of {where}',
                _charts(runs, 'train', names),
                is_loss=True,
                is_open=not has_others,
            )
            for where, names in losses.items()
        ),
        _Section('Speed', speed, 'Times in seconds per iteration, memory in MB.', is_open=False),
    ]
    return [section for section in sections if section.charts]


def _names(parts: Iterable[dict[str, Curve]]) -> list[str]:
    """Of all runs, each once, in the order of the logs."""
    return list(dict.fromkeys(name for part in parts for name in part))


def _charts(
    runs: Sequence[TrainingRun], part: str, names: Sequence[str], suffix: str = ''
) -> list[_Chart]:
    return [
        _Chart(name + suffix, [getattr(run.log, part).get(name) for run in runs]) for name in names
    ]


def _reached(sections: Sequence[_Section]) -> dict[str, list[_Reached | None]]:
    """For each number of validation what each run has reached; None if it has no finite value."""
    charts = [chart for section in sections if section.is_val for chart in section.charts]
    return {chart.title: [_extremes(curve) for curve in chart.curves] for chart in charts}


def _extremes(curve: Curve | None) -> _Reached | None:
    points = [] if curve is None else zip(curve.steps, curve.values, strict=True)
    finite = [(step, value) for step, value in points if math.isfinite(value)]
    if not finite:
        return None
    highest_at, highest = max(finite, key=lambda point: point[1])
    last_at, last = finite[-1]
    return _Reached(_text(highest), highest_at, _text(last), last_at)


def _last(curve: Curve | None) -> str:
    return '' if curve is None else _text(curve.values[-1])


def _text(value: float) -> str:
    return f'{value:.4g}'


def _style(number: int) -> str:
    """The classes of a run's lines."""
    return f'run-{number % NUM_COLORS} dash-{number // NUM_COLORS % _NUM_DASHES}'


def _data(runs: Sequence[TrainingRun], sections: Sequence[_Section]) -> dict[str, Any]:
    """What the script needs; charts in the order of the page."""
    return dict(
        runs=[dict(name=run.name, style=_style(number)) for number, run in enumerate(runs)],
        charts=[
            dict(
                title=chart.title,
                isLoss=section.is_loss,
                isVal=section.is_val,
                isNoisy=section.is_noisy,
                curves=[_points(curve) for curve in chart.curves],
            )
            for section in sections
            for chart in section.charts
        ],
    )


def _points(curve: Curve | None) -> list[list[float | None]] | None:
    """Steps and values; null for values that are not finite, which json does not know."""
    if curve is None:
        return None
    values = [
        float(f'{value:.{_DIGITS}g}') if math.isfinite(value) else None for value in curve.values
    ]
    return [curve.steps, values]
