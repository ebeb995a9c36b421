"""Tasks of Label Studio: which picture or video each is of, and which annotation counts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Raw, Struct

from mmvseg.errors import UserError, counted
from mmvseg.formats.json_files import Flag, Text, decode_json, read_json_bytes
from mmvseg.media.images import IMAGE_SUFFIXES
from mmvseg.media.names import is_video_name

from .json_entries import listed, typed
from .report import ImportReport
from .sources import SourceFile, nfc

_LOCAL = re.compile(r'.*/local-files/?\?d=(.*)', re.DOTALL)
_UPLOAD = re.compile(r'(?:.*/)?upload/([0-9]+)/(?:[0-9a-f]{8}-)?([^/]+)', re.DOTALL)
_SCHEME = re.compile(r'[a-z][a-z0-9+.-]+://', re.IGNORECASE)
#: Names of the field that has the address, where there are several.
_USUAL = ('image', 'video', 'img')


class _Task(Struct):
    data: Raw = Raw(b'null')
    id: int | Text | None = None
    annotations: Raw = Raw(b'')
    annotation_id: Raw = Raw(b'')


class _Annotation(Struct):
    result: Raw = Raw(b'null')
    was_cancelled: Flag | None = None
    ground_truth: Flag | None = None


@dataclass
class Task:
    """A picture or a video that somebody looked at.

    Attributes:
        file: the export.
        name: of the task, for messages.
        folder: parts of the path to the folder of the picture or video.
        base: name of the picture or video.
        project: number of the project, of a file that was uploaded and so lost its folder.
        results: the list of regions; None if nobody finished the task.
    """

    file: SourceFile
    name: str
    folder: tuple[str, ...]
    base: str
    project: str | None = None
    results: Raw | None = None

    @property
    def is_video(self) -> bool:
        """Whether it is of a video."""
        return is_video_name(self.base)


def read_tasks(file: SourceFile, report: ImportReport) -> Iterator[Task]:
    """The tasks of an export, which is held as text.

    Raises:
        UserError: it is of another form, or a task is broken.
    """
    several = unfinished = 0
    for number, raw in enumerate(listed(Raw(read_json_bytes(file)), file, 'tasks')):
        with report.guard():
            entry = typed(raw, _Task, file, f'[{number}]')
            if not bytes(entry.annotations):
                _refuse(entry, file, number)
            name = f'task {number + 1 if entry.id is None else entry.id}'
            task = _placed(decode_json(bytes(entry.data), file), file, name)
            field = f'{name}: annotations'
            given = [
                typed(annotation, _Annotation, file, field)
                for annotation in listed(entry.annotations, file, field)
            ]
            valid = [annotation for annotation in given if not annotation.was_cancelled]
            best = [annotation for annotation in valid if annotation.ground_truth] or valid
            task.results = best[0].result if best else None
            several += len(valid) > 1
            unfinished += not valid
            yield task
    if several:
        report.note(
            f'{file}: {counted(several, "tasks")} with several annotations: the one that is marked '
            'as ground truth is taken, else the first'
        )
    if unfinished:
        report.note(
            f'{file}: {counted(unfinished, "tasks")} without an annotation that counts (none, or '
            'skipped): frames without objects'
        )


def _refuse(entry: _Task, file: SourceFile, number: int) -> None:
    if bytes(entry.annotation_id):
        raise UserError(
            f'{file}: an export of the kind JSON-MIN, which does not say which label belongs to '
            'which region; export as JSON'
        )
    raise UserError(f'{file}: [{number}]: no task of Label Studio (no annotations); export as JSON')


def _placed(data: Any, file: SourceFile, name: str) -> Task:
    """A task by the address of its picture or video."""
    found: dict[str, Task] = {}
    for key, value in data.items() if isinstance(data, dict) else ():
        if isinstance(value, str) and (task := _of_address(value, file, name)) is not None:
            found[key] = task
    usual = [key for key in _USUAL if key in found]
    if len(found) > 1 and usual:
        return found[usual[0]]
    if len(found) != 1:
        what = f'several addresses ({", ".join(found)})' if found else 'no address'
        raise UserError(f'{file}: {name}: its data has {what} of a picture or video')
    return next(iter(found.values()))


def _of_address(address: str, file: SourceFile, name: str) -> Task | None:
    """A task by its address; None if it leads to no picture or video."""
    project, path = None, address.replace('\\', '/')
    if local := _LOCAL.fullmatch(path):
        path = unquote(local[1])
    else:
        path = unquote(urlsplit(path).path if _SCHEME.match(path) else path.partition('?')[0])
        if upload := _UPLOAD.fullmatch(path):
            project, path = upload[1], upload[2]
    *folder, base = [p for p in nfc(path).replace('\\', '/').split('/') if p not in ('', '.', '..')]
    if not is_video_name(base) and PurePosixPath(base).suffix.lower() not in IMAGE_SUFFIXES:
        return None
    return Task(file, name, tuple(folder), base, project)
