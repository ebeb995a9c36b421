"""The folder in which downloads are kept."""

import os
import stat
from types import SimpleNamespace

import pytest
from file_server import Served, serve_hub

from mmvseg.checkpoints import cache as caches
from mmvseg.checkpoints.cache import cache_folder, note_path
from mmvseg.checkpoints.downloads import fetch
from mmvseg.errors import UserError

CONTENT = bytes(range(256)) * 4000


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('MMVSEG_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def files_in(folder):
    return sorted(path.name for path in folder.rglob('*') if path.is_file())


def test_where_the_cache_is(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / 'cache'
    monkeypatch.delenv('MMVSEG_CACHE')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'xdg'))
    assert cache_folder() == tmp_path / 'xdg/mmvseg'
    monkeypatch.delenv('XDG_CACHE_HOME')
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setattr('sys.platform', 'linux')
    assert cache_folder() == tmp_path / '.cache/mmvseg'
    monkeypatch.setattr('sys.platform', 'darwin')
    assert cache_folder() == tmp_path / 'Library/Caches/mmvseg'
    monkeypatch.setattr('sys.platform', 'win32')
    monkeypatch.setenv('LOCALAPPDATA', str(tmp_path / 'local'))
    assert cache_folder() == tmp_path / 'local/mmvseg'


def test_a_cache_that_cannot_be_made(cache):
    cache.write_text('a file')
    with (
        serve_hub({'/w.pth': Served(CONTENT)}) as hub,
        pytest.raises(
            UserError, match='set MMVSEG_CACHE to a folder that can be written'
        ) as caught,
    ):
        fetch(f'{hub.address}/w.pth')
    assert '\n' not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
def test_a_cache_that_may_not_be_written(cache):
    cache.mkdir()
    cache.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(UserError, match=r'Permission denied.*set MMVSEG_CACHE'):
        fetch('http://127.0.0.1:9/w.pth')


def test_what_is_there_is_used_though_nothing_can_be_written(monkeypatch):
    with serve_hub({'/w.pth': Served(CONTENT)}) as hub:
        path = fetch(f'{hub.address}/w.pth')
    note_path(path).unlink()
    monkeypatch.setattr('os.access', lambda *args: False)
    assert fetch(f'{hub.address}/w.pth') == path
    assert not note_path(path).exists()


def test_a_disk_without_room_is_told_before(cache, monkeypatch):
    usage = SimpleNamespace(free=1000)
    monkeypatch.setattr(caches.shutil, 'disk_usage', lambda path: usage)
    with (
        serve_hub({'/w.pth': Served(CONTENT)}) as hub,
        pytest.raises(UserError, match='1 MB are to be written, 0 MB are free; make room, or set'),
    ):
        fetch(f'{hub.address}/w.pth')
    assert not files_in(cache)
