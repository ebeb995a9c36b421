"""Regions of Label Studio: several items of a result that share an id."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Raw, Struct

from mmvseg.formats.json_files import Number, Side, Text, decode_json

from .json_entries import listed, typed
from .report import ImportReport
from .sources import SourceFile, nfc

#: Kinds of region that have an area, by the type of the item without ``labels`` at its end.
AREAS = frozenset({'brush', 'polygon', 'rectangle', 'videorectangle'})
_WITHOUT_AREA = frozenset({'keypoint', 'timeline', 'timeseries'})
#: What is said of a region or a task, and is none itself.
_SAID = frozenset(
    {'', 'number', 'textarea', 'choices', 'rating', 'datetime', 'taxonomy', 'relation', 'pairwise'}
)
#: How a number of the object over the frames is called.
_TRACK_NAMES = frozenset({'track_id', 'instance_id', 'object_id'})


class _Item(Struct):
    type: Text = ''
    id: int | Text | None = None
    from_name: Text | None = None
    value: Raw = Raw(b'null')
    meta: Raw = Raw(b'null')
    original_height: Side | None = None
    original_width: Side | None = None
    image_rotation: Number | None = None


@dataclass
class Region:
    """A region with an area.

    Attributes:
        id: within its annotation.
        kind: one of :data:`AREAS`.
        value: what it is.
        label: its class.
        track: number or text that tells the object in all pictures; None if there is none.
        is_by_meta: whether that is the meta text of the region, which nobody called so.
        size: height and width of its picture, if it says so.
        rotation: by which the picture was turned to label it, in degrees.
    """

    id: str
    kind: str
    value: dict[str, Any]
    label: str
    track: str | None
    is_by_meta: bool
    size: tuple[int, int] | None
    rotation: float


def read_regions(
    results: Raw, file: SourceFile, report: ImportReport, **where: Any
) -> Iterator[Region]:
    """The regions of an annotation that have an area.

    Args:
        results: the list of its items.
        file: the export.
        report: is told of what is broken, and what has no area.
        **where: video and frame, for messages.
    """
    items: dict[str, list[_Item]] = {}
    for number, raw in enumerate(listed(results, file, 'result')):
        with report.guard(**where):
            item = typed(raw, _Item, file, f'result[{number}]')
            if not item.type:
                report.bad(file, f'result[{number}]: has no type', **where)
            elif item.id is not None:
                items.setdefault(str(item.id), []).append(item)
            elif _kind(item) not in _SAID:
                report.bad(file, f'result[{number}]: a region ({item.type}) without an id', **where)
    for id_, parts in items.items():
        kinds = dict.fromkeys(kind for p in parts if (kind := _kind(p)) not in _SAID)
        if not kinds:
            continue
        kind = next(iter(kinds))
        if kind in _WITHOUT_AREA:
            report.ignore(kind)
            continue
        try:
            yield _region(id_, kind, parts)
        except ValueError as error:
            report.bad(file, f'region {id_}: {error}', **where)


def picture_size(results: Raw, file: SourceFile) -> tuple[int, int] | None:
    """Height and width of a picture as its first regions say; None if they do not."""
    for raw in listed(results, file, 'result'):
        item = typed(raw, _Item, file, 'result')
        if item.original_height and item.original_width:
            return item.original_height, item.original_width
    return None


def _kind(item: _Item) -> str:
    return item.type.removesuffix('labels')


def _region(id_: str, kind: str, items: Sequence[_Item]) -> Region:
    if kind not in AREAS:
        raise ValueError(
            f'of the type {kind}, which is not read (what its numbers mean was not verified)'
        )
    values = [decode_json(bytes(item.value), 'value') for item in items]
    if not all(isinstance(value, dict) for value in values):
        raise ValueError('a value that is no object')
    shape, value = next((i, v) for i, v in zip(items, values, strict=True) if _kind(i) == kind)
    sized = shape.original_height is not None and shape.original_width is not None
    size = (shape.original_height, shape.original_width) if sized else None
    track, text = _track(items, values), _meta_text(items)
    by_meta = track is None and text is not None
    rotation = shape.image_rotation or 0
    track = text if by_meta else track
    return Region(id_, kind, value, _label(items, values), track, by_meta, size, rotation)


def _label(items: Sequence[_Item], values: Sequence[dict]) -> str:
    """The only label of a region."""
    labels: dict[str, None] = {}
    for item, value in zip(items, values, strict=True):
        for key in (item.type, 'labels'):
            found = value.get(key)
            if key.endswith('labels') and isinstance(found, list):
                labels |= dict.fromkeys(nfc(str(label)) for label in found)
    if len(labels) != 1:
        has = f'{len(labels)} labels ({", ".join(labels)})' if labels else 'no label'
        raise ValueError(f'it has {has}; an object has one class')
    return next(iter(labels))


def _track(items: Sequence[_Item], values: Sequence[dict]) -> str | None:
    """What somebody wrote down to tell an object over several pictures."""
    named, numbers = set(), set()
    for item, value in zip(items, values, strict=True):
        said = _said(item.type, value)
        if said and (item.from_name or '').lower() in _TRACK_NAMES:
            named.add(said)
        elif said and item.type == 'number':
            numbers.add(said)
    found = named or numbers
    if len(found) > 1:
        raise ValueError(
            f'it has several numbers ({", ".join(sorted(found))}); call the one that tells the '
            'object track_id'
        )
    return found.pop() if found else None


def _said(type_: str, value: dict) -> str | None:
    """A number, text or choice as text."""
    key = {'number': 'number', 'textarea': 'text', 'choices': 'choices'}.get(type_)
    said = value.get(key)
    if isinstance(said, list):
        said = ' '.join(map(str, said))
    if isinstance(said, float) and said.is_integer():
        said = int(said)
    return None if said is None else nfc(str(said)).strip() or None


def _meta_text(items: Sequence[_Item]) -> str | None:
    for item in items:
        meta = decode_json(bytes(item.meta), 'meta')
        text = meta.get('text') if isinstance(meta, dict) else None
        text = ' '.join(map(str, text)) if isinstance(text, list) else text
        if isinstance(text, str) and text.strip():
            return nfc(text).strip()
    return None
