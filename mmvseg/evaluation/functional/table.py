"""Tables of evaluation results for the terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from terminaltables import AsciiTable

from mmvseg.errors import one_line

if TYPE_CHECKING:
    from .youtube_vis_ap import VideoAP

CLASS_COLUMNS = ('AP', 'AP50', 'AP75', 'AR1', 'AR10')


def percent_table(
    title: str, rows: Mapping[str, Mapping[str, float]], columns: Sequence[str]
) -> str:
    """A table of percentages.

    Args:
        title: shown in the frame.
        rows: fractions by column, by row; negative ones and NaN, which stand for 'undefined',
            become '-'.
        columns: which columns to show, in this order.

    Example:
        >>> print(percent_table('AP', {'cat': dict(AP=0.5)}, ['AP']))
        +AP---+------+
        |     | AP   |
        +-----+------+
        | cat | 50.0 |
        +-----+------+
    """
    cells = [['', *columns]]
    for name, values in rows.items():
        cells.append([one_line(name), *(_percent(values[column]) for column in columns)])
    return AsciiTable(cells, title).table


def _percent(value: float) -> str:
    return f'{100 * value:.1f}' if value >= 0 else '-'


def ap_tables(result: 'VideoAP') -> str:
    """The AP of each class and the summary, in percent, '-' where there is no ground truth."""
    per_category = result.per_category()
    classes = {name: per_category[i] for i, name in result.categories.items()}
    stats = result.stats()
    summary = {name: dict(all=value) for name, value in stats.items()}
    return '\n'.join(
        (
            percent_table('classes (%)', classes, CLASS_COLUMNS),
            percent_table('mean (%)', summary, ['all']),
        )
    )
