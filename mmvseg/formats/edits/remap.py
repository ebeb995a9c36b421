"""Classes of a file renamed, put together, left out, numbered as published ones."""

import dataclasses
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Raw

from mmvseg.errors import UserError

from ..categories import Category, CategoryEntry
from .classes import with_classes
from .contents import Contents, Entry
from .names import check_class_names, refuse_unknown, same_name


def remap(
    contents: Contents, new_names: Mapping[str, str | None], table: Sequence[Category] = ()
) -> Contents:
    """Give classes of a file other names. Of one name, they become one class.

    That class has the entry and the id of the class that had the name before, or else of the first
    of them. All names change at once, so that two classes can change theirs.

    Args:
        contents: of the file.
        new_names: by old names; None leaves a class out. What is not in it keeps its name.
        table: classes that the file is to have, all of them, in this order and with these ids.

    Raises:
        UserError: the file has no class of such a name, the table has no class of a new one, or no
            class is left.
    """
    check_class_names(new_names, contents, '--map and --drop')
    by_old = {same_name(old): new for old, new in new_names.items()}
    names = {
        entry.values.id: by_old.get(same_name(entry.values.name), entry.values.name)
        for entry in contents.categories
    }
    groups: dict[str, list[Entry[CategoryEntry]]] = {}
    for entry in contents.categories:
        name = names[entry.values.id]
        if name is not None:
            groups.setdefault(same_name(name), []).append(entry)
    if not groups:
        raise UserError(f'{contents.file}: no class would be left')
    categories = {
        key: _standing(entries, names).changed(name=names[entries[0].values.id])
        for key, entries in groups.items()
    }
    if table:
        categories = _of_table(categories, table, contents.file)
    new_ids = {
        entry.values.id: categories[key].values.id
        for key, entries in groups.items()
        for entry in entries
    }
    listed = dataclasses.replace(contents, categories=[*categories.values()])
    return with_classes(listed, new_ids)


def _standing(
    entries: Sequence[Entry[CategoryEntry]], names: Mapping[int, str | None]
) -> Entry[CategoryEntry]:
    """Which entry stands for classes that become one."""
    had_it = (
        entry
        for entry in entries
        if same_name(entry.values.name) == same_name(names[entry.values.id])
    )
    return next(had_it, entries[0])


def _of_table(
    categories: Mapping[str, Entry[CategoryEntry]], table: Sequence[Category], file: str
) -> dict[str, Entry[CategoryEntry]]:
    found = [entry.values.name for entry in categories.values()]
    problem = f'{file}: classes that --to does not have (give --map or --drop for them):'
    refuse_unknown(found, [category.name for category in table], problem)
    numbered = {}
    for category in table:
        fields = dict(id=category.id, name=category.name)
        entry = categories.get(key := same_name(category.name))
        if entry is None:
            entry = Entry(Raw(msgspec.json.encode(fields)), CategoryEntry(**fields))
        numbered[key] = entry.changed(**fields)
    return numbered
