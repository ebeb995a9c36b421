"""Typed records of labels in json, with one message for what is broken."""

from typing import TypeVar

import msgspec
from msgspec import Raw

from mmvseg.errors import UserError
from mmvseg.formats.json_files import decode_entry, decode_json, read_json_bytes
from mmvseg.formats.problems import collect

from .sources import SourceFile

T = TypeVar('T')


def read_entry(file: SourceFile, kind: type[T]) -> T:
    """The whole of a json file.

    Raises:
        UserError: it cannot be read or is not of the kind.
    """
    return typed(Raw(read_json_bytes(file)), kind, file)


def typed(raw: Raw, kind: type[T], file: SourceFile, field: str = '') -> T:
    """A part of a json file.

    Args:
        raw: the part.
        kind: its type, a ``Struct``; its lists of entries are ``Raw``, see :func:`listed`.
        file: where it stands.
        field: where in the file it stands.

    Raises:
        UserError: it is not of the kind.
    """
    problems = []
    entry = collect(decode_entry(raw, kind, str(file), field, {}), problems)
    if problems:
        place = f'{problems[0].field}: ' if problems[0].field else ''
        raise UserError(f'{file}: {place}{problems[0].rule}')
    return entry


def listed(raw: Raw, file: SourceFile, field: str) -> list[Raw]:
    """The entries of a list in a json file, to be typed one by one; null is an empty list.

    Raises:
        UserError: it is no list.
    """
    try:
        return msgspec.json.decode(raw, type=list[Raw] | None) or []
    except msgspec.ValidationError as error:
        raise UserError(f'{file}: {field}: is not a list') from error
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        decode_json(bytes(raw), file)  # whose message says where
        raise
