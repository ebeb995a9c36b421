"""A legend of classes: a strip of constant size with a swatch and a name for each."""

from collections.abc import Iterable, Sequence

import numpy as np

from .contact_sheet import BACKGROUND, FAINT_INK, INK
from .text import paste_text, render_text

Color = tuple[int, int, int]

MAX_ROWS = 4
#: How much colour is left of a class that the frame lacks.
_FADED = 0.25
#: The share of names that columns are wide enough for where there is no room for all whole names.
_FITTING = 0.9


class Legend:
    """Lists classes in columns; those that a frame lacks are printed faintly at their place.

    Args:
        classes: class names by class index.
        palette: RGB by class index.
        width: of the strip, in pixels.
        text_size: height of the names in pixels.
        listed: the classes to list, most important first. None for a list that grows with the
            frames: a class keeps the place that it got when it was first seen.

    Example:
        >>> legend = Legend(['sky', 'sea'], [(0, 90, 200), (0, 60, 90)], 320, 12, listed=[1, 0])
        >>> legend.draw([0]).shape == (legend.height, 320, 3)
        True
    """

    def __init__(
        self,
        classes: Sequence[str],
        palette: Sequence[Color],
        width: int,
        text_size: int,
        listed: Iterable[int] | None = None,
    ) -> None:
        self._classes, self._palette = classes, palette
        self._width, self._text_size = width, text_size
        self._growing = listed is None
        self._listed = list(listed or ())
        self._swatch = render_text('X', text_size).shape[0]
        self._gap = max(2, text_size // 3)
        # A list that grows has the room from the start.
        expected = range(len(classes)) if self._growing else self._listed
        widths = sorted(self._name(label).shape[1] for label in expected) or [width]
        self._lay_out(widths[-1], len(expected))
        if self._rows * self._columns < len(expected):
            self._lay_out(widths[round(_FITTING * (len(widths) - 1))], len(expected))

    def _lay_out(self, name_width: int, count: int) -> None:
        # An entry is the swatch, half a gap, the name and a gap, with some room to the next.
        width = self._width - self._gap
        self._columns = max(1, width // (self._swatch + name_width + 4 * self._gap))
        self._column = width // self._columns
        self._rows = max(1, min(-(-count // self._columns), MAX_ROWS))

    @property
    def height(self) -> int:
        """Of the strip, in pixels."""
        return self._gap + self._rows * (self._swatch + self._gap)

    def draw(self, visible: Sequence[int]) -> np.ndarray:
        """The strip of a frame.

        Args:
            visible: the classes in the frame, most important first.

        Returns:
            RGB uint8, (height, width, 3).
        """
        if self._growing:
            self._listed += [label for label in visible if label not in self._listed]
        strip = np.full((self.height, self._width, 3), BACKGROUND, np.uint8)
        room = self._rows * self._columns
        fits = len(self._listed) <= room
        shown = self._listed if fits else self._listed[: room - 1]
        for place, label in enumerate(shown):
            self._write_class(self._cell(strip, place), label, faint=label not in visible)
        if not fits:
            more = f'+ {len(self._listed) - len(shown)} more'
            paste_text(self._cell(strip, room - 1), self._text(more), 0, 0, INK)
        return strip

    def _cell(self, strip: np.ndarray, place: int) -> np.ndarray:
        row, column = divmod(place, self._columns)
        y = self._gap + row * (self._swatch + self._gap)
        x = self._gap + column * self._column
        return strip[y : y + self._swatch, x : x + self._column - self._gap]

    def _write_class(self, cell: np.ndarray, label: int, *, faint: bool) -> None:
        color = np.array(self._palette[label], float)
        if faint:
            color = BACKGROUND + _FADED * (color - BACKGROUND)
        cell[:, : self._swatch] = color.round()
        left = self._swatch + self._gap // 2
        name = self._name(label)
        ink = FAINT_INK if faint else INK
        if name.shape[1] > cell.shape[1] - left:
            ellipsis = self._text('…')
            end = max(0, cell.shape[1] - left - ellipsis.shape[1])
            name = np.concatenate([name[:, :end], ellipsis], axis=1)
        paste_text(cell, name, left, 0, ink)

    def _name(self, label: int) -> np.ndarray:
        return self._text(self._classes[label])

    def _text(self, text: str) -> np.ndarray:
        return render_text(text, self._text_size)
