"""The cache of downloads: where a file lies, and what was noted of it when it came.

``$MMVSEG_CACHE``, else ``mmvseg`` in the user's cache folder, has ``downloads/`` with a folder an
address and ``models/`` with a folder a model. Beside a file, or in its place where it is not needed
any more, a ``.json`` of its name notes size and SHA-256.
"""

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.files import file_errors, user_path, write_json

from .addresses import shown, split_credentials
from .digests import Known, digits_of, file_digest

CACHE_VARIABLE = 'MMVSEG_CACHE'
_STRANGE = re.compile(r'[^\w.+-]')


def cache_folder() -> Path:
    """Where downloads and converted models are kept."""
    if given := os.environ.get(CACHE_VARIABLE):
        return user_path(given).absolute()
    return _user_cache() / 'mmvseg'


def _user_cache() -> Path:
    if given := os.environ.get('XDG_CACHE_HOME'):
        return user_path(given)
    if sys.platform == 'darwin':
        return user_path('~/Library/Caches')
    if sys.platform == 'win32':
        return Path(os.environ.get('LOCALAPPDATA') or user_path('~/AppData/Local'))
    return user_path('~/.cache')


def address_key(url: str) -> str:
    """Digits that stand for a whole address, but for the name and password in it."""
    with suppress(ValueError):
        url, _ = split_credentials(url)
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def cached_path(url: str) -> Path:
    """Where the file of an address is kept; files of other addresses lie elsewhere.

    A file with digits of its SHA-256 in its name may also lie where torch keeps it.
    """
    name = _STRANGE.sub('_', re.split('[?#]', url)[0].rpartition('/')[2])[-100:] or 'weights'
    if digits_of(name):
        home = user_path(os.environ.get('TORCH_HOME') or _user_cache() / 'torch')
        if (home / 'hub/checkpoints' / name).is_file():
            return home / 'hub/checkpoints' / name
    return cache_folder() / 'downloads' / address_key(url) / name


def note_path(path: Path) -> Path:
    """Where it is noted what a cached file is."""
    return path.with_name(f'{path.name}.json')


def note_file(path: Path, url: str) -> None:
    """Note what a file is, for all later uses.

    Raises:
        UserError: it cannot be written.
    """
    note = dict(address=shown(url), size=path.stat().st_size, sha256=file_digest(path))
    write_json(note_path(path), note)


def noted(path: Path) -> Known:
    """What was noted of a file when it was fetched first; nothing where there is no note."""
    try:
        note = json.loads(note_path(path).read_text())
        known = Known(note['size'], note['sha256'])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return Known()
    is_whole = isinstance(known.num_bytes, int) and re.fullmatch('[0-9a-f]{64}', str(known.sha256))
    return known if is_whole else Known()


def forget(path: Path) -> None:
    """Remove a cached file and its note, as far as that is allowed."""
    for file in (path, note_path(path)):
        with suppress(OSError):
            file.unlink()


@contextmanager
def cache_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors about the cache into a :class:`UserError` that says what to do."""
    advice = f'make room, or set {CACHE_VARIABLE} to a folder that can be written'
    with file_errors(path, advice):
        yield


def check_space(folder: Path, num_bytes: int) -> None:
    """Make sure that a file will fit on the disk.

    Raises:
        UserError: it will not.
    """
    free = shutil.disk_usage(folder).free
    if free < num_bytes:
        raise UserError(
            f'{folder}: {num_bytes / 1e6:.0f} MB are to be written, {free / 1e6:.0f} MB are free; '
            f'make room, or set {CACHE_VARIABLE} to a folder of another disk'
        )
