"""What tells the names of one published code base from those of others."""

import re
from dataclasses import dataclass
from typing import Literal

from .parts import Part

NO_NAME = re.compile('(?!)')


@dataclass(frozen=True)
class Layout:
    """Names of one published code base.

    Attributes:
        name: what it is called in notes.
        parts: published prefix, our prefix and the part between them; the first fitting prefix
            counts.
        marks: names that are all in every checkpoint of this layout, and in those of no other
            layout that comes later in :data:`SOURCES`.
        our_marks: the same of our names; empty if they do not tell.
        unused: names that no model here needs, such as those of an ImageNet classifier.
        noted: those of them whose values are noted for the way back.
        wrapper: key under which the code base expects the weights in a file; None: none.
        encoder: what files hold of the backbone: all of it (``whole``), what was added to its
            weights before training (``difference``), or nothing (``absent``).
        terms: of all weights in this layout, whatever else they are under.
    """

    name: str
    parts: tuple[tuple[str, str, Part], ...]
    marks: tuple[str, ...]
    our_marks: tuple[str, ...]
    unused: re.Pattern = NO_NAME
    noted: re.Pattern = NO_NAME
    wrapper: str | None = 'model'
    encoder: Literal['whole', 'difference', 'absent'] = 'whole'
    terms: str = ''

    @property
    def has_our_names(self) -> bool:
        """Whether nothing has to be converted."""
        return all(theirs == ours and part.is_same for theirs, ours, part in self.parts)
