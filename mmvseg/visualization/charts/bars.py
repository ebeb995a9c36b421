"""Numbers in points by name, as bars of one or several series."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .style import BLUE, GREEN, GREY, ORANGE, draw_svg, vertical_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = BLUE, ORANGE, GREEN
#: How much of a row the bars take.
_FILLED = 0.76


def bars_chart(
    title: str, unit: str, series: Mapping[str, Mapping[str, float]], *, signed: bool = False
) -> bytes:
    """Draw horizontal bars.

    Args:
        title: above them.
        unit: what the numbers are.
        series: up to three by name; the numbers of each by row, all of the same rows.
        signed: whether positive numbers have a sign.
    """
    rows = [*next(iter(series.values()))]
    height = _FILLED / len(series)
    style = '+.1f' if signed else '.1f'

    def draw(figure: 'Figure') -> None:
        axes = figure.subplots()
        for n, (name, numbers) in enumerate(series.items()):
            places = np.arange(len(rows)) + (n - (len(series) - 1) / 2) * height
            values = [numbers[row] for row in rows]
            bars = axes.barh(places, values, height, color=_COLORS[n], label=name)
            texts = [f'{round(value, 1) + 0.0:{style}}' for value in values]
            axes.bar_label(bars, texts, padding=3, fontsize=9)
        axes.set_yticks(range(len(rows)), rows)
        axes.invert_yaxis()
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.margins(x=0.12)
        axes.set_xlabel(unit)
        axes.set_title(title)
        if len(series) > 1:
            axes.legend(loc='best')
        vertical_grid(axes)

    return draw_svg(1.2 + (0.25 + 0.15 * len(series)) * len(rows), draw)
