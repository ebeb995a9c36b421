"""What other installed packages add to mmvseg: commands and label formats.

A package names its modules as entry points in its ``pyproject.toml``::

    [project.entry-points."mmvseg.commands"]
    empty-frames = "my_project.empty_frames"

They are looked for where a name is not one of mmvseg's own, which always comes first, and imported
when they are asked for. Models, losses, data sets and metrics need none of this: a config names
their modules in ``custom_imports``.
"""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from .errors import UserError, one_line

#: Groups of entry points, and what a module of each must have.
COMMANDS, LABEL_FORMATS = 'mmvseg.commands', 'mmvseg.label_formats'
_NEEDED = {
    COMMANDS: ('__doc__', 'add_arguments', 'run'),
    LABEL_FORMATS: ('__doc__', 'OPTIONS', 'recognises', 'read'),
}


def names_of_others(group: str, own: Iterable[str]) -> list[str]:
    """Names that other packages add to a group, in alphabetical order.

    Args:
        group: :data:`COMMANDS` or :data:`LABEL_FORMATS`.
        own: names that mmvseg has itself.
    """
    return sorted(_entry_points(group).keys() - set(own))


def module_of_others(group: str, name: str) -> ModuleType:
    """The module behind one of these names.

    Raises:
        UserError: it cannot be imported, or lacks what a module of the group must have.
    """
    entry = _entry_points(group)[name]
    package = entry.dist.name if entry.dist else 'unknown'
    where = one_line(f'{name}, {entry.value} of the package {package}')
    advice = 'mend the package, or uninstall it'
    try:
        module = entry.load()
    except Exception as error:  # a module of someone else may raise anything
        reason = one_line(f'{type(error).__name__}: {error}')
        raise UserError(f'{where}: cannot be imported ({reason}); {advice}') from error
    if missing := [part for part in _NEEDED[group] if getattr(module, part, None) is None]:
        parts = ', '.join('docstring' if part == '__doc__' else part for part in missing)
        raise UserError(f'{where}: has no {parts} (docs/contributing); {advice}')
    return module


@cache
def _entry_points(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}
