"""Reading json into typed records: the one place where a file of json is opened.

A format declares its records as ``msgspec.Struct``; the description of a field's type is what a
message says of a value that is none of it. Entries of long lists are decoded one by one, so that a
message can say which one is broken and the others can be looked into all the same.
"""

import json
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Raw, Struct

from mmvseg.errors import UserError
from mmvseg.media.images import ContentFile

from .problems import Findings, Problem, quoted

T = TypeVar('T')

#: Ids that every program can hold.
Id = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1, description='an integer of 64 bits')]
#: Of a frame. The pixels of such a frame can be counted in 32 bits, as run-length codes do.
Side = Annotated[int, Meta(ge=1, le=2**16 - 1, description='a number of pixels from 1 to 65535')]
Flag = bool | Annotated[int, Meta(ge=0, le=1, description='0 or 1')]
Number = Annotated[float, Meta(description='a number')]
Text = Annotated[str, Meta(description='a text')]
Box = Annotated[list[Number], Meta(min_length=4, max_length=4, description='[x, y, width, height]')]


_NAMES = {
    int: 'an integer',
    str: 'a text',
    float: 'a number',
    bool: '0 or 1',
    type(None): 'null',
}


class Misfit(NamedTuple):
    """A value that is not of its field's type.

    Attributes:
        field: name of the field; empty if the entry itself is meant.
        position: of the value in the field's list, None if the field itself is meant.
        rule: what is wrong.
    """

    field: str
    position: int | None
    rule: str


def read_json_bytes(path: str | Path | ContentFile) -> bytes:
    """The text of a json file in UTF-8, whatever encoding of Unicode it is saved in.

    Raises:
        UserError: it cannot be read.
    """
    try:
        data = path.read_bytes() if isinstance(path, ContentFile) else Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, 'strerror', None) or error
        raise UserError(f'{path}: cannot be read ({reason}); check the path') from error
    return json_in_utf8(data, path)


def json_in_utf8(data: bytes, path: str | Path) -> bytes:
    """A json text in UTF-8, whatever encoding of Unicode it has; ``path`` is for messages.

    Raises:
        UserError: it has none.
    """
    encoding = json.detect_encoding(data)
    if encoding == 'utf-8':
        return data
    if encoding == 'utf-8-sig':
        return data[3:]
    try:
        return data.decode(encoding).encode()
    except UnicodeError as error:
        raise UserError(f'{path}: not valid json ({error})') from error


def load_json(path: str | Path | ContentFile) -> Any:
    """The content of a json file, for files without a declared form.

    Raises:
        UserError: it cannot be read or is no json.
    """
    return decode_json(read_json_bytes(path), path)


def decode_json(data: bytes, path: str | Path | ContentFile, kind: type[T] = Any) -> T:
    """The content of a json text.

    Args:
        data: in UTF-8.
        path: where it comes from, for messages.
        kind: type of the content.

    Raises:
        UserError: it is no json.
        msgspec.ValidationError: it is not of the type.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        if kind is not Any:
            raise
        # a number of thousands of digits
        raise UserError(f'{path}: not valid json ({error})') from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UserError(f'{path}: not valid json ({_reason(error, data)})') from error


def _reason(error: Exception, data: bytes) -> str:
    if isinstance(error, RecursionError):
        return 'nested too deep'
    text = str(error)
    place = text.rpartition('(byte ')[2].rstrip(')')
    if not place.isdigit():
        return f'{text}; is the file complete?' if 'truncated' in text else text
    start = int(place)
    line = data.count(b'\n', 0, start) + 1
    column = start - data.rfind(b'\n', 0, start)
    known = next((w for w in ('NaN', '-Infinity', 'Infinity') if _stands_at(data, start, w)), None)
    what = f'json has no number {known}' if known else text.rpartition(' (byte ')[0]
    return f'{what} at line {line}, column {column}'


def _stands_at(data: bytes, start: int, word: str) -> bool:
    # of -Infinity, it is the second character that is none of a number
    return word.encode() in data[max(start - 1, 0) : start + len(word)]


def decode_entry(
    raw: Raw,
    kind: type[T],
    file: str,
    field: str,
    place: Mapping[str, Any] | None = None,
    **where: str,
) -> Findings[T | None]:
    """Decode an entry of a list.

    Args:
        raw: the entry.
        kind: its type, a ``Struct``.
        file: for messages.
        field: where the entry stands, e.g. ``annotations[3]``; empty if ``place`` tells.
        place: places of a :class:`Problem` that its list belongs to, e.g. ``{'video': 7}``.
        **where: further places, and the fields of the entry that hold them, e.g.
            ``annotation='id'``.

    Yields:
        All values that are not of their type.

    Returns:
        The entry, None if there was any.
    """
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        failure = error
    places = dict(place or {})
    try:
        plain = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        yield Problem(file, field, f'not valid json ({_reason(failure, bytes(raw))})', **places)
        return None
    places |= {name: _place(plain, key) for name, key in where.items()}
    # Without an id of its own, the list says which entry it is.
    prefix = f'{field}.' if field and (place is not None or not where) else ''
    for misfit in misfits(plain, kind):
        name = f'{prefix}{misfit.field}' if misfit.field else field
        at = {} if misfit.position is None else dict(frame=misfit.position)
        yield Problem(file, name, misfit.rule, **(places | at))
    return None


def decode_entries(
    raw: Raw,
    kind: type[T],
    file: str,
    field: str,
    place: Mapping[str, Any],
    index: str | None = None,
    **where: str,
) -> Findings[list[T | None] | None]:
    """Decode a list, at once where all of its entries are sound, else one by one.

    Args:
        raw: the list.
        kind: as in :func:`decode_entry`, like all that is not named here.
        file: for messages.
        field: name of the list.
        place: where the list belongs.
        index: the place that the position in the list is, e.g. ``'frame'``, if it is one.
        **where: places that fields of the entries hold.

    Returns:
        The entries, None in the place of those that are broken; None if it is no list.
    """
    try:
        return msgspec.json.decode(raw, type=list[kind])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass  # which of them it is, is found below
    try:
        items = msgspec.json.decode(raw, type=list[Raw])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        yield Problem(file, field, 'is not a list', **place)
        return None
    entries = []
    for position, item in enumerate(items):
        at = {**place, index: position} if index else place
        name = f'{field}[{position}]'
        entries.append((yield from decode_entry(item, kind, file, name, at, **where)))
    return entries


def _place(entry: Any, key: Any) -> Any:
    """The value that says where an entry belongs, if it is one that can be said."""
    value = entry.get(key) if isinstance(entry, dict) else None
    return value if isinstance(value, str) or type(value) is int else None


def misfits(value: Any, kind: Any) -> Iterator[Misfit]:
    """All values of an entry that are not of their type.

    Args:
        value: the entry, plain.
        kind: its type, a ``Struct``.
    """
    if not isinstance(value, dict):
        yield Misfit('', None, f'{quoted(value)} is not an object')
        return
    hints = get_type_hints(kind, include_extras=True)
    missing = [
        info.encode_name
        for info in msgspec.structs.fields(kind)
        if info.required and info.encode_name not in value
    ]
    for info in msgspec.structs.fields(kind):
        if info.encode_name in value:
            yield from _misfits_of_field(
                info.encode_name, value[info.encode_name], hints[info.name]
            )
    if missing:
        yield Misfit('', None, f'missing {", ".join(missing)}')


def _misfits_of_field(name: str, value: Any, kind: Any) -> Iterator[Misfit]:
    if _fits(value, kind):
        return
    element = next((e for e in map(_element_of, _members(kind)) if e is not None), None)
    if element is None or not isinstance(value, list):
        yield Misfit(name, None, f'{quoted(value)} is not {describe(kind)}')
        return
    wrong = [i for i, item in enumerate(value) if not _fits(item, element)]
    for i in wrong:
        yield Misfit(name, i, f'{quoted(value[i])} is not {describe(element)}')
    if not wrong:  # a rule about the list itself
        yield Misfit(name, None, f'{quoted(value)} is not {describe(kind)}')


def _fits(value: Any, kind: Any) -> bool:
    if kind is Raw:  # to be looked into later
        return True
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError):
        return False
    return True


def _members(kind: Any) -> tuple:
    """The alternatives of a type."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _element_of(kind: Any) -> Any:
    """The type of what a list holds whose entries are told apart; None of other types.

    A list with a fixed meaning of its places, such as a box, has a description of its own.
    """
    return get_args(kind)[0] if get_origin(kind) is list else None


def describe(kind: Any) -> str:
    """What a value of a type is, for messages."""
    return ' or '.join(dict.fromkeys(map(_describe, _members(kind))))


def _describe(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        base, *metas = get_args(kind)
        given = (meta.description for meta in metas if isinstance(meta, Meta) and meta.description)
        return next(given, None) or _describe(base)
    if get_origin(kind) is list:
        return 'a list'
    if isinstance(kind, type) and issubclass(kind, Struct):
        hints = get_type_hints(kind, include_extras=True)
        needed = [info for info in msgspec.structs.fields(kind) if info.required]
        fields = [f'{info.encode_name} ({describe(hints[info.name])})' for info in needed]
        return f'an object with {" and ".join(fields)}'
    return _NAMES[kind]
