"""The tutorials run from the first cell to the last, and are shown with what they gave."""

import importlib.util
import re
from base64 import b64decode
from pathlib import Path

import nbformat
import pytest
from helpers import REPOSITORY

FOLDER = REPOSITORY / 'docs' / 'tutorials'
#: What has to hold of each after its last cell, beside its own asserts.
CHECKS = {
    'own_video': """
assert sorted(track.name for track in tracks) == ['cross', 'ring', 'square', 'star']
assert len(rows) == tracks.count_per_frame().sum() > 150
assert all(image.shape[2] == 4 and (image[..., 3] == 255).any() for image in cut.values())
from pathlib import Path
assert Path('tracks.mp4').stat().st_size and Path('page/index.html').is_file()
assert len(Path('tracks.csv').read_text().splitlines()) == 1 + len(rows)
""",
    'own_labels': """
assert len(archives) == 40 and sorted(names.values()) == ['angular', 'round']
assert metrics['AP'] > 0.05
assert Path('report/report.json').is_file() and Path('page/index.html').is_file()
""",
    'anatomy_of_dvis': """
assert sorted(names.values()) == ['cross', 'ring', 'square', 'star']
assert {track.id for track in tracks} <= set(range(Q)) and len(tracks) >= 2
""",
}
PATHS = sorted(FOLDER.glob('*.ipynb'))
#: Paths of a machine; addresses have two slashes.
ABSOLUTE = re.compile(r'(?<![\w.:/<])/(?:home|root|tmp|usr|work|var|mnt|Users|opt|private)\b')
PIXELS = ('image/jpeg', 'image/png')
#: Bytes, of a picture and of all tutorials together.
PICTURE, ALL = 60_000, 1_000_000


def test_each_is_checked():
    assert [path.stem for path in PATHS] == sorted(CHECKS)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize('name', CHECKS)
def test_runs(name, tmp_path):
    notebook = nbformat.read(FOLDER / f'{name}.ipynb', as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(CHECKS[name]))
    _tool().execute(notebook, tmp_path)
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == 'code')


@pytest.mark.parametrize('path', PATHS, ids=lambda path: path.stem)
def test_is_saved_as_it_was_executed(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == 'code']
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [each for each in _outputs(notebook) if each.output_type == 'error']
    assert len(_pictures(notebook)) >= 3
    assert notebook.metadata == _tool().METADATA


@pytest.mark.parametrize('path', PATHS, ids=lambda path: path.stem)
def test_says_nothing_of_the_machine(path):
    notebook = nbformat.read(path, as_version=4)
    for output in _outputs(notebook):
        for kind in PIXELS:
            output.get('data', {}).pop(kind, None)
    text = nbformat.writes(notebook)
    assert not ABSOLUTE.findall(text)
    assert str(Path.home()) not in text


def test_is_small():
    for path in PATHS:
        sizes = [len(picture) for picture in _pictures(nbformat.read(path, as_version=4))]
        assert max(sizes) <= PICTURE, path
    assert sum(path.stat().st_size for path in PATHS) <= ALL


def _outputs(notebook) -> list:
    return [output for cell in notebook.cells for output in cell.get('outputs', [])]


def _pictures(notebook) -> list[bytes]:
    data = [output.data for output in _outputs(notebook) if 'data' in output]
    drawn = [each['image/svg+xml'].encode() for each in data if 'image/svg+xml' in each]
    return drawn + [b64decode(each[kind]) for each in data for kind in PIXELS if kind in each]


def _tool():
    path = REPOSITORY / 'tools' / 'misc' / 'run_notebook.py'
    spec = importlib.util.spec_from_file_location('run_notebook', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
