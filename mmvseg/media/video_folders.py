"""Folders that hold videos rather than the frames of one."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mmvseg.files import file_errors

from .frame_files import is_visible_picture
from .names import is_video_name, natural_key


def each_video(sources: str | Path | Iterable[Any]) -> Iterator[Any]:
    """The videos that a user names, one at a time.

    Args:
        sources: several of what the Python interface takes as a video, or a folder. A folder that
            holds pictures is a video, its frames; in any other the video files and the folders of
            frames are videos, in natural order.

    Returns:
        A generator of paths, and of all that is no folder of videos as it was given.

    Raises:
        UserError: if a folder cannot be read.

    Example:
        >>> [str(video) for video in each_video('shapes/val/JPEGImages')]
        ['shapes/val/JPEGImages/shapes_00000', 'shapes/val/JPEGImages/shapes_00001']
    """
    for source in [sources] if isinstance(sources, str | Path) else sources:
        if isinstance(source, str | Path) and os.path.isdir(source):
            yield from _videos_of(source)
        else:
            yield source


def _videos_of(folder: str | Path) -> list[str | Path]:
    paths = sorted((Path(folder, name) for name in _names(folder)), key=natural_key)
    if any(is_visible_picture(path) and not path.is_dir() for path in paths):
        return [folder]
    # a folder without any is the error of whoever opens it
    return [path for path in paths if _is_video(path)] or [folder]


def _is_video(path: Path) -> bool:
    if not path.is_dir():
        return is_video_name(path)
    hidden = path.name.startswith('.')
    return not hidden and any(is_visible_picture(Path(path, name)) for name in _names(path))


def _names(folder: str | Path) -> list[str]:
    with file_errors(Path(folder)):
        return os.listdir(folder)
