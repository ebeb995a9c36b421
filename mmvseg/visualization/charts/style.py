"""What all charts have in common: size, colours, type, and how they become SVG."""

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from mmvseg.errors import UserError, one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colours that people with any kind of colour vision tell apart (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN, PURPLE = '#0072B2', '#E69F00', '#009E73', '#CC79A7'
GREY, LIGHT_GREY, DARK = '#7F7F7F', '#D9D9D9', '#333333'
#: Inches; an inch of SVG is 96 pixels of a browser.
WIDTH = 8.3
#: Longer names would take the room of what they name.
_LONGEST_NAME = 24
_STYLE = {
    'svg.hashsalt': 'mmvseg',  # else the ids in the file differ from run to run
    'svg.fonttype': 'none',
    'font.family': 'sans-serif',
    'font.size': 10.5,
    'text.parse_math': False,  # names of classes may hold dollars
    'axes.unicode_minus': True,
    'text.color': DARK,
    'axes.labelcolor': DARK,
    'xtick.color': DARK,
    'ytick.color': DARK,
    'axes.edgecolor': GREY,
    'axes.titlesize': 11.5,
    'axes.titlelocation': 'left',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.axisbelow': True,
    'grid.color': LIGHT_GREY,
    'grid.linewidth': 0.7,
    'legend.frameon': False,
}


def draw_svg(height: float, draw: Callable[['Figure'], Any]) -> bytes:
    """Draw a chart.

    Args:
        height: in inches; the width is :data:`WIDTH`.
        draw: draws on a figure.

    Returns:
        The SVG file.

    Raises:
        UserError: there is no matplotlib.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError(
            f'pictures need matplotlib ({error}): pip install matplotlib, or leave out --out'
        ) from error
    with rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH, height), layout='constrained')
        FigureCanvasSVG(figure)
        draw(figure)
        layout = figure.get_layout_engine()
        layout.set(w_pad=0.1, h_pad=0.1)
        layout.execute(figure)
        figure.set_layout_engine('none')  # else saving lays out once more, which takes longest
        file = BytesIO()
        figure.savefig(file, format='svg', metadata=dict(Date=None, Creator=None))
    return file.getvalue()


def label(name: object) -> str:
    """A name from a file as a label."""
    text = one_line(name)
    return text if len(text) <= _LONGEST_NAME else f'{text[: _LONGEST_NAME - 1]}…'


def horizontal_grid(axes: 'Axes') -> None:
    """Lines at the ticks of the y axis."""
    axes.grid(axis='y')
    axes.tick_params(length=0)


def vertical_grid(axes: 'Axes') -> None:
    """Lines at the ticks of the x axis."""
    axes.grid(axis='x')
    axes.tick_params(length=0)
