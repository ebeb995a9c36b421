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
#: Up to so many rows the cells have room for their counts.
_MOST_WITH_COUNTS = 16
#: Longer counts have no room either.
_LONGEST_COUNT = 9999


def confusion_chart(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    counts: np.ndarray,
    num_others: int = 0,
) -> bytes:
    """Draw a matrix of counts, each row coloured by shares.

    Args:
        title: above it.
        rows: names of what is there.
        columns: names of what is found.
        counts: of each pair, (N, N).
        num_others: how many of the last rows and columns are no classes, such as what is missed.
    """
    shown, which = _shown_classes(counts, num_others)
    kept = counts[np.ix_(shown, shown)]
    shares = kept / np.maximum(1, kept.sum(axis=1, keepdims=True))

    def draw(figure: 'Figure') -> None:
        axes = figure.subplots()
        image = axes.imshow(shares, cmap='Blues', vmin=0, vmax=1, aspect='auto')
        ticks = np.arange(len(shown))
        names = [label(columns[k]) for k in shown]
        axes.set_xticks(ticks, names, rotation=40, ha='right', rotation_mode='anchor')
        axes.set_yticks(ticks, [label(rows[k]) for k in shown])
        axes.set(xlabel='predicted', ylabel='annotated')
        axes.tick_params(length=0)
        if num_others:
            for line in (axes.axhline, axes.axvline):
                line(len(shown) - num_others - 0.5, color=GREY, linewidth=0.8)
        if len(shown) <= _MOST_WITH_COUNTS and kept.max(initial=0) <= _LONGEST_COUNT:
            _write_counts(axes, kept, shares)
        figure.colorbar(image, label='share of the row', pad=0.02)
        axes.set_title(title + which)

    return draw_svg(2.2 + 0.33 * len(shown), draw)


def _write_counts(axes: 'Axes', counts: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = 'white' if shares[row, column] > 0.55 else DARK
            style = dict(ha='center', va='center', fontsize=9, color=color)
            axes.text(column, row, str(count), **style)


def _shown_classes(counts: np.ndarray, num_others: int) -> tuple[np.ndarray, str]:
    """The positions to draw, and words if some classes are left out."""
    num_classes = len(counts) - num_others
    either = counts.sum(axis=1) + counts.sum(axis=0)
    occurs, which = np.flatnonzero(either[:num_classes]), ''
    if len(occurs) > MOST_CLASSES:
        confused = counts[:num_classes, :num_classes].copy()
        np.fill_diagonal(confused, 0)
        total = (confused.sum(axis=0) + confused.sum(axis=1))[occurs]
        which = f' (the {MOST_CLASSES} most confused of {len(occurs)} classes)'
        occurs = np.sort(occurs[np.argsort(-total, kind='stable')[:MOST_CLASSES]])
    return np.append(occurs, np.arange(num_classes, len(counts))), which
