"""How often tracks of a score are right."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .style import BLUE, GREY, ORANGE, draw_svg, horizontal_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def calibration_chart(
    bins: Sequence[Mapping[str, Any]], error: float, threshold: float | None
) -> bytes:
    """Draw the share of right tracks by score, and how many tracks there are.

    Args:
        bins: for each its bounds ``low`` and ``high``, the number of ``tracks``, and the share
            that is ``right``, None without tracks.
        error: expected calibration error.
        threshold: score with the best F1, None for none.
    """
    centres = [(entry['low'] + entry['high']) / 2 for entry in bins]
    widths = [0.92 * (entry['high'] - entry['low']) for entry in bins]

    def draw(figure: 'Figure') -> None:
        upper, lower = figure.subplots(2, sharex=True, height_ratios=(3, 1))
        shares = [entry['right'] or 0 for entry in bins]
        upper.bar(centres, shares, widths, color=BLUE, label='right at IoU 0.5')
        upper.plot([0, 1], [0, 1], '--', color=GREY, label='right as often as the score says')
        upper.set(ylim=(0, 1.02), ylabel='share of tracks')
        counts = [entry['tracks'] for entry in bins]
        drawn = lower.bar(centres, counts, widths, color=GREY)
        lower.bar_label(drawn, fontsize=9)
        lower.margins(y=0.25)
        lower.set(xlim=(0, 1), xlabel='score', ylabel='tracks')
        lower.set_xticks([entry['low'] for entry in bins] + [1])
        for axes in (upper, lower):
            horizontal_grid(axes)
        if threshold is not None:
            name = f'best F1, from score {threshold:.2f} on'
            upper.axvline(threshold, color=ORANGE, linewidth=2, label=name)
        upper.set_title(f'Scores; expected calibration error {error:.2f}')
        upper.legend(loc='upper left')

    return draw_svg(4.6, draw)
