"""Every format: files as the tools wrote them become what they mean."""

import shutil

import pytest
from label_fixtures import FOLDER, assert_same, import_request, imported, problems, unpacked

from mmvseg.formats.labels.importers import FORMATS, recognise
from mmvseg.formats.labels.sources import Source

#: Fixtures of targets that are written and not read.
EXPORTS = {'fiftyone', 'supervision_export', 'truth'}
NAMES = sorted(path.stem for path in FOLDER.glob('*.zip') if path.stem not in EXPORTS)


@pytest.fixture
def fixture(request, tmp_path):
    found = unpacked(request.param, tmp_path / request.param)
    if found.importer not in FORMATS:
        pytest.skip('comes later')
    return found


every_fixture = pytest.mark.parametrize('fixture', NAMES, indirect=True)


@every_fixture
def test_files_of_a_tool_become_what_they_mean(fixture, tmp_path):
    content = imported(import_request(fixture, tmp_path / 'out'))
    assert_same(content, fixture.expected, fixture.min_iou)
    assert problems(tmp_path / 'out', any((tmp_path / 'out' / 'frames').rglob('*.*'))) == []


@every_fixture
def test_format_is_recognised(fixture):
    assert recognise(Source(fixture.src)) == fixture.importer


@every_fixture
def test_an_archive_is_read_as_its_folder_is(fixture, tmp_path):
    shutil.make_archive(str(tmp_path / 'labels'), 'zip', fixture.src)
    archive = import_request(fixture, tmp_path / 'zip', source=tmp_path / 'labels.zip')
    assert imported(archive) == imported(import_request(fixture, tmp_path / 'folder'))
