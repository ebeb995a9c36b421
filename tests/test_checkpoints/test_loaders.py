"""Weights by address and by the names of published models."""

import errno
import hashlib
import io
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import mmengine
import pytest
import torch
from file_server import serve_files
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn
from unpickled import malicious_files

from mmvseg.checkpoints import downloads, transfer
from mmvseg.checkpoints.cache import cached_path, note_file, note_path
from mmvseg.checkpoints.loaders import load_weights, register_safe_loading
from mmvseg.errors import UserError
from mmvseg.files import partial_path
from mmvseg.locks import exclusive, turn


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('MMVSEG_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
    monkeypatch.setattr(downloads, 'PAUSES_S', (0.0, 0.0))
    return tmp_path / 'cache'


def weights(value, **others):
    file = io.BytesIO()
    torch.save(dict(state_dict=dict(w=torch.full((3,), float(value)), **others)), file)
    return file.getvalue()


def value_of(url):
    return load_weights(url)['state_dict']['w'][0].item()


def kept(cache):
    return [path for path in cache.rglob('*') if path.is_file() and path.suffix != '.json']


# Addresses


def test_files_of_one_name_from_two_addresses():
    with serve_files({'/a/last.pth': weights(1), '/b/last.pth': weights(2)}) as (address, asked):
        for _ in range(2):
            assert value_of(f'{address}/a/last.pth') == 1
            assert value_of(f'{address}/b/last.pth') == 2
        assert value_of(f'{address}/b/last.pth?version=3') == 2
    assert asked == {'/a/last.pth': 1, '/b/last.pth': 2}


def test_files_in_the_cache_of_torch_count_if_their_name_tells_their_content(tmp_path):
    content = weights(5)
    name = f'w-{hashlib.sha256(content).hexdigest()[:20]}.pth'
    cache = tmp_path / 'torch/hub/checkpoints'
    cache.mkdir(parents=True)
    (cache / name).write_bytes(content)
    (cache / 'last.pth').write_bytes(content)
    assert value_of(f'http://127.0.0.1:9/{name}') == 5
    with pytest.raises(UserError, match='download failed'):
        load_weights('http://127.0.0.1:9/last.pth')
    (cache / name).write_bytes(weights(6))
    with pytest.raises(UserError, match=r'removed from the cache.* its SHA-256 begins with'):
        load_weights(f'http://127.0.0.1:9/{name}')
    assert not (cache / name).exists()


@pytest.mark.parametrize(
    ('content', 'options', 'message'),
    [
        (weights(1), dict(missing=9), '9 bytes are missing at its end'),
        (b'<html>log in', dict(kind='text/html; charset=utf-8'), 'sends a page, not a file'),
        (b'<html>log in', {}, 'sends a page, not a file'),
        (b'\n<!DOCTYPE html>', {}, 'sends a page, not a file'),
        (b'{"error": "quota"}', {}, 'removed from the cache: .* not a checkpoint'),
        (weights(1)[:-100], {}, 'removed from the cache: .* cut off'),
        (b'', {}, 'removed from the cache'),
    ],
)
def test_nothing_else_is_kept(cache, content, options, message):
    with (
        serve_files({'/w.pth': content}, **options) as (address, _),
        pytest.raises(UserError, match=rf'checkpoint {address}/w\.pth: .*{message}'),
    ):
        load_weights(f'{address}/w.pth')
    assert not [path for path in cache.rglob('*') if path.is_file()]


def test_digits_in_the_name_of_a_download(cache):
    with (
        serve_files({'/w-1a2b3c4d.pth': weights(1)}) as (address, _),
        pytest.raises(UserError, match=r'its SHA-256 begins with .*, not with 1a2b3c4d; nothing'),
    ):
        load_weights(f'{address}/w-1a2b3c4d.pth')
    assert not kept(cache)


@pytest.mark.parametrize(
    ('url', 'message'),
    [
        ('http://127.0.0.1:9/w.pth', r'Connection refused.*save it as .*/w\.pth'),
        ('https://host.invalid/w.pth', 'download failed'),
        ('http://[x/w.pth', 'download failed'),
        ('http:///w.pth', 'download failed'),
        ('http://', 'download failed'),
        ('http://127.0.0.1:9/é.pth', 'download failed'),
        ('http://127.0.0.1:x/w.pth', 'download failed'),
    ],
)
def test_addresses_that_lead_nowhere(cache, url, message):
    with pytest.raises(UserError, match=message):
        load_weights(url)
    assert not kept(cache)


def test_an_answer_that_is_none(cache, monkeypatch):
    monkeypatch.setattr(transfer, 'TIMEOUT_S', 0.1)
    with serve_files({'/w.pth': weights(1)}, hang_s=5) as (address, _):
        with pytest.raises(UserError, match='the server answers 404 Not Found'):
            load_weights(f'{address}/none.pth')
        with pytest.raises(UserError, match=r'download failed .*timed out'):
            load_weights(f'{address}/w.pth')
    assert not kept(cache)


def test_full_disk(cache, monkeypatch):
    def full(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(downloads, 'sync', full)
    with (
        serve_files({'/w.pth': weights(1)}) as (address, _),
        pytest.raises(UserError, match=r'w\.pth\.part: cannot be written.*No space.*MMVSEG_CACHE'),
    ):
        load_weights(f'{address}/w.pth')
    assert not kept(cache)


def test_two_that_fetch_the_same_file(cache):
    content = weights(4, large=torch.zeros(200_000))
    with serve_files({'/w.pth': content}) as (address, _), ThreadPoolExecutor(4) as pool:
        assert list(pool.map(value_of, [f'{address}/w.pth'] * 4)) == [4] * 4
    assert [path.read_bytes() == content for path in kept(cache)] == [True]


def test_a_file_whose_note_another_process_is_writing(cache):
    with serve_files({'/w.pth': weights(4)}) as (address, _):
        assert value_of(f'{address}/w.pth') == 4
        (path,) = kept(cache)
        note_path(path).unlink()
        begun = Event()

        def write_note():
            with turn(path.parent / '.lock', lambda: None):
                with exclusive(partial_path(note_path(path))):
                    begun.set()
                    time.sleep(0.3)
                note_file(path, address)

        with ThreadPoolExecutor(1) as pool:
            writer = pool.submit(write_note)
            assert begun.wait(10)
            assert value_of(f'{address}/w.pth') == 4
            writer.result()
    assert note_path(path).is_file()


# Names of published models


def put(cache, table, name, content):
    """Let the file of a published model lie in the cache, under the digits that it has."""
    table = json.loads((Path(mmengine.__file__).parent / f'hub/{table}.json').read_text())
    path = cached_path(table[name])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


PUBLISHED = [
    ('openmmlab://detectron2/resnet50_caffe', 'openmmlab', 'detectron2/resnet50_caffe'),
    ('open-mmlab://resnet50_caffe', 'openmmlab', 'detectron/resnet50_caffe'),
    ('mmcls://vgg11', 'mmcls', 'vgg11'),
    ('torchvision://resnet50', 'torchvision_0.12', 'resnet50'),
    ('modelzoo://resnet18', 'torchvision_0.12', 'resnet18'),
]


@pytest.mark.parametrize(('source', 'table', 'name'), PUBLISHED)
@pytest.mark.parametrize('kind', range(3))
def test_payloads_in_the_cache_do_not_run(cache, tmp_path, source, table, name, kind):
    witness = tmp_path / 'witness'
    put(cache, table, name, malicious_files(tmp_path, witness)[kind].read_bytes())
    register_safe_loading()
    layer = BaseModule(init_cfg=dict(type='Pretrained', checkpoint=source))
    for load in (lambda: load_weights(source), layer.init_weights):
        with pytest.raises(UserError, match='mkdir'):
            load()
    assert not witness.exists()


@pytest.mark.parametrize(('source', 'table', 'name'), PUBLISHED)
def test_published_models(cache, monkeypatch, source, table, name):
    monkeypatch.setattr('mmvseg.checkpoints.files._check_name', lambda path: None)
    content = io.BytesIO()
    torch.save({'backbone.w': torch.ones(2), 'w': torch.zeros(2)}, content)
    put(cache, table, name, content.getvalue())
    register_safe_loading()
    layer = BaseModule(init_cfg=dict(type='Pretrained', checkpoint=source))
    layer.w = nn.Parameter(torch.full((2,), 7.0))
    layer.init_weights()
    assert layer.w.tolist() == ([1, 1] if table == 'mmcls' else [0, 0])


@pytest.mark.parametrize(
    ('source', 'message'),
    [
        ('openmmlab://nothing', 'unknown model, known are bninception_caffe'),
        ('torchvision://nothing', 'unknown model, known are alexnet'),
        ('mmcls://', 'unknown model'),
        *(
            (source, r'weights are not read from .*, hf:USER/REPO/FILE, or one of http://')
            for source in (
                *('pavi://a/b', 's3://bucket/w.pth', 'cluster:s3://bucket/w.pth', 'petrel://w'),
                *('cluster:petrel://w', 'file:///w.pth', 'local://w.pth', 'hdfs://w', 'S3://w'),
            )
        ),
    ],
)
def test_what_is_not_read(source, message):
    register_safe_loading()
    layer = BaseModule(init_cfg=dict(type='Pretrained', checkpoint=source))
    for load in (lambda: load_weights(source), layer.init_weights):
        with pytest.raises(UserError, match=f'checkpoint {source}: {message}') as caught:
            load()
        assert '\n' not in str(caught.value)


def test_no_reader_of_mmengine_is_left():
    register_safe_loading()
    modules = {loader.__module__ for loader in CheckpointLoader._schemes.values()}
    assert modules == {'mmvseg.checkpoints.loaders'}


# The model that ships with the package


def test_example_by_name():
    loaded = load_weights('example://minvis_shapes')
    assert loaded['meta']['license'] == 'Apache-2.0'
    assert {name.split('.')[0] for name in loaded['state_dict']} == {'backbone', 'panoptic_head'}
    with pytest.raises(UserError, match='example://other: there is example://minvis_shapes only'):
        load_weights('example://other')
