"""Files from servers that behave in all the ways that servers do."""

import base64
import hashlib
import json
import multiprocessing
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from file_server import Served, serve_hub

from mmvseg.checkpoints import cache as caches
from mmvseg.checkpoints import downloads, transfer
from mmvseg.checkpoints.cache import cached_path, note_path
from mmvseg.checkpoints.digests import Known
from mmvseg.checkpoints.downloads import fetch
from mmvseg.errors import UserError

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('MMVSEG_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setattr(downloads, 'PAUSES_S', (0.0, 0.0))
    return tmp_path / 'cache'


def files_in(folder):
    return sorted(path.name for path in folder.rglob('*') if path.is_file())


def ranges(hub):
    return [headers.get('Range') for _, headers in hub.requests]


# Answers


def test_a_file_is_fetched_once_and_noted(cache):
    with serve_hub({'/a/w.pth': Served(CONTENT)}) as hub:
        paths = {fetch(f'{hub.address}/a/w.pth') for _ in range(3)}
    (path,) = paths
    assert path.read_bytes() == CONTENT
    assert hub.asked == {'/a/w.pth': 1}
    assert files_in(cache) == ['w.pth', 'w.pth.json']
    note = json.loads(note_path(path).read_text())
    address = f'{hub.address}/a/w.pth'
    assert note == dict(address=address, size=len(CONTENT), sha256=SHA256)


def test_equal_names_and_queries_are_told_apart():
    files = {'/a/w.pth': Served(b'a'), '/b/w.pth': Served(b'b')}
    with serve_hub(files) as hub:
        names = ('/a/w.pth', '/b/w.pth', '/b/w.pth?download=true', '/b/w.pth?v=2')
        paths = [fetch(hub.address + name) for name in names]
    assert [path.read_bytes() for path in paths] == [b'a', b'b', b'b', b'b']
    assert len(set(paths)) == 4
    assert {path.name for path in paths} == {'w.pth'}
    assert [path for path, _ in hub.requests] == list(names)


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_redirects_are_followed(status):
    files = {'/new/x': Served(CONTENT), '/w.pth': Served(location='/new/x', redirect=status)}
    with serve_hub(files) as hub:
        assert fetch(f'{hub.address}/w.pth').read_bytes() == CONTENT


def test_a_redirect_to_a_page(cache):
    files = {
        '/login': Served(b'<html>', kind='text/html'),
        '/w.pth': Served(location='/login?next=w'),
        '/ring': Served(location='/ring'),
        '/ftp': Served(location='ftp://127.0.0.1/w.pth'),
        '/file': Served(location='file:///etc/passwd'),
    }
    with serve_hub(files) as hub:
        with pytest.raises(UserError, match=rf'sends a page \({hub.address}/login\?next=w\), not'):
            fetch(f'{hub.address}/w.pth')
        with pytest.raises(UserError, match='download failed'):
            fetch(f'{hub.address}/ring')
        with pytest.raises(UserError, match=r'leads to ftp://127.0.0.1/w\.pth, which is not'):
            fetch(f'{hub.address}/ftp')
        with pytest.raises(UserError, match='file:///etc/passwd'):
            fetch(f'{hub.address}/file')
    assert not files_in(cache)


@pytest.mark.parametrize(
    ('status', 'message', 'count'),
    [
        (403, r'the server answers 403 Forbidden: it may want a log-in, or its terms acc', 1),
        (401, r'the server answers 401 Unauthorized: it may want', 1),
        (404, r'download failed \(the server answers 404 Not Found\); try again later', 1),
        (410, r'the server answers 410 Gone', 1),
        (500, r'the server answers 500 Internal Server Error', 3),
        (503, r'the server answers 503 Service Unavailable', 3),
        (204, r'the server answers 204 No Content', 1),
    ],
)
def test_answers_that_are_no_file(cache, status, message, count):
    file = Served(CONTENT, statuses=[status] * 9)
    with serve_hub({'/w.pth': file}) as hub, pytest.raises(UserError, match=message) as caught:
        fetch(f'{hub.address}/w.pth')
    assert '\n' not in str(caught.value)
    assert hub.asked == {'/w.pth': count}
    assert not files_in(cache)


def test_a_server_that_is_well_again(capsys):
    file = Served(CONTENT, statuses=[500, 503])
    with serve_hub({'/w.pth': file}) as hub:
        assert fetch(f'{hub.address}/w.pth').read_bytes() == CONTENT
    shown = capsys.readouterr().err
    assert 'w.pth: the server answers 500 Internal Server Error; trying again in 0 s' in shown
    assert 'downloading w.pth: 2/2 MB' in shown


# Continuing


def test_what_broke_off_is_continued(cache):
    file = Served(CONTENT, tag='"1"', cuts=[500_000, 200_000, 100_000, 100_000])
    with serve_hub({'/w.pth': file}) as hub:
        assert fetch(f'{hub.address}/w.pth').read_bytes() == CONTENT
    starts = ('500000', '700000', '800000', '900000')
    assert ranges(hub) == [None, *(f'bytes={start}-' for start in starts)]
    assert files_in(cache) == ['w.pth', 'w.pth.json']


def test_the_next_run_continues(cache):
    file = Served(CONTENT, tag='"1"', cuts=[500_000, 0, 0, 0])
    with serve_hub({'/w.pth': file}) as hub:
        with pytest.raises(UserError, match=r'524000 bytes are missing at its end'):
            fetch(f'{hub.address}/w.pth')
        assert files_in(cache) == ['.w.pth.part', '.w.pth.part.json']
        assert fetch(f'{hub.address}/w.pth').read_bytes() == CONTENT
    assert ranges(hub)[-1] == 'bytes=500000-'
    assert files_in(cache) == ['w.pth', 'w.pth.json']


def test_all_of_a_file_is_not_fetched_again(cache, monkeypatch):
    file = Served(CONTENT, tag='"1"')
    with serve_hub({'/w.pth': file}) as hub:
        with monkeypatch.context() as patch:
            patch.setattr(downloads, 'sync', lambda path: signal.raise_signal(signal.SIGINT))
            with pytest.raises(KeyboardInterrupt):
                fetch(f'{hub.address}/w.pth')
        assert files_in(cache) == ['.w.pth.part', '.w.pth.part.json']
        assert fetch(f'{hub.address}/w.pth').read_bytes() == CONTENT
        assert hub.asked == {'/w.pth': 1}
    assert files_in(cache) == ['w.pth', 'w.pth.json']


@pytest.mark.parametrize('ranges_given', [True, False])
def test_parts_of_two_files_are_not_put_together(ranges_given):
    other = CONTENT[::-1]
    file = Served(CONTENT, tag='"1"', cuts=[500_000, 0, 0, 0], ranges=ranges_given)
    with serve_hub({'/w.pth': file}) as hub:
        with pytest.raises(UserError, match='missing at its end'):
            fetch(f'{hub.address}/w.pth')
        hub.files['/w.pth'] = Served(other, tag='"2"', ranges=ranges_given)
        assert fetch(f'{hub.address}/w.pth').read_bytes() == other


@pytest.mark.parametrize('length', [len(CONTENT), len(CONTENT) + 7])
def test_a_server_that_gives_the_rest_of_another_file(length):
    other = bytes(length)
    file = Served(CONTENT, tag='"1"', cuts=[500_000, 0, 0, 0])
    with serve_hub({'/w.pth': file}) as hub:
        with pytest.raises(UserError, match='missing at its end'):
            fetch(f'{hub.address}/w.pth')
        hub.files['/w.pth'] = Served(other, tag='"2"', heeds_condition=False)
        assert fetch(f'{hub.address}/w.pth').read_bytes() == other
    assert ranges(hub)[-2:] == ['bytes=500000-', None]


def test_a_file_that_has_become_shorter():
    file = Served(CONTENT, tag='"1"', cuts=[500_000, 0, 0, 0])
    with serve_hub({'/w.pth': file}) as hub:
        with pytest.raises(UserError, match='missing at its end'):
            fetch(f'{hub.address}/w.pth')
        hub.files['/w.pth'] = Served(b'short', tag='"2"', statuses=[416])
        assert fetch(f'{hub.address}/w.pth').read_bytes() == b'short'


def test_without_a_tag_only_a_known_hash_allows_to_continue(cache):
    with serve_hub({}) as hub:
        for known, start in ((None, None), (Known(sha256=SHA256), 'bytes=500000-')):
            hub.requests.clear()
            hub.files['/w.pth'] = Served(CONTENT, cuts=[500_000])
            path = fetch(f'{hub.address}/w.pth', known)
            assert path.read_bytes() == CONTENT
            assert ranges(hub) == [None, start]
            caches.forget(path)


def test_a_slow_server(monkeypatch):
    monkeypatch.setattr(transfer, 'TIMEOUT_S', 0.5)
    file = Served(CONTENT, chunk=200_000, chunk_s=0.15)  # longer in all, but never silent
    with serve_hub({'/w.pth': file}) as hub:
        assert fetch(f'{hub.address}/w.pth').read_bytes() == CONTENT
    assert hub.asked == {'/w.pth': 1}


# What is known of a file


@pytest.mark.parametrize(
    ('known', 'message'),
    [
        (Known(num_bytes=5), f'the file there has {len(CONTENT)} bytes, the one .* has 5'),
        (Known(sha256='0' * 64), f'its SHA-256 begins with {SHA256}, not with 000'),
        (Known(sha256='12345678'), f'its SHA-256 begins with {SHA256[:8]}, not with 12345678'),
        (Known(md5='123456'), f'its MD5 begins with {MD5[:6]}, not with 123456'),
    ],
)
def test_another_file_than_the_known_one_is_not_kept(cache, known, message):
    with (
        serve_hub({'/w.pth': Served(CONTENT, tag='"1"')}) as hub,
        pytest.raises(UserError, match=message),
    ):
        fetch(f'{hub.address}/w.pth', known)
    assert not files_in(cache)


def test_the_known_file_is_kept():
    known = Known(len(CONTENT), SHA256, MD5[:6])
    with serve_hub({'/w.pth': Served(CONTENT)}) as hub:
        assert fetch(f'{hub.address}/w.pth', known).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ('good', 'bad'),
    [
        (f'w-{SHA256[:8]}.pth', 'w-1a2b3c4d.pth'),
        (f'model_final_{MD5[:6]}.pkl', 'model_final_3c8ec9.pkl'),
    ],
)
def test_names_tell_the_content(cache, good, bad):
    with serve_hub({f'/{name}': Served(CONTENT) for name in (good, bad)}) as hub:
        assert fetch(f'{hub.address}/{good}').read_bytes() == CONTENT
        with pytest.raises(UserError, match='is not the file that it should be'):
            fetch(f'{hub.address}/{bad}')
    assert bad not in files_in(cache)


def test_a_file_is_compared_with_what_it_was_at_first(cache):
    with serve_hub({'/w.pth': Served(CONTENT)}) as hub:
        url = f'{hub.address}/w.pth'
        path = fetch(url)
        path.unlink()  # as after a conversion
        assert fetch(url).read_bytes() == CONTENT
        path.unlink()
        hub.files['/w.pth'] = Served(CONTENT[::-1])
        with pytest.raises(UserError, match=r'has changed since it was fetched.*w\.pth\.json'):
            fetch(url)
        assert files_in(cache) == ['w.pth.json']
        note_path(path).unlink()
        assert fetch(url).read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize('content', [CONTENT[:-1], CONTENT[::-1]])
def test_a_copy_that_was_changed_is_thrown_away(cache, content):
    with serve_hub({'/w.pth': Served(CONTENT)}) as hub:
        url = f'{hub.address}/w.pth'
        fetch(url).write_bytes(content)
        with pytest.raises(UserError, match='its copy is removed from the cache: try again'):
            fetch(url)
        assert not files_in(cache)
        assert fetch(url).read_bytes() == CONTENT


def test_a_file_that_was_put_there_by_hand_is_noted():
    url = 'http://127.0.0.1:9/w.pth'
    path = cached_path(url)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert fetch(url) == path
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(UserError, match='is not the file that it should be'):
        fetch(url)


@pytest.mark.parametrize('known', [Known(sha256='0' * 64), Known(num_bytes=5)])
def test_a_file_that_was_put_there_by_hand_has_to_be_the_known_one(cache, known):
    url = 'http://127.0.0.1:9/w.pth'
    path = cached_path(url)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    with pytest.raises(UserError, match='the file that it should be'):
        fetch(url, known)
    assert not files_in(cache)


# Several at once


def _fetch_in_process(url, start, results):
    start.wait()
    results.put(fetch(url).read_bytes() == CONTENT)


@pytest.mark.parametrize('kind', [threading.Thread, multiprocessing.get_context('fork').Process])
def test_of_several_that_ask_at_once_one_fetches(kind):
    context = multiprocessing.get_context('fork')
    start, results = context.Barrier(3), context.Queue()
    file = Served(CONTENT, tag='"1"', hang_s=0.3)
    with serve_hub({'/w.pth': file}) as hub:
        url = f'{hub.address}/w.pth'
        workers = [kind(target=_fetch_in_process, args=(url, start, results)) for _ in range(3)]
        for worker in workers:
            worker.start()
        assert [results.get(timeout=60) for _ in workers] == [True] * 3
        for worker in workers:
            worker.join()
    assert hub.asked == {'/w.pth': 1}


# Mirrors, credentials, shares


def test_a_mirror_is_asked_and_named(monkeypatch, cache):
    with serve_hub({'/models/a/b/resolve/main/w.pth': Served(CONTENT)}) as hub:
        monkeypatch.setenv('MMVSEG_MIRROR', f'https://huggingface.co={hub.address}/models')
        path = fetch('hf:a/b/w.pth')
        assert path.read_bytes() == CONTENT
        with pytest.raises(UserError, match=rf'huggingface.*c\.pth \(from {hub.address}/models/'):
            fetch('hf:a/b/c.pth')
    monkeypatch.delenv('MMVSEG_MIRROR')
    assert fetch('hf:a/b/w.pth') == path  # the same file, wherever it came from


def test_credentials_reach_the_server_and_nobody_else(cache, capsys):
    login = f'Basic {base64.b64encode(b"me:pa ss").decode()}'
    with serve_hub({'/private/w.pth': Served(CONTENT)}) as other:
        files = {
            '/w.pth': Served(CONTENT, login=login),
            '/away.pth': Served(location=f'{other.address}/private/w.pth', login=login),
        }
        with serve_hub(files) as hub:
            host = hub.address.removeprefix('http://')
            for name in ('w.pth?token=tok123', 'away.pth'):
                assert fetch(f'http://me:pa%20ss@{host}/{name}').read_bytes() == CONTENT
            for name in ('none.pth?token=tok123', 'w.pth?x=1&X-Amz-Signature=tok123\x7f'):
                with pytest.raises(UserError) as caught:
                    fetch(f'http://me:wrong%20word@{host}/{name}')
                for secret in ('wrong', 'word', 'tok123'):
                    assert secret not in str(caught.value)
                assert '***@' in str(caught.value)
    assert hub.requests[0][0] == '/w.pth?token=tok123'
    assert all('Authorization' not in headers for _, headers in other.requests)
    kept = b''.join(path.read_bytes() for path in cache.rglob('*.json')).decode()
    shown = ''.join(capsys.readouterr())
    for secret in ('pa ss', 'pa%20ss', 'tok123', 'me:'):
        assert secret not in kept + shown + ' '.join(map(str, cache.rglob('*')))


@pytest.mark.parametrize(
    'url',
    [
        'https://pan.baidu.com/s/1kf?pwd=dvis',
        'https://drive.google.com/file/d/1tq/view?usp=sharing',
        'https://x.feishu.cn/drive/folder/abc',
        'https://1drv.ms/f/s!A',
    ],
)
def test_shares_for_browsers_are_not_asked(url):
    with pytest.raises(UserError, match='only a browser can open this address; fetch it there and'):
        fetch(url)
    path = cached_path(url)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert fetch(url) == path


def test_no_torch_is_needed():
    code = "import sys, mmvseg.checkpoints.downloads; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, '-c', code], check=True, cwd=Path(__file__).parents[2])
