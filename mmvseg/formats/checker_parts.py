"""What the checkers of all data set forms share: problems, categories, picture files."""

import os
import struct
from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError
from mmvseg.media.images import read_image

from .problems import Level, Problem

_PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'
_PNG_COLORS = {0: 'grey', 2: 'RGB', 3: 'palette', 4: 'grey with alpha', 6: 'RGB with alpha'}


def no_annotations(file: str) -> Problem:
    """The note that a file or list comes without annotations, as released test splits do."""
    return Problem(file, 'annotations', 'it has no annotations', level=Level.NOTE)


def check_categories(categories: list, file: str, panoptic: bool = False) -> Iterator[Problem]:
    """Yields problems; returns the well-formed entries by id.

    Args:
        categories: content of the file.
        file: for messages.
        panoptic: whether entries must say whether they are of things, ``isthing``.
    """
    by_id: dict[int, dict] = {}
    names: set[str] = set()
    for position, category in enumerate(categories):
        field = f'categories[{position}]'
        if not isinstance(category, dict) or not {'id', 'name'} <= set(category):
            yield Problem(file, field, 'needs an id and a name')
            continue
        if not is_whole(category['id']) or not isinstance(category['name'], str):
            yield Problem(file, field, 'id is not an integer or name not a text')
            continue
        for kind, known in (('id', by_id), ('name', names)):
            if category[kind] in known:
                yield Problem(file, field, f'duplicate {kind} {category[kind]!r}')
        by_id[category['id']] = category
        names.add(category['name'])
        if panoptic and (rule := _panoptic_rule(category)):
            yield Problem(file, field, rule)
    if not categories:
        yield Problem(file, 'categories', 'is empty')
    return by_id


def _panoptic_rule(category: dict) -> str | None:
    if not is_flag(category.get('isthing')):
        return f'isthing is {category.get("isthing")!r}, not 0 or 1'
    color = category.get('color')
    if color is not None and not (
        isinstance(color, list)
        and len(color) == 3
        and all(is_whole(value) and 0 <= value <= 255 for value in color)
    ):
        return f'color {color!r} is not [red, green, blue], each 0..255'
    return None


def picture_size(path: Path) -> tuple[int, int]:
    """Height and width of a frame that can be read to its end.

    Raises:
        UserError: with the rule that the file breaks.
    """
    # os.path.isfile, unlike Path.is_file, is silent about names that no file can have
    if not os.path.isfile(path):
        raise UserError('missing file')
    try:
        return read_image(path).shape[:2]
    except UserError as error:
        raise UserError(bare_rule(error, path)) from error


def check_png(path: Path, kinds: Sequence[str], size: tuple[int, int] | None, origin: str) -> None:
    """Make sure, from its first bytes, that a mask is of the right kind and size.

    Args:
        path: PNG.
        kinds: colours and bits that it may have, e.g. ``['RGB 8 bit']``.
        size: expected height and width in pixels, if known.
        origin: where the expectation comes from, e.g. ``'the json says'``.

    Raises:
        UserError: with the rule that the file breaks.
    """
    if not os.path.isfile(path):
        raise UserError('missing file')
    try:
        with path.open('rb') as file:
            start = file.read(26)
    except OSError as error:
        raise UserError(f'cannot be read ({error.strerror})') from error
    if len(start) < 26 or not start.startswith(_PNG_SIGNATURE):
        raise UserError('not a PNG')
    width, height, bits, color = struct.unpack('>IIBB', start[16:])
    found = f'{_PNG_COLORS.get(color, f"colour type {color}")} {bits} bit'
    if found not in kinds:
        raise UserError(f'{found}, but masks are {" or ".join(kinds)}')
    if size is not None and (height, width) != size:
        raise UserError(
            f'{height} x {width} pixels, {origin} {" x ".join(str(side) for side in size)}'
        )


def bare_rule(error: UserError, path: Path) -> str:
    """The message of an error about a file without the file's name."""
    return str(error).removeprefix(f'{path}: ')


def is_whole(value: Any) -> bool:
    """Whether a value of a json file is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value of a json file is a finite number."""
    return is_whole(value) or (isinstance(value, float) and isfinite(value))


def is_flag(value: Any) -> bool:
    """Whether a value of a json file is 0 or 1."""
    return is_whole(value) and value in (0, 1)
