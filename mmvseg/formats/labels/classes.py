"""Names of classes in a file of their own, for labels that have numbers alone."""

import json
from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.formats.json_files import load_json

from .records import LabelClass
from .sources import nfc


def read_classes(path: str | Path) -> list[LabelClass]:
    """Read names of classes.

    Args:
        path: json with ``{id: name}``, ``[name, ...]`` or ``[{"id": ..., "name": ...}, ...]``; or a
            text with a name a line. Names without an id are counted from 1.

    Raises:
        UserError: it is of another form, or a name or an id occurs twice.
    """
    path = Path(path)
    if path.suffix.lower() == '.json':
        pairs = _pairs(load_json(path), path)
    else:
        try:
            lines = path.read_text(encoding='utf-8-sig').splitlines()
        except (OSError, UnicodeError) as error:
            raise UserError(f'{path}: cannot be read ({error})') from error
        names = [nfc(line.strip()) for line in lines if line.strip()]
        pairs = list(enumerate(names, start=1))
    for values in zip(*pairs, strict=True):
        if len(set(values)) < len(values):
            double = next(value for value in values if values.count(value) > 1)
            raise UserError(f'{path}: {json.dumps(double, ensure_ascii=False)} occurs twice')
    if not pairs:
        raise UserError(f'{path}: has no classes')
    return [LabelClass(name, id_) for id_, name in pairs]


def _pairs(content: object, path: Path) -> list[tuple[int, str]]:
    try:
        if isinstance(content, dict):
            return [(int(id_), _name(name)) for id_, name in content.items()]
        if content and all(isinstance(entry, dict) for entry in content):
            return [(int(entry['id']), _name(entry['name'])) for entry in content]
        return [(number, _name(name)) for number, name in enumerate(content, start=1)]
    except (TypeError, ValueError, KeyError) as error:
        raise UserError(
            f'{path}: must be {{id: name}}, [name, ...] or [{{"id": ..., "name": ...}}, ...]'
        ) from error


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError
    return nfc(name)
