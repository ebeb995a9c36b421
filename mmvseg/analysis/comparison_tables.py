"""The most telling numbers about two results, or about several seeds, as text for the terminal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from terminaltables import AsciiTable

from mmvseg.errors import one_line

from .bootstrap import CONFIDENCE
from .summary import REMEDIES, points

#: The only one that counts; the others are fractions.
_SWITCHES = 'IDSW'
#: Of long lists the first so many are shown.
_ROWS = 5


def comparison_tables(report: Mapping[str, Any]) -> str:
    """The sentence, then tables of the main numbers, of gains, classes, videos and objects.

    Args:
        report: the reports of both results as ``A`` and ``B``, and the numbers of
            :meth:`.comparison.Comparison.numbers` as ``comparison``.
    """
    compared = report['comparison']
    gains = {REMEDIES[kind]: entry['gain'] for kind, entry in compared['oracles'].items()}
    classes = {name: values['AP'] for name, values in compared['classes'].items()}
    parts = [
        compared['sentence'],
        *(f'{name}: {one_line(report[name]["results"])}' for name in ('A', 'B')),
        _differences('numbers (%)', compared['main']),
        _differences('what mending would still gain (points of AP)', gains),
        _differences('AP of classes (%)', classes),
        _videos(compared['videos']),
        _objects('gained: right in B alone', 'wrong in A', compared['objects_gained']),
        _objects('lost: right in A alone', 'wrong in B', compared['objects_lost']),
    ]
    return '\n'.join(part for part in parts if part)


def _differences(title: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """A table of :meth:`.bootstrap.Difference.numbers`; without what has nothing to compare."""
    cells = [['', 'A', 'B', 'B - A', f'{100 * CONFIDENCE:.0f} % interval', 'B is']]
    for name, values in rows.items():
        if values['difference'] is None:
            continue
        value, change = _formats(name)
        interval = values['interval']
        cells.append(
            [
                one_line(name),
                value(values['a']),
                value(values['b']),
                change(values['difference']),
                f'{change(interval[0])} to {change(interval[1])}' if interval else '-',
                values['verdict'],
            ]
        )
    return _table(title, cells)


def _formats(name: str) -> tuple[Callable[[float], str], Callable[[float], str]]:
    """How a number and its change are shown."""
    if name == _SWITCHES:
        return '{:.0f}'.format, '{:+.0f}'.format
    return lambda value: f'{100 * value:.1f}', points


def _videos(videos: Sequence[Mapping[str, Any]]) -> str:
    cells = [['video', 'AP in A', 'in B', 'AssA in A', 'in B', 'gained', 'lost']]
    for entry in videos[:_ROWS]:
        if entry['AP']['difference']:
            values = [entry[name][side] for name in ('AP', 'AssA') for side in 'ab']
            shown = [f'{100 * value:.1f}' if value >= 0 else '-' for value in values]
            counts = [str(entry['gained']), str(entry['lost'])]
            cells.append([one_line(entry['video']), *shown, *counts])
    return _table('videos that changed most (%)', cells)


def _objects(title: str, header: str, objects: Sequence[Mapping[str, Any]]) -> str:
    cells = [['video', 'object', 'class', header]]
    for entry in objects[:_ROWS]:
        names = (entry['video'], entry['annotation'], entry['category'], entry['kind'])
        cells.append([one_line(name) for name in names])
    shown = len(cells) - 1
    return _table(f'{title} ({shown} of {len(objects)})', cells)


def seed_tables(report: Mapping[str, Any]) -> str:
    """Mean and range of the main numbers, and of what mending would gain.

    Args:
        report: the reports as ``runs``, and the numbers of :func:`.seeds.compare_seeds` as
            ``seeds``.
    """
    seeds = report['seeds']
    objects = seeds['objects']
    total = objects['all'] + objects['some'] + objects['none']
    gains = {REMEDIES[kind]: values for kind, values in seeds['gains']['alone'].items()}
    return '\n'.join(
        (
            f'{_spread(seeds["main"]["AP"], seeds["num_runs"])} Of {total} objects all runs find '
            f'{objects["all"]}, some {objects["some"]}, none {objects["none"]}.',
            *(f'{n}: {one_line(run["results"])}' for n, run in enumerate(report['runs'], 1)),
            _ranges('numbers (%)', seeds['main'], seeds['num_runs']),
            _ranges('what mending would gain (points of AP)', gains, seeds['num_runs']),
        )
    )


def _spread(ap: Mapping[str, Any], num_runs: int) -> str:
    if ap['mean'] is None:
        return f'{num_runs} runs without AP, as no object counts.'
    low, high = (f'{100 * ap[end]:.1f}' for end in ('min', 'max'))
    return (
        f'AP is {100 * ap["mean"]:.1f} on average over {num_runs} runs, {low} to {high}, with a '
        f'standard deviation of {100 * ap["std"]:.1f}.'
    )


def _ranges(title: str, rows: Mapping[str, Mapping[str, Any]], num_runs: int) -> str:
    cells = [['', 'mean', 'min', 'max', 'deviation', *map(str, range(1, num_runs + 1))]]
    for name, values in rows.items():
        if values['mean'] is not None:
            factor = 1 if name == _SWITCHES else 100
            numbers = [*(values[key] for key in ('mean', 'min', 'max', 'std')), *values['values']]
            cells.append([name, *(f'{round(factor * n, 1) + 0.0:.1f}' for n in numbers)])
    return _table(title, cells)


def _table(title: str, cells: Iterable[Sequence[str]]) -> str:
    """A table, '' if it has no rows."""
    rows = [*cells]
    return AsciiTable(rows, title).table if len(rows) > 1 else ''
