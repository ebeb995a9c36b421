"""Names of the files of pages: harmless in paths, links and on any file system."""

import re
from collections.abc import Iterable

_MAX_LENGTH = 60
#: File names that Windows keeps for devices.
_DEVICES = re.compile(r'(con|prn|aux|nul|com\d|lpt\d)$', re.IGNORECASE)


def page_names(names: Iterable[str]) -> list[str]:
    """A file name without suffix for each video: letters, digits, ``_`` and ``-``, each name once.

    Args:
        names: of the videos, of any characters.

    Example:
        >>> page_names(['day/street', 'day street', '<b>', '../x', ''])
        ['day-street', 'day-street_2', 'b', 'x', 'video']
    """
    chosen: list[str] = []
    taken: set[str] = set()
    for given in names:
        base = re.sub(r'[^A-Za-z0-9_]+', '-', given)[:_MAX_LENGTH].strip('-') or 'video'
        if _DEVICES.match(base):
            base = f'video-{base}'
        # some file systems do not tell a from A
        name, number = base, 1
        while name.casefold() in taken:
            number += 1
            name = f'{base}_{number}'
        taken.add(name.casefold())
        chosen.append(name)
    return chosen
