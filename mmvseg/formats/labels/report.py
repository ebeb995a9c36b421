"""What an import has to say: what is broken, what is left out, what is worth knowing."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mmvseg.errors import UserError, one_line

from .sources import SourceFile

_ADVICE = ' (--skip-bad leaves out what is broken and goes on)'


class ImportReport:
    """Collects what is said of labels, or stops at what is broken.

    Args:
        skip_bad: whether to go on without what is broken.
        on_mask: called with each mask that is read, to show that something is going on.

    Attributes:
        left_out: a line for each broken thing that was left out.
        ignored: how many there were of what cannot become a mask, such as ``'polyline'``.
        notes: what is worth knowing, each once.
    """

    def __init__(
        self, skip_bad: bool = False, on_mask: Callable[[], object] = lambda: None
    ) -> None:
        self.skip_bad, self.on_mask = skip_bad, on_mask
        self.left_out: list[str] = []
        self.ignored: Counter[str] = Counter()
        self.notes: list[str] = []

    def bad(
        self,
        file: SourceFile | str,
        rule: str,
        *,
        video: str | None = None,
        track: str | int | None = None,
        frame: str | int | None = None,
    ) -> None:
        """Something is broken; the caller leaves it out if this returns.

        Args:
            file: where it stands.
            rule: what is wrong.
            video: name of the video.
            track: what the object is known by.
            frame: 0-based index or name.

        Raises:
            UserError: unless what is broken is left out.
        """
        self._tell(one_line(file), *_places(video, track, frame), rule)

    def _tell(self, *parts: str) -> None:
        line = ': '.join(parts)
        if not self.skip_bad:
            raise UserError(line + _ADVICE)
        self.left_out.append(line)

    @contextmanager
    def guard(
        self,
        *,
        video: str | None = None,
        track: str | int | None = None,
        frame: str | int | None = None,
    ) -> Iterator[None]:
        """Leave out what a block cannot read, which its error names with the file.

        Args:
            video: name of the video.
            track: what the object is known by.
            frame: 0-based index or name.

        Raises:
            UserError: unless what is broken is left out.
        """
        try:
            yield
        except UserError as error:
            # of an error that came from here, the advice is at its end already
            if not self.skip_bad and str(error).endswith(_ADVICE):
                raise
            self._tell(*_places(video, track, frame), str(error))

    def ignore(self, kind: str, count: int = 1) -> None:
        """Count what cannot become a mask, such as a point; ``kind`` in the singular."""
        self.ignored[kind] += count

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.notes:
            self.notes.append(text)


class LaterReport(ImportReport):
    """Keeps what is said of a video until it is its turn, where a file has several at once.

    Args:
        report: is told then.
    """

    def __init__(self, report: ImportReport) -> None:
        super().__init__(skip_bad=True, on_mask=report.on_mask)
        self._report = report
        self._bad: list[tuple[SourceFile | str, str, dict]] = []

    def bad(self, file: SourceFile | str, rule: str, **where: str | int | None) -> None:
        """See :class:`ImportReport`; never raises."""
        self._bad.append((file, rule, where))

    def tell(self) -> None:
        """Say all of it.

        Raises:
            UserError: something is broken, and must not be left out.
        """
        for file, rule, where in self._bad:
            self._report.bad(file, rule, **where)
        self._report.ignored.update(self.ignored)
        for note in self.notes:
            self._report.note(note)


def _places(video: str | None, track: str | int | None, frame: str | int | None) -> list[str]:
    """Where something is, in words; none or one text."""
    places = dict(video=video, track=track, frame=frame)
    where = [f'{name} {one_line(value)}' for name, value in places.items() if value is not None]
    return [', '.join(where)] if where else []
