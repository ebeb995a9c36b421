"""What is in a file to be edited: entries of which only the few fields are read that edits need."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from mmvseg.errors import counted
from mmvseg.files import file_errors, whole_file, write_chunks

from ..categories import CategoryEntry, parse_categories
from ..json_files import Id, decode_entry, decode_json, read_json_bytes
from ..problems import Findings, strictly
from ..youtube_vis import Content, Video, parse_videos, released_file, to_content

T = TypeVar('T', bound=Struct)


class ObjectIds(Struct, gc=False):
    """What edits read of an annotation."""

    id: int
    video_id: Id
    category_id: Id


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """An entry of a list, and what becomes of it.

    Attributes:
        raw: as it stands in its file.
        values: the fields that are read, as they are to be.
        changes: those of them that are not as in the file.
    """

    raw: Raw
    values: T
    changes: Mapping[str, Any] = field(default_factory=dict)

    def changed(self, **values: Any) -> 'Entry[T]':
        """The entry with other values of some fields; the others and all else stay."""
        new = {name: value for name, value in values.items() if getattr(self.values, name) != value}
        if not new:
            return self
        return Entry(self.raw, msgspec.structs.replace(self.values, **new), {**self.changes, **new})

    def encoded(self) -> bytes:
        """Its json: byte for byte that of the file where nothing was changed."""
        if not self.changes:
            return bytes(self.raw)
        fields = msgspec.json.decode(self.raw, type=dict[str, Raw])
        return msgspec.json.encode({**fields, **self.changes})


@dataclass(frozen=True)
class Contents:
    """A file in the form of YouTube-VIS.

    Attributes:
        file: its name, for messages.
        others: what stands in it beside the three lists, such as ``info``.
        categories: its classes, in class order.
        videos: in its order.
        objects: of its videos and classes, in its order; None if it has no list of them.
        notes: what is not taken over, one sentence each.
    """

    file: str
    others: Mapping[str, Raw]
    categories: Sequence[Entry[CategoryEntry]]
    videos: Sequence[Entry[Video]]
    objects: Sequence[Entry[ObjectIds]] | None
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        return ', '.join(
            (
                counted(len(self.videos), 'videos'),
                counted(len(self.objects or ()), 'objects'),
                counted(len(self.categories), 'classes'),
            )
        )


def read_contents(path: str | Path) -> Contents:
    """Read a file to edit it.

    Raises:
        UserError: naming the first fault of its form; masks, boxes and areas are not looked at.
    """
    path = released_file(path)
    data, file = read_json_bytes(path), str(path)
    content = to_content(data, file)
    lists = msgspec.structs.asdict(content)
    others = decode_json(data, file, dict[str, Raw])
    return strictly(_parse(content, {k: v for k, v in others.items() if k not in lists}, file))


def _parse(content: Content, others: Mapping[str, Raw], file: str) -> Findings[Contents]:
    yield from parse_categories(content.categories, file)
    categories = [
        Entry(raw, msgspec.json.decode(raw, type=CategoryEntry)) for raw in content.categories
    ]
    found = yield from parse_videos(content.videos, file)
    videos = [Entry(*pair) for pair in zip(content.videos, found.values(), strict=True)]
    objects, notes = None, []
    if content.annotations is not None:
        listed = yield from _parse_objects(content.annotations, file)
        class_ids = {category.values.id for category in categories}
        objects = [
            entry
            for entry in listed
            if entry.values.video_id in found and entry.values.category_id in class_ids
        ]
        if strays := len(listed) - len(objects):
            left_out = f'{counted(strays, "objects")} of videos or classes that it does not list'
            notes.append(f'{file}: {left_out}, left out')
    return Contents(file, others, categories, videos, objects, notes)


def _parse_objects(entries: Sequence[Raw], file: str) -> Findings[list[Entry[ObjectIds]]]:
    objects = []
    for position, raw in enumerate(entries):
        places = dict(video='video_id', annotation='id')
        ids = yield from decode_entry(raw, ObjectIds, file, f'annotations[{position}]', **places)
        if ids is not None:
            objects.append(Entry(raw, ids))
    return objects


def class_counts(contents: Contents) -> dict[int, dict[int, int]]:
    """How many objects of which class (by id) each video (by id) has."""
    counts: dict[int, Counter[int]] = {entry.values.id: Counter() for entry in contents.videos}
    for entry in contents.objects or ():
        counts[entry.values.video_id][entry.values.category_id] += 1
    return counts


def write_contents(outputs: Mapping[Path, Contents]) -> None:
    """Write files of contents, all of them or none.

    Raises:
        UserError: one of them cannot be written.
    """
    with ExitStack() as parts:
        for path, contents in outputs.items():
            with file_errors(path), open(parts.enter_context(whole_file(path)), 'wb') as file:
                write_chunks(file, _chunks(contents))


def _chunks(contents: Contents) -> Iterator[bytes]:
    """The json of contents, in small parts."""
    lists = dict(
        videos=contents.videos, categories=contents.categories, annotations=contents.objects
    )
    yield b'{'
    for key, value in contents.others.items():
        yield msgspec.json.encode(key) + b':'
        yield bytes(value)
        yield b',\n'
    for position, (key, entries) in enumerate(lists.items()):
        yield b',\n' if position else b''
        yield msgspec.json.encode(key) + (b':null' if entries is None else b':[\n')
        for number, entry in enumerate(entries or ()):
            yield b',\n' if number else b''
            yield entry.encoded()
        yield b'' if entries is None else b'\n]'
    yield b'}\n'
