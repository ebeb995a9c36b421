"""Precision over recall."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .style import BLUE, DARK, GREEN, GREY, ORANGE, draw_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Curve, name, colour and dashes; line styles tell them apart without colours.
_LINES = (
    ('0.5', 'IoU 0.5', BLUE, '-'),
    ('0.75', 'IoU 0.75', ORANGE, '--'),
    ('mean', 'mean over IoU 0.5 to 0.95', GREEN, '-.'),
)


def curves_chart(
    recall: Sequence[float],
    overall: Mapping[str, Sequence[float]],
    classes: Sequence[Sequence[float]],
) -> bytes:
    """Draw precision over recall.

    Args:
        recall: R recall points.
        overall: precision at these, mean of the classes: at IoU ``0.5``, ``0.75`` and the ``mean``
            over all thresholds.
        classes: the ``mean`` of each class.
    """

    def draw(figure: 'Figure') -> None:
        axes = figure.subplots()
        for n, precision in enumerate(classes):
            name = 'single classes, mean over IoU' if not n else None
            axes.plot(recall, precision, color=GREY, alpha=0.45, linewidth=0.8, label=name)
        for key, name, color, dashes in _LINES:
            axes.plot(recall, overall[key], dashes, color=color, linewidth=2, label=name)
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel='recall', ylabel='precision')
        axes.set_title('Precision over recall, mean of the classes', color=DARK)
        axes.grid(visible=True)
        axes.tick_params(length=0)
        axes.legend(loc='lower left', frameon=True, framealpha=0.9, edgecolor='none')

    return draw_svg(4.2, draw)
