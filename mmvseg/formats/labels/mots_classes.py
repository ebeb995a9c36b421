"""Numbers of classes in MOTS, and their names."""

from collections.abc import Iterable

from .records import LabelClass
from .report import ImportReport
from .sources import SourceFile, nfc

#: Names of the original set, which has none in its files.
_ORIGINAL = {1: 'car', 2: 'pedestrian'}
#: Region to be ignored, where there are not as many classes.
_IGNORED = 10


class ClassNumbers:
    """Names of the classes of a video.

    Args:
        names: by number; None for those of the original set.
        where: what has them, for messages.
    """

    def __init__(self, names: dict[int, str] | None = None, where: str = '') -> None:
        self.names, self.where = names, where

    @classmethod
    def read(cls, file: SourceFile) -> 'ClassNumbers':
        """The names in a labels.txt, one a line; empty lines do not count."""
        lines = file.read_bytes().decode('utf-8-sig', 'replace').splitlines()
        names = [nfc(line.strip()) for line in lines if line.strip()]
        return cls(dict(enumerate(names, start=1)), str(file))

    def is_ignored(self, number: int) -> bool:
        """Whether the number stands for a region to be ignored."""
        return number == _IGNORED and (self.names is None or len(self.names) < _IGNORED)

    def name(self, number: int) -> str | None:
        """Name of a class; None if there is no such number."""
        if self.names is not None:
            return self.names.get(number)
        return _ORIGINAL.get(number, f'class_{number}') if number > 0 else None

    def rule(self, number: int) -> str:
        """What is wrong with a number that has no name."""
        if self.names is None:
            return f'the class is {number}; a value is class * 1000 + number, classes are from 1'
        return f'the class {number} is not in {self.where}, which has {len(self.names)}'


def declared(tables: Iterable[ClassNumbers]) -> list[LabelClass] | None:
    """All classes, in the order of the tables; their ids are their numbers if these do not differ.

    Returns:
        None if there are no names but those of the original set.
    """
    numbers: dict[str, set[int]] = {}
    for table in tables:
        if table.names is None:
            return None
        for number, name in table.names.items():
            numbers.setdefault(name, set()).add(number)
    return [LabelClass(name, min(own) if len(own) == 1 else None) for name, own in numbers.items()]


def original_classes(names: Iterable[str], report: ImportReport) -> list[LabelClass]:
    """Classes without names: those of the original set, and further ones that objects have."""
    report.note(
        'no labels.txt and no --classes says what the classes are called: taken for those of KITTI '
        f'MOTS, {" and ".join(f"{number} {name}" for number, name in _ORIGINAL.items())}'
    )
    further = {int(name.rpartition('_')[2]): name for name in {*names} - {*_ORIGINAL.values()}}
    return [LabelClass(name, number) for number, name in sorted((_ORIGINAL | further).items())]
