"""Files in the forms of COCO: opened once, their entries decoded when they are needed.

A file may have gigabytes. Its text stays in the memory, lists of it are cut into entries, and an
entry becomes a record when its video is read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from mmvseg.errors import UserError
from mmvseg.formats.json_files import Id, Number, Text, decode_entry, decode_json, json_in_utf8
from mmvseg.formats.problems import collect
from mmvseg.formats.rle import RunLengthCode

from .records import LabelClass
from .report import ImportReport
from .sources import SourceFile, nfc

T = TypeVar('T')

#: A mask as compressed runs, as runs or as polygons; None, or nothing of them, is none.
Segmentation = RunLengthCode | list[list[Number]] | None
#: What files of this family begin with, and the lists that they have.
_BEGINS = re.compile(
    rb'\s*\{\s*"(info|licenses|categories|videos|images|annotations|tracks|sequences|split'
    rb'|video_np_pairs)"\s*:'
)
_HAS = re.compile(rb'"(videos|images|sequences|categories)"\s*:\s*\[|"(image_id|video_id)"\s*:')
_HEAD = 2**16
LISTS = ('videos', 'images', 'annotations', 'categories', 'tracks', 'sequences', 'video_np_pairs')


class CategoryEntry(Struct):
    """An entry of ``categories``; LV-VIS has the ``partition`` of its open-vocabulary split."""

    id: Id
    name: Text
    supercategory: Text | None = None
    partition: Id | None = None


class Exhaustiveness(Struct):
    """Of which classes a video has no object, or not all of its objects annotated (TAO, BURST)."""

    neg_category_ids: list[Id] | None = None
    not_exhaustive_category_ids: list[Id] | None = None


@dataclass(eq=False)
class CocoFile:
    """A file of this family.

    Attributes:
        file: where it lies.
        lists: those that it has, by name, entries not yet decoded.
    """

    file: SourceFile
    lists: dict[str, list[Raw]]

    def __getitem__(self, name: str) -> list[Raw]:
        """A list; empty if there is none of this name."""
        return self.lists.get(name, [])

    def __contains__(self, name: str) -> bool:
        """Whether there is a list of this name."""
        return name in self.lists


def head(file: SourceFile) -> bytes:
    """The beginning of a text, without a byte order mark."""
    with file.open() as stream:
        return stream.read(_HEAD).removeprefix(b'\xef\xbb\xbf')


def looks_like_coco(file: SourceFile) -> bool:
    """Whether a json begins as files of this family do."""
    start = head(file)
    return _BEGINS.match(start) is not None and _HAS.search(start) is not None


def open_coco(file: SourceFile) -> CocoFile:
    """Read a file and cut its lists into entries.

    Raises:
        UserError: it cannot be read, is no json, or what should be a list is none.
    """
    data = json_in_utf8(file.read_bytes(), file)
    try:
        content = decode_json(data, file, dict[str, Raw])
    except msgspec.ValidationError as error:
        raise UserError(f'{file}: no file of COCO, which is an object with lists') from error
    lists = {}
    for name in LISTS:
        if name in content and bytes(content[name]) != b'null':
            try:
                lists[name] = msgspec.json.decode(content[name], type=list[Raw])
            except msgspec.DecodeError as error:
                raise UserError(f'{file}: {name} is no list') from error
    return CocoFile(file, lists)


def open_list(file: SourceFile, name: str) -> list[Raw]:
    """A list that is a file of its own, or the one of its name in a file.

    Raises:
        UserError: there is none.
    """
    data = json_in_utf8(file.read_bytes(), file)
    if data.lstrip()[:1] != b'[':
        return open_coco(file)[name]
    return decode_json(data, file, list[Raw])


def decoded(
    raw: Raw,
    kind: type[T],
    file: SourceFile,
    field: str,
    report: ImportReport,
    video: str | None = None,
) -> T | None:
    """An entry as a record; the report is told of what is not of its type, and None returned."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass  # what it is, is said below
    problems: list = []
    entry = collect(decode_entry(raw, kind, str(file), field), problems)
    for problem in problems:
        report.bad(file, f'{problem.place}: {problem.rule}', video=video)
    return entry


def read_categories(coco: CocoFile, report: ImportReport) -> dict[int, LabelClass]:
    """The classes of a file by its ids."""
    classes: dict[int, LabelClass] = {}
    names: set[str] = set()
    for position, raw in enumerate(coco['categories']):
        field = f'categories[{position}]'
        entry = decoded(raw, CategoryEntry, coco.file, field, report)
        if entry is None:
            continue
        name = nfc(entry.name)
        if entry.id in classes or name in names:
            report.bad(coco.file, f'{field}: the id {entry.id} or the name {name!r} is there twice')
            continue
        names.add(name)
        extra: dict[str, Any] = {}
        if entry.supercategory:
            extra['supercategory'] = entry.supercategory
        if entry.partition is not None:
            extra['partition'] = entry.partition
        classes[entry.id] = LabelClass(name, entry.id, extra)
    return classes


def merged_classes(tables: Sequence[dict[int, LabelClass]]) -> list[LabelClass]:
    """The classes of several files by name, in the order of the first that has them.

    They keep their ids if all files agree on these.
    """
    found: dict[str, LabelClass] = {}
    names: dict[int, str] = {}
    agree = True
    for table in tables:
        for id_, one in table.items():
            known = found.setdefault(one.name, one)
            agree &= known.id == id_ and names.setdefault(id_, one.name) == one.name
    return (
        list(found.values())
        if agree
        else [LabelClass(c.name, None, c.extra) for c in found.values()]
    )


def exhaustiveness(
    entry: Exhaustiveness,
    video: str,
    file: SourceFile,
    classes: dict[int, LabelClass],
    ids: dict[str, int],
    report: ImportReport,
) -> dict[str, list[int]]:
    """What a video says of classes, for its entry in the result.

    Args:
        entry: of the video.
        video: its name.
        file: that has it.
        classes: by the file's ids.
        ids: of the classes in the result, by name.
        report: is told of ids that no class has.
    """
    found: dict[str, list[int]] = {}
    for key in Exhaustiveness.__struct_fields__:
        for id_ in getattr(entry, key) or ():
            if id_ not in classes:
                report.bad(file, f'{key}: there is no category {id_}', video=video)
        if getattr(entry, key) is not None:
            known = [classes[id_] for id_ in getattr(entry, key) if id_ in classes]
            found[key] = [ids[one.name] for one in known]
    return found


def folder_of(name: str) -> str:
    """The folder of a file's name, empty if there is none."""
    parent = PurePosixPath(name.replace('\\', '/')).parent.as_posix()
    return '' if parent == '.' else parent.strip('/')
