"""The classes of a data set: as its file lists them, and as published, one json file a table."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Raw, Struct

from mmvseg.formats.json_files import Flag, Id, Text, decode_entry
from mmvseg.formats.problems import Findings, Problem

Channel = Annotated[int, Meta(ge=0, le=255)]


class CategoryEntry(Struct):
    """An entry of a file's ``categories``."""

    id: Id
    name: Text
    color: (
        Annotated[
            list[Channel],
            Meta(min_length=3, max_length=3, description='[red, green, blue], each 0..255'),
        ]
        | None
    ) = None
    isthing: Flag | None = None
    partition: Any = None


class Category(NamedTuple):
    """A class of objects.

    Attributes:
        id: the number that annotation and results files use.
        name: as the annotation file spells it.
        color: RGB, for drawing classes; None where a file names none.
        is_thing: whether it is of things that can be counted; else of stuff.
        partition: LV-VIS's group of the class; None where a file names no number.
    """

    id: int
    name: str
    color: tuple[int, int, int] | None = None
    is_thing: bool = True
    partition: int | None = None


def parse_categories(
    entries: Sequence[Raw], file: str, panoptic: bool = False, are_things: bool = True
) -> Findings[list[Category]]:
    """The classes that a file lists, in its order.

    Args:
        entries: of its ``categories``.
        file: for messages.
        panoptic: whether entries must say whether they are of things, ``isthing``.
        are_things: whether those are of things that do not say.

    Yields:
        Entries that are broken, ids or names that occur twice, an empty list.
    """
    categories: list[Category] = []
    seen: dict[str, set] = dict(id=set(), name=set())
    for position, raw in enumerate(entries):
        field = f'categories[{position}]'
        entry = yield from decode_entry(raw, CategoryEntry, file, field)
        if entry is None:
            continue
        if panoptic and entry.isthing is None:
            yield Problem(file, field, 'isthing is missing, which is 1 for things and 0 for stuff')
        for kind, known in seen.items():
            if getattr(entry, kind) in known:
                yield Problem(file, field, f'duplicate {kind} {getattr(entry, kind)!r}')
            known.add(getattr(entry, kind))
        color = tuple(entry.color) if entry.color else None
        is_thing = are_things if entry.isthing is None else bool(entry.isthing)
        partition = entry.partition if type(entry.partition) is int else None
        categories.append(Category(entry.id, entry.name, color, is_thing, partition))
    if not entries:
        yield Problem(file, 'categories', 'is empty')
    return categories


def load_table(name: str) -> list[Category]:
    """A published class table, by the name of its file here.

    YouTube-VIS 2022 has the classes of 2021, VSPW those of VIPSeg. ``object`` is the one class of
    data sets that name none, such as DAVIS and MOSE.
    """
    data = files(__name__).joinpath(f'{name}.json').read_bytes()
    return [
        Category(
            entry.id,
            entry.name,
            None if entry.color is None else tuple(entry.color),
            bool(entry.isthing),
            entry.partition,
        )
        for entry in msgspec.json.decode(data, type=list[CategoryEntry])
    ]


def load_coco_names(name: str) -> dict[str, str]:
    """Which class of a published table each COCO category is trained as, by names.

    The pairs of DVIS: 21 COCO categories for ``ytvis_2019``, 23 for ``ytvis_2021``, 17 for
    ``ovis``. COCO's birds are left out of OVIS, which has poultry and parrots apart.
    """
    data = files(__name__).joinpath('from_coco.json').read_bytes()
    return msgspec.json.decode(data, type=dict[str, dict[str, str]])[name]
