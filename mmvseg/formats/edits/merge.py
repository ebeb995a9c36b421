"""Several files made one."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from posixpath import join

from msgspec import Raw

from mmvseg.errors import UserError

from ..categories import CategoryEntry
from ..youtube_vis import Video
from .classes import with_classes
from .contents import Contents, Entry
from .names import same_name

#: Of new ids, the first so many are said.
_SHOWN = 5


def merge(files: Sequence[Contents], folders: Sequence[str] | None = None) -> Contents:
    """Put files together, in their order.

    Classes are one if they have one name, however its letters are written in Unicode; the first
    entry stands for all. Ids of classes stay, but of two classes with one id the second gets a free
    one. Ids of videos stay if no two files share one, else all videos are numbered from 1; and so
    are those of objects.

    Args:
        files: their contents.
        folders: what to put before the names of each file's frames; None for nothing.

    Returns:
        The contents, with notes of what is not as in the files.

    Raises:
        UserError: two files have a frame of the same name.
    """
    if folders is not None:
        files = [_below(*pair) for pair in zip(files, folders, strict=True)]
    _refuse_equal_frames(files)
    notes = [note for contents in files for note in _notes(contents)]
    categories, of_classes = _merge_classes(files, notes)
    files = [
        with_classes(dataclasses.replace(contents, objects=contents.objects or ()), new_ids)
        for contents, new_ids in zip(files, of_classes, strict=True)
    ]
    if _share_ids([contents.videos for contents in files]):
        notes.append('the files share ids of videos: all videos are numbered from 1')
        files = _number_videos(files)
    objects = [entry for contents in files for entry in contents.objects]
    if _share_ids([contents.objects for contents in files]):
        notes.append('the files share ids of objects: all objects are numbered from 1')
        objects = [entry.changed(id=number) for number, entry in enumerate(objects, 1)]
    return Contents(
        file=files[0].file,
        others=_merge_others(files, notes),
        categories=categories,
        videos=[entry for contents in files for entry in contents.videos],
        objects=objects,
        notes=notes,
    )


def _below(contents: Contents, folder: str) -> Contents:
    """A file whose frames lie in a folder; absolute names of frames stay."""
    videos = [
        entry.changed(file_names=[join(folder, name) for name in entry.values.file_names])
        for entry in contents.videos
    ]
    return dataclasses.replace(contents, videos=videos)


def _refuse_equal_frames(files: Sequence[Contents]) -> None:
    owners: dict[str, tuple[Contents, Video]] = {}
    for contents in files:
        for entry in contents.videos:
            for name in entry.values.file_names:
                other, video = owners.setdefault(name, (contents, entry.values))
                if other is not contents:
                    raise UserError(
                        f'{contents.file}: video {entry.values.id} has the frame {name}, and so '
                        f'has video {video.id} of {other.file}. If these are different pictures, '
                        'give the folder of the frames of each file: --frames DIR DIR; else leave '
                        'the video out of one file: mmvseg data subset --drop-videos'
                    )


def _notes(contents: Contents) -> Iterator[str]:
    yield from contents.notes
    if not contents.objects:
        yield f'{contents.file}: it has no annotations; its videos count as videos without objects'


def _merge_classes(
    files: Sequence[Contents], notes: list[str]
) -> tuple[list[Entry[CategoryEntry]], list[dict[int, int]]]:
    """The classes of all files, and for each file the new ids of its classes by the old ones."""
    listed = {entry.values.id for contents in files for entry in contents.categories}
    free = (number for number in count(1) if number not in listed)
    merged: dict[str, Entry[CategoryEntry]] = {}
    of_files = []
    for contents in files:
        taken = {entry.values.id for entry in merged.values()}
        new_ids, changes = {}, []
        for entry in contents.categories:
            old, key = entry.values.id, same_name(entry.values.name)
            if key not in merged:
                merged[key] = entry.changed(id=next(free)) if old in taken else entry
            new_ids[old] = merged[key].values.id
            if new_ids[old] != old:
                changes.append(f'{entry.values.name} {old} -> {new_ids[old]}')
        if changes:
            more = f' and {len(changes) - _SHOWN} more' if len(changes) > _SHOWN else ''
            shown = ', '.join(changes[:_SHOWN])
            notes.append(f'{contents.file}: classes get other ids: {shown}{more}')
        of_files.append(new_ids)
    notes += _look_alikes(entry.values.name for entry in merged.values())
    return [*merged.values()], of_files


def _look_alikes(names: Iterable[str]) -> Iterator[str]:
    """A note for each pair of classes that are hardly meant to be two."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(re.sub(r'[\s_-]+', ' ', name.strip().casefold()), name)
        if other != name:
            yield f'{other!r} and {name!r} are two classes; mmvseg data remap makes them one'


def _share_ids(files: Sequence[Sequence[Entry]]) -> bool:
    """Whether an id is in more than one file."""
    ids = [{entry.values.id for entry in entries} for entries in files]
    return len(set().union(*ids)) < sum(map(len, ids))


def _number_videos(files: Sequence[Contents]) -> list[Contents]:
    numbers, numbered = count(1), []
    for contents in files:
        new_ids = {entry.values.id: next(numbers) for entry in contents.videos}
        videos = [entry.changed(id=new_ids[entry.values.id]) for entry in contents.videos]
        objects = [
            entry.changed(video_id=new_ids[entry.values.video_id]) for entry in contents.objects
        ]
        numbered.append(dataclasses.replace(contents, videos=videos, objects=objects))
    return numbered


def _merge_others(files: Sequence[Contents], notes: list[str]) -> dict[str, Raw]:
    """What stands beside the lists, of several files the first's."""
    others: dict[str, Raw] = {}
    for contents in files:
        for key, value in contents.others.items():
            if bytes(others.setdefault(key, value)) != bytes(value):
                notes.append(
                    f'{contents.file}: its {key!r} is left out, that of another file stays'
                )
    return others
