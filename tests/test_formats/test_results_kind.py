import zipfile

import pytest
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.formats.results_kind import packed_task, results_task


@pytest.mark.parametrize(
    ('names', 'task'),
    [(['pred.json'], 'vps'), (['videos.json'], 'vss'), (['a/0.png'], 'vss')],
)
def test_a_folder_is_told_by_its_files(tmp_path, names, task):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('')
    assert results_task(tmp_path) == packed_task(tmp_path) == task


def test_maps_of_three_channels_are_panoptic(tmp_path):
    (tmp_path / 'a').mkdir()
    Image.new('RGB', (4, 4)).save(tmp_path / 'a/0.png')
    (tmp_path / 'videos.json').write_text('[]')
    assert results_task(tmp_path) == 'vps'
    with zipfile.ZipFile(tmp_path / 'a.zip', 'w') as archive:
        archive.write(tmp_path / 'a/0.png', 'a/0.png')
    assert packed_task(tmp_path / 'a.zip') == 'vps'
    Image.new('L', (4, 4)).save(tmp_path / 'a/0.png')
    assert results_task(tmp_path) == 'vss'


def test_a_file_is_of_instances_and_other_folders_are_refused(tmp_path):
    assert results_task(tmp_path / 'results.json') == 'vis'
    with pytest.raises(UserError, match='holds no results'):
        results_task(tmp_path)


@pytest.mark.parametrize(
    ('name', 'task'), [('x/results.json', 'vis'), ('pred.json', 'vps'), ('a/0.png', 'vss')]
)
def test_an_archive_is_told_by_what_it_holds(tmp_path, name, task):
    with zipfile.ZipFile(tmp_path / 'a.zip', 'w') as archive:
        archive.writestr('__MACOSX/0.png', '')
        archive.writestr(name, '')
    assert packed_task(tmp_path / 'a.zip') == task
    (tmp_path / 'b.zip').write_text('no archive')
    assert packed_task(tmp_path / 'b.zip') == 'vis'
