"""Tables of what is found out about panoptic and semantic results, for the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from terminaltables import AsciiTable

from mmvseg.errors import one_line
from mmvseg.evaluation.functional.vpq import GROUPS, WINDOWS

#: What each kind of error of panoptic results is called in sentences and tables.
PHRASES = {
    'poor': 'poor masks',
    'too_poor': 'masks too poor to match',
    'class': 'wrong classes',
    'false': 'false segments',
    'missed': 'missed segments',
    'association': 'broken ids',
    'flicker': 'masks that come and go',
}
#: Of long lists the first so many are shown.
_ROWS = 10


def panoptic_tables(numbers: Mapping[str, Any]) -> str:
    """The summary, where VPQ goes, what is confused and the worst videos.

    Args:
        numbers: of :meth:`.PanopticAnalysis.numbers`.
    """
    windows = [str(k) for k in WINDOWS]
    mean = '_'.join(('mean', *windows))
    quality, losses = [], []
    for group in GROUPS:
        vpq, parts = numbers['VPQ'][group], numbers['parts'][group]
        values = (*(vpq[key] for key in (mean, *windows)), parts['SQ']['1'], parts['RQ']['1'])
        quality.append((group, *map(_decimal, values)))
    for kind, phrase in PHRASES.items():
        values = [_decimal(numbers['losses'][group][kind]) for group in GROUPS]
        gains = numbers['gains']['All']
        losses.append((phrase, *values, _decimal(gains[kind]) if kind in gains else ''))
    frames = ['1 frame', *(f'{k} frames' for k in windows[1:])]
    stq = [[_decimal(100 * value) for value in numbers['STQ'].values()]]
    confused = [
        (found['truth'], found['predicted'], found['segments'], _decimal(found['percent']))
        for found in numbers['confused']
    ]
    worst = [
        (
            entry['video'],
            _decimal(entry['VPQ']),
            _decimal(100 * entry['STQ']['STQ']),
            PHRASES.get(entry['main_loss'], 'nothing'),
            _decimal(entry['losses'][entry['main_loss']]) if entry['main_loss'] else '',
            entry['frame'],
        )
        for entry in numbers['videos'][:_ROWS]
    ]
    return _join(
        _table('VPQ (%)', ('', 'mean', *frames, 'SQ of 1', 'RQ of 1'), quality),
        _table('where VPQ goes (points)', ('', *GROUPS, 'gain if mended alone'), losses),
        _table('STQ (%)', [*numbers['STQ']], stq),
        _table('confused classes', ('is', 'predicted', 'segments', '% of the class'), confused),
        _table(
            'worst videos',
            ('video', 'VPQ', 'STQ', 'most is lost by', 'points', 'see frame'),
            worst,
        ),
    )


def semantic_tables(numbers: Mapping[str, Any]) -> str:
    """The summary, the costliest confusions, and the videos that are worst and least consistent.

    Args:
        numbers: of :meth:`.SemanticAnalysis.numbers`.
    """
    scores, losses = numbers['scores'], numbers['losses']
    summary = dict(
        mIoU=scores['mIoU'],
        missed=losses['missed'],
        false=losses['false'],
        VC8=scores['VC8'],
        VC16=scores['VC16'],
        void=numbers['void'],
    )
    confused = [
        (found['truth'], found['predicted'], *(_percent(found[k]) for k in ('share', 'cost')))
        for found in numbers['costliest']
    ]
    worst = []
    for entry in numbers['videos'][:_ROWS]:
        costliest = entry['costliest']
        reason = f'{costliest["truth"]} for {costliest["predicted"]}' if costliest else ''
        worst.append((entry['video'], *(_percent(entry[key]) for key in ('mIoU', 'VC8')), reason))
    flickering = [
        (entry['video'], _percent(entry['loss']), entry['frame'])
        for entry in numbers['inconsistent']['8'][:_ROWS]
    ]
    return _join(
        _table('mIoU and where it goes (%)', [*summary], [map(_percent, summary.values())]),
        _table('costliest confusions', ('is', 'predicted', '% of pixels', 'points'), confused),
        _table('worst videos (%)', ('video', 'mIoU', 'VC8', 'most is lost by taking'), worst),
        _table('where VC8 goes', ('video', 'points', 'worst from frame'), flickering),
    )


def _table(title: str, head: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table, '' if it has no rows."""
    cells = [[one_line(str(cell)) for cell in row] for row in rows]
    return AsciiTable([[*head], *cells], title).table if cells else ''


def _join(*tables: str) -> str:
    return '\n'.join(filter(None, tables))


def _percent(fraction: float) -> str:
    return _decimal(100 * fraction)


def _decimal(value: float) -> str:
    """One decimal, '-' for what is undefined."""
    return '-' if value != value else f'{value:.1f}'.replace('-0.0', '0.0')
