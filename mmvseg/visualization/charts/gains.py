"""What mending each kind of error would gain, as bars."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .style import BLUE, GREY, ORANGE, draw_svg, vertical_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BAR = 0.38


def gains_chart(
    alone: Mapping[str, float], in_order: Mapping[str, float], predicted: float
) -> bytes:
    """Draw gains of AP.

    Args:
        alone: gain of each remedy on its own, as a fraction, by name in the order of the drawing.
        in_order: gain of each on top of all before it.
        predicted: AP as it is.
    """
    names = [*alone]

    def draw(figure: 'Figure') -> None:
        axes = figure.subplots()
        rows = np.arange(len(names))
        series = ((alone, BLUE, 'alone', -1), (in_order, ORANGE, 'after all above it', 1))
        for gains, color, name, side in series:
            values = [100 * gains[key] for key in names]
            bars = axes.barh(rows + side * _BAR / 2, values, _BAR, color=color, label=name)
            axes.bar_label(bars, [f'{value:+.1f}' for value in values], padding=3, fontsize=9)
        axes.set_yticks(rows, names)
        axes.invert_yaxis()
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.margins(x=0.12)
        axes.set_xlabel('gain in AP (points)')
        axes.set_title(f'What mending would gain; AP is {100 * predicted:.1f}')
        axes.legend(loc='best')
        vertical_grid(axes)

    return draw_svg(1.2 + 0.55 * len(names), draw)
