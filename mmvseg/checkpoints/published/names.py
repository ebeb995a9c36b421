"""Tables that translate parameter names both ways."""

import re
from collections.abc import Iterable, Iterator

_PLACEHOLDER = re.compile(r'\{(\w+)\}')


class NameTable:
    """Pairs of templates for names, the published one and ours.

    In a template ``{rest}`` stands for the rest of the name and any other placeholder, such as
    ``{layer}``, for a number. Both templates of a pair have the same placeholders, so every pair
    translates both ways.

    Args:
        pairs: published template and ours; the first that fits a name counts.

    Example:
        >>> table = NameTable([('res2.{block}.conv1.{rest}', 'layer1.{block}.conv1.{rest}')])
        >>> table.to_ours('res2.0.conv1.weight')
        'layer1.0.conv1.weight'
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = tuple(pairs)
        self._to_ours = [(_pattern(theirs), ours) for theirs, ours in self.pairs]
        self._to_theirs = [(_pattern(ours), theirs) for theirs, ours in self.pairs]

    def to_ours(self, name: str) -> str | None:
        """Our name of a published one; None if the table has none."""
        return _translate(name, self._to_ours)

    def to_theirs(self, name: str) -> str | None:
        """The published name of one of ours; None if the table has none."""
        return _translate(name, self._to_theirs)


def numbered(theirs: str, ours: str, numbers: Iterable[tuple[int, int]]) -> Iterator[tuple]:
    """Pairs of templates whose numbers differ, one for each pair of numbers.

    Args:
        theirs: template with ``#`` where the number stands.
        ours: the same for our names.
        numbers: published number and ours.
    """
    for their_number, our_number in numbers:
        yield theirs.replace('#', str(their_number)), ours.replace('#', str(our_number))


def _pattern(template: str) -> re.Pattern:
    pieces = _PLACEHOLDER.split(template)  # text, placeholder, text, …
    for index, piece in enumerate(pieces):
        if index % 2:
            pieces[index] = f'(?P<{piece}>{".+" if piece == "rest" else "[0-9]+"})'
        else:
            pieces[index] = re.escape(piece)
    return re.compile(''.join(pieces))


def _translate(name: str, rules: Iterable[tuple[re.Pattern, str]]) -> str | None:
    for pattern, template in rules:
        if match := pattern.fullmatch(name):
            return template.format(**match.groupdict())
    return None
