"""The pictures of a report, by the names of their files without ending."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mmvseg.analysis.summary import REMEDIES
from mmvseg.analysis.track_tables import occurring_groups
from mmvseg.visualization.charts.calibration import calibration_chart
from mmvseg.visualization.charts.confusion import confusion_chart
from mmvseg.visualization.charts.curves import curves_chart
from mmvseg.visualization.charts.gains import gains_chart
from mmvseg.visualization.charts.groups import groups_chart


def track_charts(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Pictures of a report about results of YouTube-VIS; none of what there is nothing of."""
    oracles, curves = report['oracles'], report['curves']
    confusion, calibration = report['confusion'], report['calibration']
    charts = {}
    if oracles['alone']:
        gains = (
            {remedy: oracles[part][kind]['AP'] for kind, remedy in REMEDIES.items()}
            for part in ('alone', 'in_order')
        )
        charts['gains'] = gains_chart(*gains, oracles['predicted']['AP'])
    if curves['all']:
        classes = [curve['mean'] for curve in curves['classes'].values() if curve]
        charts['curves'] = curves_chart(curves['recall'], curves['all'], classes)
    error = calibration['expected_calibration_error']
    if error is not None:
        best = calibration['best_f1']
        threshold = best and best['threshold']
        charts['calibration'] = calibration_chart(calibration['bins'], error, threshold)
    groups = occurring_groups(report['groups'])
    if groups:
        charts['groups'] = groups_chart(groups)
    counts = np.array(confusion['counts'])
    if counts.any():
        charts['confusion'] = confusion_chart(confusion['rows'], confusion['columns'], counts)
    return charts
