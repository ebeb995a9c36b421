"""Folders, archives and single files as sources of labels."""

import os
import unicodedata
import zipfile

import pytest

from mmvseg.errors import UserError
from mmvseg.formats.labels.sources import Source


def fill(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def archive(path, *names):
    with zipfile.ZipFile(path, 'w') as file:
        for name in names:
            file.writestr(name, name)
    return path


def test_files_below_a_folder(tmp_path):
    fill(tmp_path, 'a/2.png', 'a/b/1.png', 'a/10.png', 'a.png', 'a b/3.png', 'c/4.png')
    source = Source(tmp_path)
    assert [file.name for file in source.within('a')] == ['a/2.png', 'a/10.png', 'a/b/1.png']
    assert [file.name for file in source.within('a/b')] == ['a/b/1.png']
    assert list(source.within('')) == list(source.files.values())
    assert list(source.within('d')) == []
    for folder in ('a', 'a/b', 'a b', 'c'):
        names = {name for name in source.files if name.startswith(f'{folder}/')}
        assert {file.name for file in source.within(folder)} == names


def test_folder_and_archive_have_the_same_files(tmp_path):
    names = ['a/frame_10.jpg', 'a/frame_9.jpg', 'b/labels.json', 'top.xml']
    fill(tmp_path / 'folder', *names)
    sources = [Source(tmp_path / 'folder'), Source(archive(tmp_path / 'x.zip', *names))]
    for source in sources:
        assert list(source.files) == ['a/frame_9.jpg', 'a/frame_10.jpg', 'b/labels.json', 'top.xml']
        assert source.get('b/labels.json').read_bytes() == b'b/labels.json'
        assert source.get('b/labels.json').size == 13
        assert [file.base for file in source.pictures('a')] == ['frame_9.jpg', 'frame_10.jpg']
        assert list(source.picture_folders()) == ['a']
        assert [file.name for file in source.of('.xml', '.json')] == ['b/labels.json', 'top.xml']
        assert source.get('top.xml').folder == ''
    assert str(sources[1].get('top.xml')) == f'{tmp_path}/x.zip/top.xml'


def test_archives_in_a_folder_are_folders(tmp_path):
    archive(tmp_path / 'task 1.zip', 'annotations.xml')
    fill(tmp_path, 'task 2/annotations.xml')
    source = Source(tmp_path)
    assert list(source.files) == ['task 1/annotations.xml', 'task 2/annotations.xml']
    assert source.get('task 1/annotations.xml').read_bytes() == b'annotations.xml'


def test_a_single_file(tmp_path):
    fill(tmp_path, 'labels.json')
    source = Source(tmp_path / 'labels.json')
    assert [file.name for file in source.files.values()] == ['labels.json']


def test_what_systems_leave_behind_is_no_file(tmp_path):
    fill(tmp_path, 'a.json', '.DS_Store', '__MACOSX/a.json', 'x/Thumbs.db', '.git/config')
    assert list(Source(tmp_path).files) == ['a.json']
    path = archive(tmp_path / 'y.zip', 'a.json', '__MACOSX/._a.json', 'x/.DS_Store')
    assert list(Source(path).files) == ['a.json']


def test_names_are_found_however_they_are_written(tmp_path):
    decomposed = unicodedata.normalize('NFD', 'Fußgänger/1.png')
    fill(tmp_path, decomposed)
    source = Source(tmp_path)
    for name in ('Fußgänger/1.png', decomposed, './Fußgänger\\1.png', 'x/../Fußgänger/1.png'):
        assert source.get(name) is not None
    assert source.get('../Fußgänger/1.png') is None
    assert source.get('/etc', '../../Fußgänger/1.png') is None


def test_links_in_a_circle_end(tmp_path):
    fill(tmp_path, 'a/1.png')
    os.symlink(tmp_path, tmp_path / 'a' / 'again')
    assert [name for name in Source(tmp_path).files if 'again/a/again' in name] == []


@pytest.mark.parametrize('name', ['../x.png', '/x.png', 'a/../../x.png', 'C:/x.png'])
def test_an_archive_that_leaves_its_folder_is_refused(tmp_path, name):
    with pytest.raises(UserError, match='leads out of its folder'):
        Source(archive(tmp_path / 'x.zip', name))


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match='no such file or folder'):
        Source(tmp_path / 'absent')
    fill(tmp_path, 'labels.tar.gz', 'x.zip')
    with pytest.raises(UserError, match='only zip is read'):
        Source(tmp_path / 'labels.tar.gz')
    archive(tmp_path / 'tasks.zip', 'task 1.zip', 'task 2.zip')
    with pytest.raises(UserError, match=r'tasks\.zip: has archives in it; unpack it'):
        Source(tmp_path / 'tasks.zip')
    data = archive(tmp_path / 'y.zip', 'a.json').read_bytes()
    (tmp_path / 'y.zip').write_bytes(data.replace(b'a.jsona.json', b'a.jsona.jsoN'))
    with pytest.raises(UserError, match=r'y\.zip/a\.json: cannot be read .*CRC'):
        Source(tmp_path / 'y.zip').get('a.json').read_bytes()


def test_a_locked_archive_is_refused(tmp_path):
    data = bytearray(archive(tmp_path / 'x.zip', 'a.json').read_bytes())
    data[6] |= 1  # flags of the file ...
    data[data.index(b'PK\x01\x02') + 8] |= 1  # ... and of the directory: encrypted
    (tmp_path / 'x.zip').write_bytes(data)
    with pytest.raises(UserError, match=r'cannot be read .*password'):
        Source(tmp_path / 'x.zip').get('a.json').read_bytes()
