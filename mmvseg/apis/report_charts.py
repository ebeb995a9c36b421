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
    series = {
        name: {remedy: 100 * oracles[part][kind]['AP'] for kind, remedy in REMEDIES.items()}
        for part, name in names.items()
    }
    title = f'What mending would gain; AP is {100 * oracles["predicted"]["AP"]:.1f}'
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
    """Pictures of a comparison: differences, and the pictures of both reports."""
    compared = report['comparison']
    main = {name: values for name, values in compared['main'].items() if name != 'IDSW'}
    gains = {REMEDIES[kind]: entry['gain'] for kind, entry in compared['oracles'].items()}
    panels = {
        'Main numbers': _intervals(main),
        'What mending would still gain in AP (less is better)': _intervals(gains),
    }
    panels = {title: rows for title, rows in panels.items() if rows}
    charts = {'differences': differences_chart(panels)} if panels else {}
    for name in ('A', 'B'):
        of_one = track_charts(report[name])
        charts |= {f'{name}_{chart}': picture for chart, picture in of_one.items()}
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
    """Pictures of several seeds: those of each report, by its number from 1."""
    return {
        f'{number}_{chart}': picture
        for number, run in enumerate(report['runs'], 1)
        for chart, picture in track_charts(run).items()
    }
