"""AP of groups of objects, as bars."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .style import BLUE, ORANGE, draw_svg, vertical_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BAR = 0.38


def groups_chart(kinds: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Draw AP and AP50 by group.

    Args:
        kinds: for each what it goes by (``measure``), and its ``groups`` by name with ``AP`` and
            ``AP50`` as fractions, and the number of ``objects``; none of them without objects.
    """
    sizes = [len(kind['groups']) for kind in kinds.values()]

    def draw(figure: 'Figure') -> None:
        ratios = [size + 0.2 for size in sizes]
        panels = figure.subplots(len(sizes), sharex=True, height_ratios=ratios, squeeze=False)[:, 0]
        for axes, (title, kind) in zip(panels, kinds.items(), strict=True):
            groups = kind['groups']
            for shift, metric, color in ((-1, 'AP', BLUE), (1, 'AP50', ORANGE)):
                places = [row + shift * _BAR / 2 for row in range(len(groups))]
                values = [100 * group[metric] for group in groups.values()]
                bars = axes.barh(places, values, _BAR, color=color, label=metric)
                axes.bar_label(bars, fmt='%.1f', padding=3, fontsize=8)
            names = [f'{name} ({group["objects"]})' for name, group in groups.items()]
            axes.set_yticks(range(len(groups)), names)
            axes.set(xlim=(0, 106), xticks=range(0, 101, 20))
            axes.invert_yaxis()
            axes.set_title(f'{title}: {kind["measure"]}', fontsize=10)
            vertical_grid(axes)
        panels[-1].set_xlabel('AP and AP50 (%); in brackets the number of objects')
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc='outside upper right', ncols=2)

    return draw_svg(1.0 + 0.36 * sum(sizes) + 0.35 * len(sizes), draw)
