"""What is known of a file's bytes: from its name, from an index, or from the first time."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.files import file_errors, file_hash

#: Digits of a SHA-256 in a published name, as in ``tevit-1a2b3c4d.pth``.
_DIGITS = re.compile(r'-([0-9a-f]{8,64})\.\w+$')
_NUMBER = re.compile(r'(19|20)\d\d(0[1-9]|1[0-2])[0-3]\d|\d{9,}|00\d+')
#: Names of detectron2's model zoos: the digits begin the MD5.
_MD5_DIGITS = re.compile(r'model_final_([0-9a-f]{6})\.pkl$')
_CHUNK_BYTES = 2**22


@dataclass(frozen=True)
class Known:
    """What is known of a file; None where it is not.

    Attributes:
        num_bytes: its size.
        sha256: all digits, or the first ones.
        md5: the same.
    """

    num_bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None

    def check(self, path: Path, source: str, advice: str) -> None:
        """Make sure that a file is the known one.

        Args:
            path: the file.
            source: its name for messages.
            advice: what to do with another one.

        Raises:
            UserError: it is another one, or cannot be read.
        """
        with file_errors(path):
            size = path.stat().st_size
        if self.num_bytes is not None and size != self.num_bytes:
            raise UserError(
                f'{source}: has {size} bytes, the file that it should be has {self.num_bytes}; '
                f'{advice}'
            )
        if self.sha256:
            _compare('SHA-256', file_digest(path), self.sha256, source, advice)
        if self.md5:
            _compare('MD5', _md5(path), self.md5, source, advice)

    def of_name(self, name: str) -> 'Known':
        """With what a published name tells, where nothing else is known."""
        md5 = _MD5_DIGITS.search(name)
        return Known(
            self.num_bytes,
            self.sha256 or digits_of(name),
            self.md5 or (md5[1] if md5 else None),
        )


def digits_of(name: str) -> str | None:
    """The first digits of a file's SHA-256 that its published name holds; None if there are none.

    Dates and numbers do not count: without a letter, eight digits do that are no day.
    """
    match = _DIGITS.search(name)
    return match[1] if match and not _NUMBER.fullmatch(match[1]) else None


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, taken once for each state that it is in.

    Raises:
        UserError: it cannot be read.
    """
    with file_errors(path):
        status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _digest(path: Path, size: int, changed_ns: int) -> str:
    return file_hash(path)


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with file_errors(path), open(path, 'rb') as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _compare(kind: str, found: str, expected: str, source: str, advice: str) -> None:
    if not found.startswith(expected):
        raise UserError(
            f'{source}: is not the file that it should be: its {kind} begins with '
            f'{found[: len(expected)]}, not with {expected}; {advice}'
        )
