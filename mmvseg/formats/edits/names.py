"""Classes and videos by the names that a user gives."""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence

from mmvseg.errors import UserError

from ..youtube_vis import Video
from .contents import Contents

#: Of the names that there are, the first so many are said.
_SHOWN = 10


def same_name(name: str) -> str:
    """A name in the form in which names are compared: one of the ways to write ``é``, NFC."""
    return unicodedata.normalize('NFC', name)


def check_class_names(names: Iterable[str], contents: Contents, option: str) -> None:
    """Make sure that a file has classes of such names.

    Raises:
        UserError: with the names that it does not have, and the closest that it has.
    """
    refuse_unknown(
        names,
        [entry.values.name for entry in contents.categories],
        f'{option}: {contents.file} has no class',
    )


def refuse_unknown(names: Iterable[str], known: Sequence[str], problem: str) -> None:
    """Raise an error if there are unknown names.

    Args:
        names: to be looked for.
        known: the names that there are.
        problem: what the message says before the unknown names.

    Raises:
        UserError: with the unknown names and the closest known ones.
    """
    listed = {same_name(name) for name in known}
    unknown = [name for name in dict.fromkeys(names) if same_name(name) not in listed]
    if not unknown:
        return
    by_lower = {name.lower(): name for name in known}
    close = dict.fromkeys(
        by_lower[found]
        for name in unknown[:_SHOWN]
        for found in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    )
    more = f' and {len(known) - _SHOWN} more' if len(known) > _SHOWN else ''
    there_are = f'there are {", ".join(known[:_SHOWN])}{more}'
    hint = f'close to it: {", ".join(close)}' if close else there_are
    raise UserError(f'{problem} {", ".join(map(repr, unknown))}; {hint}')


def video_ids(wanted: Sequence[str], contents: Contents, option: str) -> set[int]:
    """Ids of the videos that are named by their ids or names.

    Raises:
        UserError: with those that the file does not have, and the closest that it has.
    """
    videos = [entry.values for entry in contents.videos]
    known = [name for video in videos for name in _names(video)]
    refuse_unknown(wanted, known, f'{option}: {contents.file} has no video')
    names = {same_name(name) for name in wanted}
    return {video.id for video in videos if not names.isdisjoint(_names(video))}


def _names(video: Video) -> tuple[str, str]:
    return same_name(video.name), str(video.id)
