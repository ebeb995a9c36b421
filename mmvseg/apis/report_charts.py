"""The pictures of a report, by the names of their files without ending."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mmvseg.analysis.map_tables import PHRASES
from mmvseg.analysis.summary import REMEDIES
from mmvseg.analysis.track_tables import occurring_groups
from mmvseg.evaluation.functional.vpq import GROUPS
from mmvseg.visualization.charts.bars import bars_chart
from mmvseg.visualization.charts.calibration import calibration_chart
from mmvseg.visualization.charts.confusion import confusion_chart
from mmvseg.visualization.charts.curves import curves_chart
from mmvseg.visualization.charts.differences import differences_chart
from mmvseg.visualization.charts.groups import groups_chart


def track_charts(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Pictures of a report about results of YouTube-VIS; none of what there is nothing of."""
    charts, curves, calibration = {}, report['curves'], report['calibration']
    if report['oracles']['alone']:
        charts['gains'] = _gains_chart(report['oracles'])
    if curves['all']:
        classes = [curve['mean'] for curve in curves['classes'].values() if curve]
        charts['curves'] = curves_chart(curves['recall'], curves['all'], classes)
    error, best = calibration['expected_calibration_error'], calibration['best_f1']
    if error is not None:
        threshold = best and best['threshold']
        charts['calibration'] = calibration_chart(calibration['bins'], error, threshold)
    groups = occurring_groups(report['groups'])
    if groups:
        charts['groups'] = groups_chart(groups)
    confusion = report['confusion']
    counts = np.array(confusion['counts'])
    if counts.any():
        charts['confusion'] = confusion_chart(
            'Objects and the tracks that take them',
            confusion['rows'],
            confusion['columns'],
            counts,
            num_others=1,
        )
    return charts


def _gains_chart(oracles: Mapping[str, Any]) -> bytes:
    names = {'alone': 'alone', 'in_order': 'after all above it'}
    gains = {
        name: {kind: gain['AP'] for kind, gain in oracles[part].items()}
        for part, name in names.items()
    }
    return _gain_bars(f'AP is {100 * oracles["predicted"]["AP"]:.1f}', gains)


def _gain_bars(words: str, gains: Mapping[str, Mapping[str, float]]) -> bytes:
    """Gains as fractions, by series and kind of error."""
    series = {
        name: {remedy: 100 * of_kind[kind] for kind, remedy in REMEDIES.items()}
        for name, of_kind in gains.items()
    }
    title = f'What mending would gain; {words}'
    return bars_chart(title, 'gain in AP (points)', series, signed=True)


def panoptic_charts(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Pictures of a report about panoptic results."""
    charts = {}
    losses = report['losses']
    known = [kind for kind in PHRASES if not np.isnan([losses[g][kind] for g in GROUPS]).any()]
    if known:
        series = {g: {PHRASES[kind]: losses[g][kind] for kind in known} for g in GROUPS}
        charts['losses'] = bars_chart('Where VPQ goes', 'loss of VPQ (points)', series)
    confusion = report['confusion']
    if confusion['classes']:
        title = 'Classes of segments that match in single frames'
        charts['confusion'] = _class_chart(title, confusion['classes'], confusion['segments'])
    return charts


def semantic_charts(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Pictures of a report about semantic results."""
    confusion = report['confusion']
    if not confusion['classes']:
        return {}
    title = 'Classes of pixels'
    return dict(confusion=_class_chart(title, confusion['classes'], confusion['pixels']))


def _class_chart(title: str, classes: list[str], counts: list[list[int]]) -> bytes:
    return confusion_chart(title, classes, classes, np.array(counts))


def comparison_charts(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Pictures of a comparison: differences, and the gains of both results."""
    compared, charts = report['comparison'], {}
    main = {name: values for name, values in compared['main'].items() if name != 'IDSW'}
    gains = {kind: entry['gain'] for kind, entry in compared['oracles'].items()}
    panels = {
        'Main numbers': _intervals(main),
        'What mending would still gain in AP (less is better)': _intervals(
            {REMEDIES[kind]: gain for kind, gain in gains.items()}
        ),
    }
    panels = {title: rows for title, rows in panels.items() if rows}
    if panels:
        charts['differences'] = differences_chart(panels)
    if compared['main']['AP']['difference'] is not None:
        of_both = {
            name: {kind: gain[name.lower()] for kind, gain in gains.items()} for name in ('A', 'B')
        }
        aps = (f'{100 * report[name]["summary"]["AP"]:.1f} in {name}' for name in ('A', 'B'))
        charts['gains'] = _gain_bars(f'AP is {", ".join(aps)}', of_both)
    return charts


def _intervals(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[float, ...]]:
    """What has an interval, in points, with the sign of its verdict."""
    signs = {'clearly better': 1, 'clearly worse': -1}
    return {
        name: (
            *(100 * value for value in (values['difference'], *values['interval'])),
            signs.get(values['verdict'], 0),
        )
        for name, values in rows.items()
        if values['interval']
    }


def seed_charts(report: Mapping[str, Any]) -> dict[str, bytes]:
    """The picture of several seeds: the mean of the gains."""
    seeds = report['seeds']
    ap = seeds['main']['AP']['mean']
    if ap is None:
        return {}
    words = f'AP is {100 * ap:.1f}, mean of {seeds["num_runs"]} runs'
    gains = {kind: values['mean'] for kind, values in seeds['gains']['alone'].items()}
    return dict(gains=_gain_bars(words, {'mean': gains}))
