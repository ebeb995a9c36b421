"""Where files of COCO's form say which object an annotation is of."""

from typing import Any

from msgspec import Raw, Struct

from mmvseg.errors import counted
from mmvseg.formats.json_files import Flag, Id

from .coco_file import CocoFile, decoded
from .report import ImportReport


class AnnotationHead(Struct):
    """What an annotation says beside its mask; each tool has another name for the object."""

    image_id: Id
    category_id: Id
    instance_id: Any = None
    track_id: Any = None
    object_id: Any = None
    scalabel_id: Any = None
    group_id: Any = None
    attributes: Any = None
    iscrowd: Flag | None = 0
    ignore: Flag | None = 0

    @property
    def is_crowd(self) -> bool:
        """Whether it is flagged as a crowd, or as what BDD100K does not count."""
        return bool(self.iscrowd or self.ignore)


#: Fields that name the object, the surest first; a group is one together with the class.
_FIELDS = (
    'instance_id',
    'track_id',
    'object_id',
    'attributes.track_id',
    'attributes.instance_id',
    'attributes.object_id',
    'scalabel_id',
    'group_id',
)


class Identity:
    """Tells the objects of a file apart.

    Args:
        coco: the file.
        report: is told where annotations name no object.
        prefix: of what objects without a name are called, where a video has parts in several files.

    Attributes:
        categories: ids that annotations have.
    """

    def __init__(self, coco: CocoFile, report: ImportReport, prefix: str = '') -> None:
        self.coco, self.report, self.prefix = coco, report, prefix
        self.categories: set[int] = set()
        self._named = dict.fromkeys(_FIELDS, 0)
        self._heads = self._crowds = 0

    def see(self, position: int) -> AnnotationHead | None:
        """Look at an annotation for the first time; None if it is broken."""
        raw: Raw = self.coco['annotations'][position]
        field = f'annotations[{position}]'
        found = decoded(raw, AnnotationHead, self.coco.file, field, self.report)
        if found is not None:
            self._heads += 1
            self.categories.add(found.category_id)
            self._crowds += found.is_crowd
            for name in _FIELDS:
                self._named[name] += _value(found, name) is not None
        return found

    @property
    def field(self) -> str | None:
        """The field that names the objects, None if there is none."""
        return next((field for field, count in self._named.items() if count), None)

    def track(self, found: AnnotationHead, position: int, label: str) -> str:
        """What the object of an annotation is called; one without a name is one of its own."""
        name = None if self.field is None else _value(found, self.field)
        if name is None:
            return f'{self.prefix}annotations[{position}]'
        return f'{label} {name}' if self.field == 'group_id' else name

    def tell(self, keep_crowd: bool) -> None:
        """Say what was made of names and flags when all annotations have been seen."""
        file, field = self.coco.file, self.field
        named = self._named[field] if field else 0
        if not named and self._heads:
            names = ', '.join(_FIELDS)
            self.report.note(
                f'{file}: NO OBJECT IS FOLLOWED OVER FRAMES: annotations have none of {names}; '
                'each became an object of a single frame'
            )
        elif named < self._heads:
            self.report.note(
                f'{file}: {self._heads - named} of {counted(self._heads, "annotations")} have no '
                f'{field}: each became an object of a single frame'
            )
        tell_crowds(file, self._crowds, keep_crowd, self.report)


def tell_crowds(file: object, count: int, keep_crowd: bool, report: ImportReport) -> None:
    """Say what was made of flags of crowds."""
    if not count:
        return
    flagged = f'{file}: {counted(count, "annotations")} with iscrowd 1 (or ignore 1)'
    if keep_crowd:
        report.note(f'{flagged}: crowds, which are not trained on')
    else:
        report.note(
            f'{flagged}: read as ordinary objects, since labelling tools set the flag on any '
            'run-length code; --keep-crowd takes it at its word'
        )


def _value(found: AnnotationHead, field: str) -> str | None:
    """The text of a field, None if it names nothing."""
    prefix, _, name = field.rpartition('.')
    if prefix:
        attributes = found.attributes
        value = attributes.get(name) if isinstance(attributes, dict) else None
    else:
        value = getattr(found, name)
    if isinstance(value, bool) or not isinstance(value, int | float | str) or value == '':
        return None
    if field == 'group_id' and value == 0:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
