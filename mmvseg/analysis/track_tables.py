"""The most telling numbers about results of YouTube-VIS, as text for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from terminaltables import AsciiTable

from mmvseg.errors import one_line
from mmvseg.evaluation.functional.tracking_numbers import ALL_VIDEOS, CLASS_SUM

from .summary import REMEDIES, points

#: There is no ranking in HOTA as there is in AP.
_UNCUT = '; without --min-score every result counts in full'
#: How many of the worst errors are shown; the report has more.
SHOWN_ERRORS = 10


def track_tables(report: Mapping[str, Any]) -> str:
    """The sentence, then a table each of gains, groups, worst errors and confusions.

    Args:
        report: as :meth:`.track_analysis.TrackAnalysis.numbers` gives it.
    """
    parts = [
        report['summary']['sentence'],
        _tracking_line(report),
        _gains_table(report['oracles'], report['errors']),
        _groups_table(report['groups']),
        _worst_table(report['worst']),
        _confusion_table(report['confusion']['most_frequent']),
    ]
    return '\n'.join(part for part in parts if part)


def _tracking_line(report: Mapping[str, Any]) -> str:
    numbers = report['hota'][ALL_VIDEOS][CLASS_SUM]
    means, switches = numbers['mean_over_alpha'], numbers['CLEAR']['IDSW']
    hota, det, ass = (f'{100 * means[name]:.1f}' for name in ('HOTA', 'DetA', 'AssA'))
    uncut = report['options']['min_score'] is None
    return (
        f'HOTA is {hota} (DetA {det}, AssA {ass}), IDF1 {100 * numbers["Identity"]["IDF1"]:.1f}, '
        f'with {switches} id switches{_UNCUT if uncut else ""}.'
    )


def _gains_table(oracles: Mapping[str, Any], errors: Mapping[str, Any]) -> str:
    """What each oracle gains; empty where there is no AP."""
    if not oracles['alone']:
        return ''
    counts = {**errors['wrong_tracks'], 'missed': errors['missed_objects']}
    cells = [['', 'errors', 'AP', 'AP50', 'in order: AP', 'AP50']]
    for kind, remedy in REMEDIES.items():
        gains = [oracles[part][kind] for part in ('alone', 'in_order')]
        shown = [points(gain[name]) for gain in gains for name in ('AP', 'AP50')]
        cells.append([remedy, str(counts[kind]), *shown])
    return AsciiTable(cells, 'what mending would gain (points)').table


def occurring_groups(kinds: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The groups that have objects, by kind; of a kind with one group nothing is to be learnt."""
    found = {}
    for name, kind in kinds.items():
        groups = {key: group for key, group in kind['groups'].items() if group['AP'] >= 0}
        if len(groups) > 1:
            found[name] = dict(measure=kind['measure'], groups=groups)
    return found


def _groups_table(kinds: Mapping[str, Mapping[str, Any]]) -> str:
    cells = [['', 'group', 'from', 'to', 'objects', 'AP', 'AP50']]
    for name, kind in occurring_groups(kinds).items():
        for n, (key, group) in enumerate(kind['groups'].items()):
            bounds = [_bound(group[side]) for side in ('low', 'high')]
            metrics = [f'{100 * group[metric]:.1f}' for metric in ('AP', 'AP50')]
            cells.append(['' if n else name, key, *bounds, str(group['objects']), *metrics])
    return AsciiTable(cells, 'groups of objects (%)').table if len(cells) > 1 else ''


def _bound(value: float | None) -> str:
    return '' if value is None else f'{value:.3g}' if value < 1 else f'{value:.0f}'


def _worst_table(errors: Sequence[Mapping[str, Any]]) -> str:
    if not errors:
        return ''
    cells = [['video', 'frame', 'track', 'what is wrong']]
    for error in errors[:SHOWN_ERRORS]:
        track = '-' if error['track'] is None else str(error['track'])
        cells.append([one_line(error['video']), str(error['frame']), track, _reason(error)])
    return AsciiTable(cells, f'worst errors ({len(cells) - 1})').table


def _reason(error: Mapping[str, Any]) -> str:
    return one_line(error['reason'])


def _confusion_table(pairs: Sequence[Mapping[str, Any]]) -> str:
    if not pairs:
        return ''
    cells = [['class', 'taken for', 'times']]
    cells += [[one_line(p['truth']), one_line(p['predicted']), str(p['count'])] for p in pairs]
    return AsciiTable(cells, 'confusions').table
