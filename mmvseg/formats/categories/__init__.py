"""Class tables of the published data sets, one json file a table, in class order."""

import json
from importlib.resources import files
from typing import NamedTuple


class Category(NamedTuple):
    """A class of objects.

    Attributes:
        id: the number that annotation and results files use.
        name: as the annotation file spells it.
        color: RGB, for drawing classes; None where a file names none.
        is_thing: whether it is of things that can be counted; else of stuff.
    """

    id: int
    name: str
    color: tuple[int, int, int] | None = None
    is_thing: bool = True


def load_table(name: str) -> list[Category]:
    """A published class table: ``ytvis_2019``, ``ytvis_2021``, ``ovis`` or ``vipseg``.

    VSPW has the classes of VIPSeg.
    """
    entries = json.loads(files(__name__).joinpath(f'{name}.json').read_text())
    return [
        Category(entry['id'], entry['name'], tuple(entry['color']), bool(entry['isthing']))
        for entry in entries
    ]


def load_coco_names(name: str) -> dict[str, str]:
    """Which class of a published table each COCO category is trained as, by names.

    The pairs of DVIS: 21 COCO categories for ``ytvis_2019``, 23 for ``ytvis_2021``, 17 for
    ``ovis``. COCO's birds are left out of OVIS, which has poultry and parrots apart.
    """
    return json.loads(files(__name__).joinpath('from_coco.json').read_text())[name]
