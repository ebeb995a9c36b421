"""What an evaluation has to say."""

from typing import Any, NamedTuple


class Scores(NamedTuple):
    """The scores of some results.

    Attributes:
        numbers: by name; NaN, of AP -1, where a number is undefined.
        tables: for people.
        notes: what is undefined or was left out, and why.
    """

    numbers: dict[str, Any]
    tables: str
    notes: list[str]
