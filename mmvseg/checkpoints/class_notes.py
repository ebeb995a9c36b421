"""What a checkpoint notes of its classes, under ``meta.dataset_meta``."""

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from mmvseg.errors import UserError, counted


def check_class_notes(checkpoint: Mapping[str, Any], source: str) -> None:
    """Make sure that whoever reads the notes of a checkpoint finds what it expects, or nothing.

    Args:
        checkpoint: loaded.
        source: its name, for messages.

    Raises:
        UserError: a note is of another type or length, or names a class that is none.
    """
    meta = _mapping(checkpoint, 'meta', 'meta', source)
    notes = _mapping(meta, 'dataset_meta', 'meta.dataset_meta', source)
    classes = notes.get('classes')
    # a single class as a text, as other toolboxes let it pass
    names = [classes] if isinstance(classes, str) else () if classes is None else classes
    if not _is_list_of(names, str):
        raise _malformed(source, 'meta.dataset_meta.classes', 'is no list of names', classes)
    if not names:
        return  # nobody reads the others then
    problems = {
        'category_ids': _ids_problem(notes.get('category_ids'), names),
        'palette': _palette_problem(notes.get('palette')),
        'thing_classes': _names_problem(notes.get('thing_classes'), names),
        'stuff_classes': _names_problem(notes.get('stuff_classes'), names),
    }
    for key, problem in problems.items():
        if problem:
            raise _malformed(source, f'meta.dataset_meta.{key}', problem, notes[key])


def _mapping(outer: Mapping[str, Any], key: str, where: str, source: str) -> Mapping[str, Any]:
    value = outer.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise _malformed(source, where, 'is no dict', value)
    return value or {}


def _ids_problem(ids: Any, names: Sequence[str]) -> str:
    if ids is None:
        return ''
    if not _is_list_of(ids, int) or any(isinstance(number, bool) for number in ids):
        return 'is no list of whole numbers'
    if len(ids) != len(names):
        return f'has {counted(len(ids), "entries")} for {counted(len(names), "classes")}'
    return ''


def _palette_problem(palette: Any) -> str:
    if palette is None or isinstance(palette, str):  # the name of one, which others have
        return ''
    if isinstance(palette, list | tuple) and all(map(_is_colour, palette)):
        return ''
    return 'is no list of colours (three whole numbers from 0 to 255)'


def _is_colour(value: Any) -> bool:
    if value is None:
        return True
    return _is_list_of(value, int) and len(value) == 3 and all(0 <= n <= 255 for n in value)


def _names_problem(chosen: Any, names: Sequence[str]) -> str:
    if chosen is None:
        return ''
    if not _is_list_of(chosen, str):
        return 'is no list of names'
    strange = [name for name in chosen if name not in names]
    return f'names {strange[0]!r:.60}, which is not among the classes' if strange else ''


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, kind) for item in value)


def _malformed(source: str, where: str, problem: str, value: Any) -> UserError:
    return UserError(
        f'checkpoint {source}: {where} {problem}: {reprlib.repr(value)}; get the file as it was '
        'written, or save it without this note'
    )
