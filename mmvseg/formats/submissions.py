"""Results that are packed as evaluation servers take them."""

import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmvseg.errors import UserError

#: So many times its own size may an archive hold; that of ``results.json`` is about 4, that of
#: PNGs 1. Small ones may hold the bytes below.
_MAX_GROWTH, _FREE_BYTES = 100, 2**26
_UNPACKING_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError),
    *(RuntimeError, ValueError, LookupError),  # encrypted, of an unknown method, odd names
)


@contextmanager
def unpacked(path: Path, wanted: str) -> Iterator[Path]:
    """The folder of results that a zip archive holds; what is no archive, as it is.

    Args:
        path: a file or a folder. ``mmvseg test`` writes ``submission.zip``.
        wanted: pattern of what lies at the top of the folder, such as ``pred.json``. In the
            archive it may lie one folder deeper.

    Yields:
        A path that is there until the block ends.

    Raises:
        UserError: it cannot be unpacked, would become too large, or holds no such results. Errors
            from within the block name files in the archive.
    """
    if path.suffix.lower() != '.zip' or path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix='mmvseg_') as name:
        _unpack(path, name)
        tops = [Path(name), *sorted(child for child in Path(name).iterdir() if child.is_dir())]
        found = next((top for top in tops if next(top.glob(wanted), None)), None)
        if found is None:
            raise UserError(
                f'{path}: holds no {wanted}; a submission is packed as mmvseg test does it'
            )
        try:
            yield found
        except UserError as error:
            raise UserError(str(error).replace(name, str(path))) from error


def _unpack(path: Path, folder: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [e for e in archive.infolist() if not e.filename.startswith('__MACOSX/')]
            size, limit = sum(e.file_size for e in entries), path.stat().st_size * _MAX_GROWTH
            if size > max(limit, _FREE_BYTES):
                raise UserError(
                    f'{path}: would become {size:,} bytes, more than {_MAX_GROWTH} times its own '
                    'size; unpack it yourself if you trust it'
                )
            archive.extractall(folder, entries)
    except _UNPACKING_ERRORS as error:
        raise UserError(f'{path}: cannot be unpacked ({error}); pack it anew') from error
