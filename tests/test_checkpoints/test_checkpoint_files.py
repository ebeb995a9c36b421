import errno
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.model import BaseModule
from safetensors.torch import save_file
from torch import nn

from mmvseg.checkpoints.files import load_checkpoint_file, save_checkpoint_file
from mmvseg.checkpoints.loaders import register_safe_loading
from mmvseg.checkpoints.plain_values import message_hub_from_plain, message_hub_to_plain, to_plain
from mmvseg.errors import UserError


class Unsafe:
    """Any class of one's own makes a checkpoint unloadable in safe mode."""


@pytest.fixture
def pickled(tmp_path):
    path = tmp_path / 'old.pth'
    torch.save(dict(state_dict=dict(weight=torch.ones(2)), extra=Unsafe()), path)
    return path


def test_saved_values_come_back_as_plain_types_in_safe_mode(tmp_path):
    path = tmp_path / 'a' / 'iter_1.pth'
    weights = OrderedDict(weight=nn.Parameter(torch.arange(3.0)))
    values = dict(
        score=np.float64(0.5),
        area=np.arange(2),
        path=Path('a/b'),
        names=('x',),
        steps=Counter([1, 1]),
    )
    save_checkpoint_file(dict(state_dict=weights, meta=values), path)
    loaded = torch.load(path, weights_only=True)
    assert loaded['meta'] == dict(score=0.5, area=[0, 1], path='a/b', names=('x',), steps={1: 2})
    assert type(loaded['state_dict']) is dict
    assert torch.equal(loaded['state_dict']['weight'], torch.arange(3.0))
    assert [p.name for p in path.parent.iterdir()] == ['iter_1.pth']


def test_a_value_without_plain_form_is_named():
    with pytest.raises(TypeError, match=r'checkpoint\.meta\.bad: a Unsafe has no plain form'):
        to_plain(dict(meta=dict(bad=Unsafe())))


def test_pickled_checkpoint_is_refused_with_the_way_out(pickled):
    with pytest.raises(UserError, match=r'old\.pth: .*unpickling.*Unsafe.*--allow-pickle'):
        load_checkpoint_file(pickled)
    assert isinstance(load_checkpoint_file(pickled, allow_pickle=True)['extra'], Unsafe)


def test_mmengine_loading_is_safe_too(pickled):
    module = BaseModule(init_cfg=dict(type='Pretrained', checkpoint=str(pickled)))
    module.weight = nn.Parameter(torch.zeros(2))
    register_safe_loading()
    with pytest.raises(UserError, match='--allow-pickle'):
        module.init_weights()
    register_safe_loading(allow_pickle=True)
    try:
        module.init_weights()
    finally:
        register_safe_loading()
    assert module.weight.tolist() == [1, 1]


def test_safetensors(tmp_path):
    path = tmp_path / 'weights.safetensors'
    save_file(dict(weight=torch.ones(2)), path, metadata=dict(format='pt'))
    loaded = load_checkpoint_file(path)
    assert loaded['state_dict']['weight'].tolist() == [1, 1]
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(UserError, match=r'weights\.safetensors: cannot be read; it is cut off'):
        load_checkpoint_file(path)


@pytest.mark.parametrize('keep', [0.0, 0.3, 0.9])
def test_truncated_checkpoint(tmp_path, keep):
    path = tmp_path / 'iter_1.pth'
    save_checkpoint_file(dict(state_dict=dict(weight=torch.ones(500))), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(UserError, match=r'iter_1\.pth: cannot be read; it is cut off or not a'):
        load_checkpoint_file(path)


@pytest.mark.parametrize('content', [b'not a checkpoint at all', b'\x00\x01\x02', b'\x89PNG\r\n'])
def test_other_files(tmp_path, content):
    path = tmp_path / 'readme.pth'
    path.write_bytes(content)
    with pytest.raises(UserError, match='not a checkpoint'):
        load_checkpoint_file(path)


def test_missing_file_and_wrong_content(tmp_path):
    with pytest.raises(UserError, match='no such file'):
        load_checkpoint_file(tmp_path / 'none.pth')
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(UserError, match='holds a list, expected a dict'):
        load_checkpoint_file(tmp_path / 'list.pth')


def test_full_disk_leaves_the_previous_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / 'iter_1.pth'
    save_checkpoint_file(dict(value=1), path)

    def fill_the_disk(value, file):
        file.write(b'half')
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(torch, 'save', fill_the_disk)
    with pytest.raises(UserError, match='No space left'):
        save_checkpoint_file(dict(value=2), path)
    assert load_checkpoint_file(path) == dict(value=1)
    assert [p.name for p in tmp_path.iterdir()] == ['iter_1.pth']


def test_full_disk_is_named_though_torch_ends_with_another_error(tmp_path):
    unlimited = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (2**14, unlimited[1]))
    try:
        with pytest.raises(UserError, match=r'a\.pth: cannot be written \(File too large\)'):
            save_checkpoint_file(dict(a=torch.zeros(2**14)), tmp_path / 'a.pth')
    finally:
        setrlimit(RLIMIT_FSIZE, unlimited)
    assert not list(tmp_path.iterdir())


def test_log_history_survives_as_lists(tmp_path):
    hub = MessageHub.get_instance('test_checkpoint_source')
    for value in (1.0, 2.0, 4.0):
        hub.update_scalar('train/loss', value)
    hub.update_info('iter', 3)
    hub.update_info('callback', print)  # mmengine would pickle it
    plain = message_hub_to_plain(hub)
    assert plain['log_scalars'] == {
        'train/loss': dict(log_history=[1.0, 2.0, 4.0], count_history=[1, 1, 1])
    }
    assert plain['runtime_info'] == dict(iter=3)
    other = MessageHub.get_instance('test_checkpoint_target')
    message_hub_from_plain(other, plain)
    assert other.get_scalar('train/loss').mean(2) == 3.0
    assert other.get_info('iter') == 3


def test_safetensors_keep_meta(tmp_path):
    path = tmp_path / 'model.safetensors'
    weights = dict(a=torch.arange(6.0).view(2, 3).T, b=torch.tensor(3))
    save_checkpoint_file(dict(state_dict=weights, meta=dict(cfg='x = 1', seed=3)), path)
    loaded = load_checkpoint_file(path)
    assert loaded['meta'] == dict(cfg='x = 1', seed=3)
    assert torch.equal(loaded['state_dict']['a'], weights['a'])
    assert loaded['state_dict']['b'] == 3


def test_weights_stay_on_disk(tmp_path):
    path = tmp_path / 'model.pth'
    save_checkpoint_file(dict(state_dict=dict(a=torch.arange(4.0))), path)
    assert load_checkpoint_file(path, mmap=True)['state_dict']['a'].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize('notes', ['null', '3', '[1]', '{', '[' * 100_000])
def test_malformed_notes_of_safetensors(tmp_path, notes):
    path = tmp_path / 'model.safetensors'
    save_file({'a': torch.zeros(1)}, path, metadata=dict(mmvseg=notes))
    with pytest.raises(UserError, match=r'model\.safetensors: cannot be read'):
        load_checkpoint_file(path)


def test_safetensors_of_weights_that_share_memory(tmp_path):
    path = tmp_path / 'model.safetensors'
    block = torch.arange(6.0)
    save_checkpoint_file(dict(state_dict=dict(a=block, b=block[:3], c=block.view(2, 3).T)), path)
    loaded = load_checkpoint_file(path)['state_dict']
    assert loaded['a'].tolist() == [0, 1, 2, 3, 4, 5]
    assert loaded['b'].tolist() == [0, 1, 2]
    assert loaded['c'].tolist() == [[0, 3], [1, 4], [2, 5]]


@pytest.mark.parametrize('meta', [dict(seed=b'x'), {(1, 2): 3}, dict(image=torch.zeros(1))])
def test_safetensors_have_no_place_for_other_notes(tmp_path, meta):
    path = tmp_path / 'model.safetensors'
    with pytest.raises(UserError, match=r'cannot be written \(all but the weights must be JSON'):
        save_checkpoint_file(dict(state_dict=dict(a=torch.zeros(1)), meta=meta), path)
    assert not list(tmp_path.iterdir())


def test_values_that_are_cut_off_are_not_read_from_what_follows(tmp_path):
    path, cut = tmp_path / 'model.pth', tmp_path / 'cut.pth'
    save_checkpoint_file(dict(state_dict=dict(a=torch.arange(16.0), b=torch.arange(4.0))), path)
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(cut, 'w') as archive:
        for entry in whole.infolist():
            content = whole.read(entry)
            is_first = entry.filename.endswith('/data/0')
            archive.writestr(entry.filename, content[:8] if is_first else content)
    for mmap in (False, True):
        assert load_checkpoint_file(path, mmap=mmap)['state_dict']['a'].sum() == 120
        with pytest.raises(UserError, match=r'cut\.pth: cannot be read'):
            load_checkpoint_file(cut, mmap=mmap)
