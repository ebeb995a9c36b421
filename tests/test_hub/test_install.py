"""Published weights by name: fetched, converted, kept, and refused where they are others."""

import hashlib
import multiprocessing
import os

import pytest
import torch
from file_server import Served
from toy_hub import CLASSES, files_in, published, run_command, set_weights_file, toy_hub

from mmvseg.checkpoints import downloads
from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.errors import UserError
from mmvseg.hub import find_checkpoint, find_model, install_model
from mmvseg.hub.install import converted_path
from mmvseg.model_index import find_entry


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, 'PAUSES_S', (0.0,))
    with toy_hub(tmp_path / 'hub', monkeypatch) as server:
        yield server


@pytest.fixture
def root(tmp_path):
    return tmp_path / 'hub'


@pytest.fixture(scope='module')
def dvis_file(tmp_path_factory):
    path = tmp_path_factory.mktemp('published') / 'browser.pth'
    path.write_bytes(published('dvis/dvis_offline_vis'))
    return path


@pytest.fixture(scope='module')
def tevit_file(tmp_path_factory):
    path = tmp_path_factory.mktemp('published') / 'browser.pth'
    path.write_bytes(published('tevit/tevit_predict_msgshift'))
    return path


def test_a_name_becomes_a_converted_checkpoint(hub, root, capsys):
    config, path = find_model('dvis_toy')
    assert config.model.type == 'DVISOffline'
    checkpoint = load_checkpoint_file(path)
    assert set(checkpoint) == {'meta', 'state_dict'}  # and no state of an optimizer
    assert 'panoptic_head.query_feat.weight' in checkpoint['state_dict']
    assert tuple(checkpoint['meta']['dataset_meta']['classes']) == CLASSES
    note = checkpoint['meta']['conversion']
    assert note['license'] == 'CC BY-NC 4.0, https://github.com/toys/toys'
    assert note['sha256'] == hashlib.sha256(hub.files['/dvis/model_final.pth'].content).hexdigest()
    # the published file, which is larger, is not kept; what it was is noted
    assert files_in(root / 'cache') == ['dvis_toy.pth', 'model_final.pth.json']
    shown = capsys.readouterr()
    assert not shown.out
    for text in (
        'licence: CC BY-NC 4.0 (no commercial use). For play alone.',
        'paper:   On Toys, https://arxiv.org/abs/0000.00000',
        'downloading model_final.pth',
    ):
        assert text in shown.err
    assert find_checkpoint('dvis_toy') == path
    assert capsys.readouterr().err == ''
    assert hub.asked == {'/dvis/model_final.pth': 1}


def test_the_command(hub, capsys):
    assert run_command('download', 'dvis_toy') == 0
    shown = capsys.readouterr()
    assert shown.out == f'{converted_path(find_entry("dvis_toy"))}\n'
    assert 'all 254 tensors' in shown.err or 'tensors of the model are filled' in shown.err
    assert run_command('models', 'toy') == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows[1:]] == [
        *('dvis_toy', 'tevit_toy', 'shared_toy', 'image_toy', 'unpublished_toy')
    ]
    assert run_command('models', 'nothing', 'like') == 1
    assert 'no model has nothing and like' in capsys.readouterr().err


def test_unknown_models_of_the_command(hub, capsys):
    assert run_command('download', 'dvis_tot') == 1
    shown = capsys.readouterr().err
    assert "error: 'dvis_tot' is no model of the index: did you mean dvis_toy" in shown


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        (
            'unpublished_toy',
            r'no weights of it are known to be published; there are some of dvis',
        ),
        ('image_toy', r'segments single images; as a start for training its name can stand in'),
        ('dvis_tot', r"'dvis_tot' is no model of the index: did you mean dvis_toy"),
        ('none/dvis.pth', r'model none/dvis\.pth: no such file'),
        (
            'shared_toy',
            r'can only be fetched in a browser: open https://pan\.baidu\.com/s/1toy\?pwd=toys, '
            r'save the file and run: mmvseg download shared_toy --file PATH',
        ),
    ],
)
def test_models_that_cannot_be_had(hub, name, message):
    with pytest.raises(UserError, match=message) as caught:
        find_model(name)
    assert '\n' not in str(caught.value)
    assert not hub.asked


def test_a_checkpoint_that_is_neither_a_file_nor_a_name(hub):
    with pytest.raises(UserError, match=r'checkpoint dvis_tot: no such file; .* did you mean dvis'):
        find_checkpoint('dvis_tot')
    for source in ('none.pth', 'torchvision://resnet50', 'a/b'):
        assert find_checkpoint(source) == source


def test_an_image_model_as_a_start(hub):
    assert load_checkpoint_file(find_checkpoint('image_toy'))['state_dict']


def test_a_gate(hub, root, dvis_file):
    entry = set_weights_file(root / 'model-index.yml', 'shared_toy', Kind='gated')
    with pytest.raises(UserError, match='can only be fetched after its terms are accepted: open h'):
        install_model(entry)
    assert install_model(entry, dvis_file).is_file()


def test_folders_of_a_models_name_are_in_nobodys_way(hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'dvis_toy').mkdir()
    assert find_checkpoint('dvis_toy') == find_model('dvis_toy')[1]


# Files that were fetched by hand


def test_a_file_from_a_browser(hub, root, dvis_file, capsys):
    assert run_command('download', 'shared_toy', '--file', dvis_file) == 0
    shown = capsys.readouterr()
    assert 'licence: CC BY-NC 4.0 (no commercial use)' in shown.err
    assert 'nothing in the file tells it from that of dvis_toy, image_toy' in shown.err
    assert files_in(root / 'cache') == ['shared_toy.pth']
    assert dvis_file.is_file()
    assert find_model('shared_toy')[1].name == 'shared_toy.pth'
    assert not hub.asked


def test_a_file_of_another_model(hub, root, tevit_file, dvis_file):
    shared, tevit = find_entry('shared_toy'), find_entry('tevit_toy')
    for model, file in ((shared, tevit_file), (tevit, dvis_file)):
        with pytest.raises(UserError, match='checkpoint and model do not belong together'):
            install_model(model, file)
    assert not files_in(root / 'cache')


def test_a_file_for_other_classes(hub, root, tevit_file, tmp_path):
    content = torch.load(tevit_file, weights_only=False)
    for name, tensor in content['model'].items():
        if 'fc_cls' in name:
            content['model'][name] = tensor[:-1]
    torch.save(content, tmp_path / 'other.pth')
    with pytest.raises(UserError, match=r'do not belong together: nothing fills .*fc_cls') as it:
        install_model(find_entry('tevit_toy'), tmp_path / 'other.pth')
    assert 'mmvseg convert' in str(it.value)
    assert not files_in(root / 'cache')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, r'--file .*given\.pth: no such file'),
        (b'<html>log in</html>', 'not a checkpoint'),
        (b'cut', 'not a checkpoint'),
    ],
)
def test_files_that_are_none(hub, root, tmp_path, content, message):
    path = tmp_path / 'given.pth'
    if content:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        install_model(find_entry('shared_toy'), path)
    assert not files_in(root / 'cache')


def test_a_given_file_is_compared_with_what_the_index_knows(hub, root, dvis_file, tevit_file):
    sha256 = hashlib.sha256(dvis_file.read_bytes()).hexdigest()
    md5 = hashlib.md5(dvis_file.read_bytes()).hexdigest()[:6]
    known = {'SHA-256': sha256, 'MD5': md5, 'Bytes': dvis_file.stat().st_size}
    index = root / 'model-index.yml'
    for key, value in known.items():
        entry = set_weights_file(index, 'shared_toy', **{key: value})
        with pytest.raises(UserError, match=r'--file .*; get the file of shared_toy: https'):
            install_model(entry, tevit_file)
    assert install_model(entry, dvis_file).is_file()


# Servers and caches


def test_a_file_that_is_another_than_the_index_knows(hub, root):
    for key, value in {'SHA-256': '0' * 64, 'MD5': '123456', 'Bytes': 7}.items():
        entry = set_weights_file(root / 'model-index.yml', 'dvis_toy', **{key: value})
        with pytest.raises(UserError, match=r'; nothing is kept; try again|the file there has'):
            install_model(entry)
        assert not files_in(root / 'cache')


@pytest.mark.parametrize(
    ('served', 'message'),
    [
        (dict(statuses=[403] * 5), r'403 Forbidden'),
        (dict(statuses=[404] * 5), r'404 Not Found'),
        (dict(statuses=[500] * 5), r'500 Internal Server Error'),
        (dict(kind='text/html'), r'sends a page, not a file'),
        (dict(location='/login'), r'404 Not Found'),
    ],
)
def test_the_advice_names_page_and_command(hub, root, served, message):
    hub.files['/dvis/model_final.pth'] = Served(b'<html>', **served)
    with pytest.raises(UserError, match=message) as caught:
        find_model('dvis_toy')
    assert str(caught.value).endswith(
        'try again later, or open https://github.com/toys/toys in a browser, save the file and '
        'run: mmvseg download dvis_toy --file PATH; a model that ships with mmvseg can be tried '
        'without a network: mmvseg predict VIDEO --model example://minvis_shapes'
    )
    assert not files_in(root / 'cache')


def test_no_network(hub, root, monkeypatch):
    monkeypatch.setenv('MMVSEG_MIRROR', 'https://hub.example=http://127.0.0.1:9')
    with pytest.raises(UserError, match=r'Connection refused.*mmvseg download dvis_toy --file'):
        find_model('dvis_toy')
    assert not files_in(root / 'cache')


def test_what_is_no_checkpoint_does_not_stay(hub, root):
    hub.files['/dvis/model_final.pth'] = Served(b'{"error": "quota"}')
    with pytest.raises(UserError, match='not a checkpoint'):
        find_model('dvis_toy')
    assert not files_in(root / 'cache')
    hub.files['/dvis/model_final.pth'] = Served(published('dvis/dvis_offline_vis'))
    assert find_model('dvis_toy')[1].is_file()


def test_a_damaged_copy_is_made_anew(hub, capsys):
    path = find_model('dvis_toy')[1]
    path.write_bytes(path.read_bytes()[:-1000])
    assert find_model('dvis_toy')[1] == path
    assert 'cut off or not a checkpoint' in capsys.readouterr().err
    assert load_checkpoint_file(path)['state_dict']
    assert hub.asked == {'/dvis/model_final.pth': 2}


def test_a_read_only_cache_that_has_the_model(hub, root, monkeypatch):
    path = find_model('dvis_toy')[1]
    monkeypatch.setattr('pathlib.Path.mkdir', _refuse)
    assert find_model('dvis_toy')[1] == path
    with pytest.raises(UserError, match=r'Read-only file system.*set MMVSEG_CACHE'):
        find_model('tevit_toy')


def _refuse(path, *args, **kwargs):
    raise OSError(30, 'Read-only file system', str(path))


def _install(name, start, results):
    start.wait()
    results.put(str(install_model(find_entry(name))))


def test_of_several_processes_one_fetches_and_converts(hub):
    context = multiprocessing.get_context('fork')
    hub.files['/dvis/model_final.pth'].hang_s = 0.5
    start, results = context.Barrier(2), context.Queue()
    workers = [
        context.Process(target=_install, args=('dvis_toy', start, results)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    paths = {results.get(timeout=120) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(paths) == 1
    assert hub.asked == {'/dvis/model_final.pth': 1}
    assert all(os.path.isfile(path) for path in paths)
