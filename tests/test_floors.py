"""Imports run downwards: who may know whom, read from the source."""

import ast
from functools import cache
from graphlib import TopologicalSorter

import pytest
from helpers import REPOSITORY

PACKAGE = REPOSITORY / 'mmvseg'

#: From the top. A room may import from the floors below it and from the rooms of its own floor, as
#: long as these do not import each other in a circle.
FLOORS = [
    ['testing', 'commands'],
    ['converters', 'apis', 'hub', 'deploy'],
    ['results'],
    ['engine'],
    ['datasets', 'evaluation', 'analysis'],
    ['formats', 'visualization', 'pages'],
    ['models', 'checkpoints', 'media'],
    ['doctor', 'compat', 'extensions', 'files', 'model_index', 'shipped', 'spill_file'],
    ['locks', 'ops', 'structures', 'registry', 'errors', 'progress', 'examples'],
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(reversed(FLOORS)) for room in rooms}
#: What may open a file of a user's, and what must not; room by room.
CLOSED = {
    'evaluation/functional': {'json', 'msgspec', 'pathlib', 'PIL', 'cv2', 'os', 'io'},
    'analysis': {'json', 'msgspec', 'pathlib', 'PIL', 'cv2', 'os', 'io'},
    'visualization': {'json', 'av'},
    'engine': {'pickle'},
}


def sources(folder):
    return sorted(folder.rglob('*.py'))


def imported(path):
    """Full names of the modules that a file imports, wherever in it."""
    parts = path.relative_to(REPOSITORY).with_suffix('').parts
    package = parts if path.name == '__init__.py' else parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = '.'.join([*base, *([node.module] if node.module else [])])
            yield from (f'{name}.{alias.name}' for alias in node.names)


def room(name):
    """The room of ours that a module lies in, None for other packages and the package itself."""
    parts = name.split('.')
    return parts[1] if parts[0] == 'mmvseg' and parts[1:2] and parts[1] in FLOOR_OF else None


@cache
def neighbours():
    """The rooms that each room imports from, and an example of where."""
    found = {}
    for path in sources(PACKAGE):
        own = path.relative_to(PACKAGE).with_suffix('').parts[0]
        if own in ('__init__', '__main__'):
            continue
        for name in imported(path):
            other = room(name)
            if other and other != own:
                found.setdefault((own, other), f'{path.relative_to(REPOSITORY)}: {name}')
    return found


def test_every_room_has_a_floor():
    modules = [path for path in PACKAGE.iterdir() if path.suffix == '.py' or [*path.glob('*.py')]]
    rooms = {path.stem for path in modules if not path.name.startswith('__')}
    assert rooms == set(FLOOR_OF)


def test_no_import_runs_upwards():
    up = [where for (own, other), where in neighbours().items() if FLOOR_OF[own] < FLOOR_OF[other]]
    assert not up


def test_no_rooms_import_each_other_in_a_circle():
    graph = {}
    for own, other in neighbours():
        graph.setdefault(own, set()).add(other)
    TopologicalSorter(graph).prepare()  # raises CycleError with the circle


@pytest.mark.parametrize(('folder', 'closed'), CLOSED.items())
def test_rooms_that_open_no_files(folder, closed):
    opened = [
        f'{path.relative_to(REPOSITORY)}: {name}'
        for path in sources(PACKAGE / folder)
        for name in imported(path)
        if name.split('.')[0] in closed
    ]
    assert not opened


def test_the_test_itself_sees_imports(tmp_path, monkeypatch):
    monkeypatch.setattr('test_floors.REPOSITORY', tmp_path)
    file = tmp_path / 'mmvseg/media/images.py'
    file.parent.mkdir(parents=True)
    file.write_text('from ..apis.inferencer import x\ndef f():\n    import mmvseg.engine.runner\n')
    assert {room(name) for name in imported(file)} == {'apis', 'engine'}
