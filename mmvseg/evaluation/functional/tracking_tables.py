"""Tables of tracking for the terminal: fractions in percent, events as counts."""

from collections.abc import Mapping

from terminaltables import AsciiTable

from mmvseg.errors import one_line

from .tracking_numbers import CLASS_MEAN, CLASS_SUM, Numbers, Tracking, mean_of_classes

#: Measure and field of each column.
FRACTIONS = dict(
    HOTA=('mean_over_alpha', 'HOTA'),
    DetA=('mean_over_alpha', 'DetA'),
    AssA=('mean_over_alpha', 'AssA'),
    LocA=('mean_over_alpha', 'LocA'),
    MOTA=('CLEAR', 'MOTA'),
    IDF1=('Identity', 'IDF1'),
)
COUNTS = dict(IDSW=('CLEAR', 'IDSW'), Frag=('CLEAR', 'Frag'))


def tracking_tables(result: Tracking) -> str:
    """The numbers of the classes that occur, and of all classes together.

    TrackEval's mean of the classes counts those that occur nowhere as 0. Where there are any, the
    mean of the others is shown, too.
    """
    overall = result.overall()
    occurring = {
        name: overall[name] for i, name in result.categories.items() if result.of_category(i).occurs
    }
    together = {name: overall[name] for name in (CLASS_MEAN, CLASS_SUM)}
    if 0 < len(occurring) < len(result.categories):
        name = f'mean of the {len(occurring)} of {len(result.categories)} classes that occur'
        together[name] = mean_of_classes([*occurring.values()])
    return '\n'.join((_table('classes (%)', occurring), _table('all classes (%)', together)))


def _table(title: str, rows: Mapping[str, Numbers]) -> str:
    cells = [['', *FRACTIONS, *COUNTS]]
    for name, numbers in rows.items():
        fractions = [f'{100 * numbers[measure][key]:.1f}' for measure, key in FRACTIONS.values()]
        counts = [str(numbers[measure][key]) for measure, key in COUNTS.values()]
        cells.append([one_line(name), *fractions, *counts])
    return AsciiTable(cells, title).table
