"""Where labels come from: a folder, an archive or a single file, looked through in the same way."""

import hashlib
import os
import shutil
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from posixpath import splitext
from typing import IO

from mmvseg.errors import UserError
from mmvseg.files import file_errors
from mmvseg.media.images import IMAGE_SUFFIXES
from mmvseg.media.names import is_video_name, leads_out, natural_key

#: What systems leave behind in folders and archives.
_LITTER = ('__MACOSX', 'Thumbs.db', 'desktop.ini')
_OTHER_ARCHIVES = ('.tar', '.gz', '.tgz', '.bz2', '.xz', '.7z', '.rar')


def nfc(text: str) -> str:
    """A name in the form of Unicode in which names are compared: composed."""
    return unicodedata.normalize('NFC', text)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a source.

    Attributes:
        name: path within the source, with ``/``, in NFC.
        path: the file on the disk; of an archive's member, the archive.
        member: name within the archive; None for a file of its own.
    """

    name: str
    path: Path
    member: str | None = None

    def __str__(self) -> str:
        """What messages call it."""
        return str(self.path) if self.member is None else f'{self.path}/{self.member}'

    @property
    def folder(self) -> str:
        """Name of its folder within the source, empty at the top."""
        return self.name.rpartition('/')[0]

    @property
    def base(self) -> str:
        """Its name without the folder."""
        return self.name.rpartition('/')[2]

    @property
    def stem(self) -> str:
        """Its name without folder and suffix."""
        return splitext(self.base)[0]

    @property
    def suffix(self) -> str:
        """Its suffix in small letters, with the dot."""
        return splitext(self.base)[1].lower()

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture by its name."""
        return self.suffix in IMAGE_SUFFIXES

    @property
    def is_video(self) -> bool:
        """Whether it is a video by its name."""
        return is_video_name(self.base)

    @property
    def size(self) -> int:
        """Bytes of its content."""
        with file_errors(self.path):
            if self.member is None:
                return self.path.stat().st_size
            return _archive(self.path).getinfo(self.member).file_size

    def open(self) -> IO[bytes]:
        """Its content as a stream.

        Raises:
            UserError: it cannot be read.
        """
        try:
            if self.member is None:
                if not self.path.is_file():  # a pipe or a device may never end
                    raise UserError(f'{self}: cannot be read (no such file, a folder or a device)')
                return self.path.open('rb')
            return _archive(self.path).open(self.member)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            # RuntimeError: encrypted; NotImplementedError: an odd compression
            raise UserError(f'{self}: cannot be read ({error}); check the file') from error

    def read_bytes(self) -> bytes:
        """Its content.

        Raises:
            UserError: it cannot be read.
        """
        with self.open() as stream:
            try:
                return stream.read()
            except (OSError, zipfile.BadZipFile, EOFError) as error:
                raise UserError(f'{self}: cannot be read ({error}); check the file') from error

    def copy_to(self, path: Path) -> None:
        """Write its content to a file.

        Raises:
            UserError: it cannot be read.
            OSError: the file cannot be written.
        """
        with self.open() as stream, path.open('wb') as copy:
            try:
                shutil.copyfileobj(stream, copy)
            except (zipfile.BadZipFile, EOFError) as error:
                raise UserError(f'{self}: cannot be read ({error}); check the file') from error


class Source:
    """The files of a folder, of an archive or of a single file, by name.

    An archive within a folder is like a folder of the name without ``.zip``: tools write one
    archive a task.

    Args:
        path: folder, zip archive or file.

    Attributes:
        path: as given.
        files: all files by name, in natural order, without hidden ones.

    Raises:
        UserError: there is no such file, an archive is damaged or would write outside of its
            folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        found: list[SourceFile] = []
        if self.path.is_dir():
            found += _folder_files(self.path)
        elif not self.path.exists():
            raise UserError(f'{path}: no such file or folder; check the path')
        elif zipfile.is_zipfile(self.path):
            found += _archive_files(self.path, '')
            if found and all(file.suffix == '.zip' for file in found):
                raise UserError(f'{path}: has archives in it; unpack it and give the folder')
        elif self.path.name.lower().endswith(_OTHER_ARCHIVES):
            raise UserError(f'{path}: of archives only zip is read; unpack it and give the folder')
        else:
            found.append(SourceFile(nfc(self.path.name), self.path))
        key = cache(natural_key)  # many files share a folder, and many folders a file's name
        found.sort(key=lambda file: [key(part) for part in file.name.split('/')])
        self.files = {file.name: file for file in found}

    @property
    def name(self) -> str:
        """What it is called, the name of its folder, or of its file without the suffix."""
        path = self.path.resolve()
        return nfc(path.name if path.is_dir() else path.stem)

    def version(self, out: Path) -> str:
        """A digest of the names, sizes and dates of the files on the disk.

        Args:
            out: folder whose files do not count, since they are being written.
        """
        digest, root = hashlib.sha256(), out.resolve()
        for path in sorted({file.path for file in self.files.values()}):
            if root not in path.resolve().parents:
                with file_errors(path):
                    status = path.stat()
                digest.update(f'{path}\0{status.st_size}\0{status.st_mtime_ns}\0'.encode())
        return digest.hexdigest()

    def get(self, *parts: str) -> SourceFile | None:
        """The file of a name, whose parts are joined; None if there is none.

        Names of labels may have Windows separators, ``.`` and ``..``: what leads out of the source
        is not found.
        """
        kept: list[str] = []
        for part in '/'.join(parts).replace('\\', '/').split('/'):
            if part == '..':
                if not kept:
                    return None
                kept.pop()
            elif part not in ('', '.'):
                kept.append(part)
        return self.files.get(nfc('/'.join(kept)))

    def within(self, folder: str) -> Iterator[SourceFile]:
        """The files below a folder, in natural order; of the whole source if it is empty."""
        start, stop = self._spans.get(folder, (0, 0))
        return iter(self._sorted[start:stop])

    def of(self, *suffixes: str) -> list[SourceFile]:
        """The files with one of these suffixes, given in small letters."""
        return [file for file in self.files.values() if file.suffix in suffixes]

    def called(self, base: str) -> list[SourceFile]:
        """The files of this name in any folder."""
        return [file for file in self.files.values() if file.base == base]

    def pictures(self, folder: str) -> list[SourceFile]:
        """The pictures that lie in a folder itself, in natural order."""
        return list(self._pictures.get(folder, ()))

    def picture_folders(self) -> dict[str, list[SourceFile]]:
        """The pictures of each folder that has some, in natural order."""
        return self._pictures

    @cached_property
    def _pictures(self) -> dict[str, list[SourceFile]]:
        folders: dict[str, list[SourceFile]] = {}
        for file in self.files.values():
            if file.is_picture:
                folders.setdefault(file.folder, []).append(file)
        return folders

    @cached_property
    def _sorted(self) -> list[SourceFile]:
        return list(self.files.values())

    @cached_property
    def _spans(self) -> dict[str, tuple[int, int]]:
        """Where the files below each folder stand: in natural order they are neighbours."""
        spans = {'': (0, len(self.files))}
        for place, name in enumerate(self.files):
            folder = name
            while folder := folder.rpartition('/')[0]:
                spans[folder] = spans.get(folder, (place,))[0], place + 1
        return spans


def _folder_files(root: Path) -> Iterator[SourceFile]:
    seen: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # links in a circle
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not _is_litter(name)]
        below = Path(folder).relative_to(root).as_posix()
        start = '' if below == '.' else f'{below}/'
        for name in filter(lambda name: not _is_litter(name), names):
            path = Path(folder, name)
            relative = nfc(start + name)
            if name.lower().endswith('.zip') and zipfile.is_zipfile(path):
                yield from _archive_files(path, f'{relative[: -len(".zip")]}/')
            else:
                yield SourceFile(relative, path)


def _archive_files(path: Path, prefix: str) -> Iterator[SourceFile]:
    for info in _archive(path).infolist():
        if leads_out(info.filename):
            raise UserError(
                f'{path}: the archive has a file {info.filename!r}, which leads out of its folder; '
                'do not trust it'
            )
        if not info.is_dir() and not any(map(_is_litter, info.filename.split('/'))):
            yield SourceFile(prefix + nfc(info.filename), path, info.filename)


def _is_litter(name: str) -> bool:
    return name.startswith('.') or name in _LITTER


_archives: dict[Path, zipfile.ZipFile] = {}


def _archive(path: Path) -> zipfile.ZipFile:
    """An archive, opened once: to read the list of a large one takes seconds."""
    if path not in _archives:
        try:
            _archives[path] = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise UserError(f'{path}: the archive cannot be read ({error})') from error
    return _archives[path]
