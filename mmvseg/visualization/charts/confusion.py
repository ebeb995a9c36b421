"""Which class is taken for which, as a matrix."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .style import DARK, GREY, draw_svg, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: More classes cannot be read on a page; those that are most often confused are drawn.
MOST_CLASSES = 24
#: Up to so many classes the cells have room for their counts.
_MOST_WITH_COUNTS = 16


def confusion_chart(rows: Sequence[str], columns: Sequence[str], counts: np.ndarray) -> bytes:
    """Draw a matrix of counts, each row coloured by shares.

    Args:
        rows: names of K classes of objects, and one for no object.
        columns: the same classes of tracks, and one for no track.
        counts: (K + 1, K + 1).
    """
    shown, which = _shown_classes(counts)
    kept = counts[np.ix_(shown, shown)]
    shares = kept / np.maximum(1, kept.sum(axis=1, keepdims=True))

    def draw(figure: 'Figure') -> None:
        axes = figure.subplots()
        image = axes.imshow(shares, cmap='Blues', vmin=0, vmax=1, aspect='auto')
        ticks = np.arange(len(shown))
        names = [label(columns[k]) for k in shown]
        axes.set_xticks(ticks, names, rotation=40, ha='right', rotation_mode='anchor')
        axes.set_yticks(ticks, [label(rows[k]) for k in shown])
        axes.set(xlabel='class of the track', ylabel='class of the object')
        axes.tick_params(length=0)
        for line in (axes.axhline, axes.axvline):  # before the last row and column
            line(len(shown) - 1.5, color=GREY, linewidth=0.8)
        if len(shown) <= _MOST_WITH_COUNTS:
            _write_counts(axes, kept, shares)
        figure.colorbar(image, label='share of the row', pad=0.02)
        axes.set_title(f'Objects and the tracks that take them{which}')

    return draw_svg(2.2 + 0.33 * len(shown), draw)


def _write_counts(axes: 'Axes', counts: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = 'white' if shares[row, column] > 0.55 else DARK
            style = dict(ha='center', va='center', fontsize=9, color=color)
            axes.text(column, row, str(count), **style)


def _shown_classes(counts: np.ndarray) -> tuple[np.ndarray, str]:
    """The positions to draw, the last always, and words if some classes are left out."""
    occurs = np.flatnonzero(counts[:-1].sum(axis=1) + counts[:, :-1].sum(axis=0))
    which = ''
    if len(occurs) > MOST_CLASSES:
        confused = counts[:-1, :-1] - np.diag(np.diag(counts[:-1, :-1]))
        total = (confused.sum(axis=0) + confused.sum(axis=1))[occurs]
        best = np.argsort(-total, kind='stable')[:MOST_CLASSES]
        which = f' (the {MOST_CLASSES} most confused of {len(occurs)} classes)'
        occurs = np.sort(occurs[best])
    return np.append(occurs, len(counts) - 1), which
