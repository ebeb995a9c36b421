"""Names of folders and frames in a data set: those of the labels, as any file system takes them."""

import re

#: What Windows does not take, and what steers a terminal.
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')


class FolderNames:
    """A folder for each video, by its name; equal names get a number.

    Example:
        >>> folders = FolderNames()
        >>> [folders.take(name) for name in ('day/street', 'street', 'Street', '../x', '')]
        ['day/street', 'street', 'Street_2', 'x', 'video']
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """The folder of a video, with ``/`` between its parts."""
        parts = [safe_name(part) for part in name.replace('\\', '/').split('/')]
        base = '/'.join(filter(None, parts)) or 'video'
        # some file systems do not tell a from A
        folder, number = base, 1
        while folder.casefold() in self._taken:
            number += 1
            folder = f'{base}_{number}'
        self._taken.add(folder.casefold())
        return folder


def safe_name(name: str) -> str:
    """A name of a file or folder without what leads elsewhere; empty if nothing is left."""
    return _FORBIDDEN.sub('_', name).strip(' ').rstrip('.').strip(' ')
