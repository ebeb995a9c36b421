"""Names of files: their order, and where they lead."""

import os
import re
from pathlib import Path

_VIDEO = re.compile(
    r'.*\.(3gp|asf|avi|flv|gif|m2ts|m4v|mkv|mov|mp4|mpe?g|mts|mxf|ogv|ts|vob|webm|wmv|y4m)',
    re.IGNORECASE | re.DOTALL,
)


def is_video_name(path: str | Path) -> bool:
    """Whether a file is a video by its name, and no hidden one.

    Example:
        >>> is_video_name('clips/street.MP4'), is_video_name('street.json')
        (True, False)
    """
    name = os.path.basename(path)
    return _VIDEO.fullmatch(name) is not None and not name.startswith('.')


def natural_key(path: str | Path) -> list[tuple[int, str]]:
    """Sort key that puts ``frame_2`` before ``frame_10``, and that no two names share.

    Numbers are of the digits 0 to 9: other signs that Unicode counts as digits, such as ``²``, are
    letters.
    """
    name = os.path.basename(path)
    parts = re.split(r'([0-9]+)', name)
    key = [(int(part), '') if i % 2 else (-1, part) for i, part in enumerate(parts)]
    return [*key, (-1, name)]


def links_out(path: str | Path, root: str | Path) -> bool:
    """Whether symbolic links below a folder lead from it to a file outside; it may be one itself.

    Links to it or above it are how a data set is put on another disk. What lies below came with the
    data set.
    """
    inside = os.path.realpath(root)
    return os.path.commonpath([inside, os.path.realpath(path)]) != inside


def leads_out(name: str) -> bool:
    """Whether a name, joined to a folder, may lead out of it: upwards, to a root or a drive."""
    parts = name.replace('\\', '/').split('/')
    return '..' in parts or not parts[0] or parts[0].endswith(':')
