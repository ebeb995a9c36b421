"""Differences of two results with their intervals."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .style import BLUE, DARK, GREY, ORANGE, draw_svg, vertical_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Colour and mark by verdict: better, worse, neither.
_MARKS = {1: (BLUE, 'o', 'B is clearly better'), -1: (ORANGE, 's', 'B is clearly worse')}
_NEITHER = (GREY, 'D', 'no clear difference')


def differences_chart(panels: Mapping[str, Mapping[str, tuple[float, float, float, int]]]) -> bytes:
    """Draw differences as points and their intervals as lines.

    Args:
        panels: by title, the difference, both ends of its interval, and 1, -1 or 0 for better,
            worse or neither, by name.
    """
    sizes = [len(rows) for rows in panels.values()]

    def draw(figure: 'Figure') -> None:
        ratios = [size + 0.5 for size in sizes]
        axes_of = figure.subplots(len(sizes), height_ratios=ratios, squeeze=False)[:, 0]
        named: dict[str, Any] = {}
        for axes, (title, rows) in zip(axes_of, panels.items(), strict=True):
            for place, (value, low, high, sign) in enumerate(rows.values()):
                color, mark, name = _MARKS.get(sign, _NEITHER)
                axes.plot([low, high], [place, place], color=color, linewidth=2.5)
                (named[name],) = axes.plot(
                    [value], [place], mark, color=color, markersize=7, linestyle='none'
                )
                text = f'{round(value, 1) + 0.0:+.1f}'
                above = dict(xytext=(0, 6), textcoords='offset points', ha='center')
                axes.annotate(text, (value, place), fontsize=8.5, color=DARK, **above)
            axes.axvline(0, color=DARK, linewidth=0.8)
            axes.set_yticks(range(len(rows)), [*rows])
            axes.set_ylim(len(rows) - 0.5, -0.8)
            axes.set_title(title)
            axes.margins(x=0.08)
            vertical_grid(axes)
        axes_of[-1].set_xlabel('B - A (points), with the 95 % interval over videos')
        figure.legend(named.values(), named, loc='outside upper right', ncols=3)

    return draw_svg(1.2 + 0.36 * sum(sizes) + 0.4 * len(sizes), draw)
