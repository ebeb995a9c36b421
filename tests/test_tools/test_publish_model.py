"""tools/model_converters/publish_model.py: small files that load wherever checkpoints load."""

import hashlib
import json
import os
import pickle
import re
import sys
from pathlib import Path

import pytest
import torch
import toy
from helpers import REPOSITORY
from tool import run_tool

from mmvseg.apis import VideoSegInferencer
from mmvseg.checkpoints.files import load_checkpoint_file, save_checkpoint_file
from mmvseg.checkpoints.publishing import clean_config, publish_checkpoint, strip_checkpoint
from mmvseg.errors import UserError

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import measure

SUFFIXES = ('.pth', '.safetensors')


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A config, and the last checkpoint of its training."""
    folder = tmp_path_factory.mktemp('trained')
    toy.write_videos(folder / 'data')
    config = toy.write_config(folder)
    toy.make_runner(config, folder / 'work', train_cfg__max_iters=2).train()
    return config, folder / 'work' / 'iter_2.pth'


@pytest.fixture(params=SUFFIXES)
def published(trained, tmp_path, request):
    return publish_checkpoint(trained[1], tmp_path / f'new/toy{request.param}')[0]


# The file


def test_name_tells_the_content(published):
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    assert published.name == f'toy-{digest[:8]}{published.suffix}'
    assert os.listdir(published.parent) == [published.name]


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_same_file_again(trained, tmp_path, suffix):
    copy = tmp_path / 'other_name.pth'
    copy.write_bytes(trained[1].read_bytes())
    first, _ = publish_checkpoint(trained[1], tmp_path / f'first{suffix}')
    sources = [first, *[copy] * 7]  # a published one can be published
    for number, source in enumerate(sources):
        again, _ = publish_checkpoint(source, tmp_path / f'{number}{suffix}')
        assert again.read_bytes() == first.read_bytes()


def test_content(trained, published):
    before, after = load_checkpoint_file(trained[1]), load_checkpoint_file(published)
    assert set(after) == {'meta', 'state_dict'}
    assert after['state_dict'].keys() == before['state_dict'].keys()
    assert all(after['state_dict'][name].equal(t) for name, t in before['state_dict'].items())
    meta = after['meta']
    assert meta.keys() == {
        *('cfg', 'dataset_meta', 'epoch', 'iter', 'seed', 'mmengine_version', 'mmvseg_version'),
    }
    assert list(meta['dataset_meta']['classes']) == list(toy.CLASSES)
    assert meta['iter'] == 2
    assert "type='ToySegmentor'" in meta['cfg']
    root = str(trained[0].parent)
    assert root in before['meta']['cfg']
    assert root.encode() not in published.read_bytes()


def test_weights_that_are_not_finite_are_named(tmp_path, capsys):
    weights = dict(a=torch.tensor([1.0, torch.inf]), b=torch.ones(2))
    torch.save(dict(state_dict=weights), tmp_path / 'diverged.pth')
    out = str(tmp_path / 'out.pth')
    assert run_tool('model_converters/publish_model', str(tmp_path / 'diverged.pth'), out) == 0
    shown = capsys.readouterr().out
    assert 'warning: not finite (NaN or infinity) are values of 1 tensor:\na\n' in shown


def test_conversion_stays_and_averages_are_named(tmp_path):
    meta = dict(conversion=dict(sha256='12'), hook_msgs={}, cfg='', dataset_meta={})
    checkpoint = dict(
        state_dict={'module.a': torch.ones(2), 'note': 'text'},
        ema_state_dict={'a': torch.zeros(2)},
        meta=meta,
    )
    stripped, notes = strip_checkpoint(checkpoint, 'x.pth')
    assert stripped['meta']['conversion'] == dict(sha256='12')
    assert stripped['state_dict'].keys() == {'a'}
    assert notes == [
        'left out: ema_state_dict',
        'left out: meta.hook_msgs',
        'left out: what is no tensor in state_dict',
        'missing: the checkpoint has no meta.cfg',
        'missing: the checkpoint has no meta.dataset_meta',
    ]


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_memory(tmp_path, suffix):
    weights = {f'w{i}': torch.ones(1000, 1000) for i in range(10)}
    moments = [torch.zeros(1000, 1000) for _ in range(20)]
    save_checkpoint_file(dict(state_dict=weights, optimizer=moments), tmp_path / 'in.pth')
    measure.reset_peak_resident()
    before = measure.peak_resident_gb()
    publish_checkpoint(tmp_path / 'in.pth', tmp_path / f'out{suffix}')
    assert measure.peak_resident_gb() - before < 0.08  # the weights have 0.04, the rest 0.08 GB


# Its use


def test_can_be_tested(trained, published, tmp_path):
    config = str(trained[0])
    out = [tmp_path / name for name in ('before.json', 'after.json')]
    for checkpoint, numbers in zip((trained[1], published), out, strict=True):
        args = [config, str(checkpoint), '--out', str(numbers), '--device', 'cpu']
        options = [f'work_dir={tmp_path / "work"}']
        assert run_tool('test', *args, '--cfg-options', *options) == 0
    assert out[0].read_text() == out[1].read_text()


def test_can_be_used(trained, published):
    before = VideoSegInferencer(trained[0], trained[1], device='cpu')
    after = VideoSegInferencer(trained[0], published, device='cpu')
    # JSON knows no tuples
    assert json.dumps(after.metainfo) == json.dumps(before.metainfo)
    assert after.classes == toy.CLASSES
    state = after.model.state_dict()
    assert all(state[name].equal(t) for name, t in before.model.state_dict().items())


def test_training_can_start_from_it(trained, published, tmp_path):
    runner = toy.make_runner(
        trained[0],
        tmp_path / 'work',
        load_from=str(published),
        train_cfg__max_iters=1,
        optim_wrapper__optimizer__lr=0.0,
    )
    runner.train()
    expected = load_checkpoint_file(trained[1])['state_dict']['head.fc_cls.weight']
    assert runner.model.state_dict()['head.fc_cls.weight'].equal(expected)


def test_training_cannot_be_continued_from_it(trained, published, tmp_path):
    runner = toy.make_runner(trained[0], tmp_path / 'work', load_from=str(published), resume=True)
    with pytest.raises(UserError, match='no training state'):
        runner.train()


# The config's text


def test_config_without_paths():
    text = (
        "work_dir = '/home/me/runs'\n"
        'model = dict(\n'
        "    backbone=dict(init_cfg=dict(checkpoint='/data/µ/pvt_v2_b1.pth'), depth=50),\n"
        "    name='µ', roots=['~/a/b', 'C:\\\\data\\\\ovis\\\\', 'data/ovis', 'https://a/b'])\n"
        "load_from = ('a' 'b')\n"
        'resume = dict(\n    a=1)\nratio = 1 / 2\n'
    )
    cleaned, changes = clean_config(text)
    assert cleaned == (
        'model = dict(\n'
        "    backbone=dict(init_cfg=dict(checkpoint='pvt_v2_b1.pth'), depth=50),\n"
        "    name='µ', roots=['b', 'ovis', 'data/ovis', 'https://a/b'])\n"
        'ratio = 1 / 2\n'
    )
    assert len(changes) == 6
    assert "'/data/µ/pvt_v2_b1.pth' is now 'pvt_v2_b1.pth'" in changes
    assert clean_config(cleaned) == (cleaned, [])


def test_config_is_never_run(tmp_path):
    text = f'import pathlib\npathlib.Path({str(tmp_path / "ran")!r}).touch()\n'
    clean_config(text)
    assert not list(tmp_path.iterdir())


def test_config_that_is_not_python():
    cleaned, changes = clean_config("work_dir: '/home/me'\nmodel:\n")
    assert cleaned == "work_dir: '/home/me'\nmodel:\n"
    assert 'kept as it is' in changes[0]


# The tool


def test_report(trained, tmp_path, capsys):
    assert run_tool('model_converters/publish_model', str(trained[1]), f'{tmp_path}/a.pth') == 0
    text = capsys.readouterr().out
    (path,) = tmp_path.iterdir()
    assert re.fullmatch(r'a-[0-9a-f]{8}\.pth', path.name)
    for part in ('optimizer', 'param_schedulers', 'message_hub', 'rng', 'meta.time'):
        assert f'left out: {part}\n' in text
    assert 'meta.cfg: work_dir left out\n' in text
    last = text.splitlines()[-1]
    assert last.startswith(f'{path}: ')
    assert re.search(r'[\d.]+ MB \(was [\d.]+ MB\)$', last)


class Harmful:
    def __reduce__(self):
        return (Path.touch, (Path('harm'),))


def test_refuses_pickles_that_run_code(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(dict(state_dict=dict(a=torch.ones(1)), meta=Harmful()), 'harmful.pth')
    Path('harmful.pkl').write_bytes(pickle.dumps(Harmful()))
    for name in ('harmful.pth', 'harmful.pkl'):
        assert run_tool('model_converters/publish_model', name, 'out.pth') == 1
        assert 'run' in capsys.readouterr().err
    assert sorted(os.listdir()) == ['harmful.pkl', 'harmful.pth']


def test_pickles_of_known_origin(tmp_path):
    meta = dict(hook_msgs=Harmless(), cfg='a = 1\n', dataset_meta=dict(classes=('a',)))
    torch.save(dict(state_dict=dict(a=torch.ones(1)), meta=meta), tmp_path / 'old.pth')
    args = [f'{tmp_path}/old.pth', f'{tmp_path}/new.safetensors']
    assert run_tool('model_converters/publish_model', *args) == 1
    assert run_tool('model_converters/publish_model', *args, '--allow-pickle') == 0
    (path,) = tmp_path.glob('new-*.safetensors')
    assert load_checkpoint_file(path)['meta']['cfg'] == 'a = 1\n'


class Harmless:
    pass


def test_user_errors(tmp_path, capsys):
    weights = dict(a=torch.ones(1))
    save_checkpoint_file(dict(model=weights), tmp_path / 'original.pth')
    save_checkpoint_file(dict(state_dict={}), tmp_path / 'empty.pth')
    save_checkpoint_file(dict(state_dict=weights), tmp_path / 'good.pth')
    (tmp_path / 'text.pth').write_text('not a checkpoint')
    (tmp_path / 'file').touch()
    cases = [
        ('original.pth', 'out.pth', 'mmvseg convert'),
        ('empty.pth', 'out.pth', 'holds no weights'),
        ('text.pth', 'out.pth', 'not a checkpoint'),
        ('absent.pth', 'out.pth', 'no such file'),
        ('good.pth', 'out.pt', '.pth or .safetensors'),
        ('good.pth', 'out', '.pth or .safetensors'),
        ('good.pth', 'file/out.pth', 'cannot be written'),
    ]
    before = sorted(os.listdir(tmp_path))
    for source, out, message in cases:
        args = [str(tmp_path / source), str(tmp_path / out)]
        assert run_tool('model_converters/publish_model', *args) == 1
        assert message in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == before


# Smaller files, and what others may do with them


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_half_as_large_and_computes_in_float32(trained, tmp_path, suffix):
    config, checkpoint = trained
    out = tmp_path / f'toy{suffix}'
    assert run_tool('model_converters/publish_model', str(checkpoint), str(out), '--half') == 0
    (path,) = tmp_path.iterdir()
    full = load_checkpoint_file(checkpoint)['state_dict']
    half = load_checkpoint_file(path)['state_dict']
    for name, value in full.items():
        wanted = torch.float16 if value.dtype == torch.float32 else value.dtype
        assert half[name].dtype == wanted
        torch.testing.assert_close(half[name].to(value.dtype), value, rtol=2**-11, atol=1e-7)
    model = VideoSegInferencer(config, path, 'cpu').model
    assert {value.dtype for value in model.parameters()} == {torch.float32}


def test_values_beyond_half_precision_are_refused(tmp_path):
    weights = dict(w=torch.tensor([1.0, 7e4]))
    save_checkpoint_file(dict(state_dict=weights), tmp_path / 'large.pth')
    with pytest.raises(UserError, match='w holds values beyond float16'):
        publish_checkpoint(tmp_path / 'large.pth', tmp_path / 'out.pth', half=True)
    assert os.listdir(tmp_path) == ['large.pth']


def test_license_is_noted_and_kept(trained, tmp_path):
    arguments = [str(trained[1]), str(tmp_path / 'toy.safetensors'), '--license', 'Apache-2.0']
    assert run_tool('model_converters/publish_model', *arguments) == 0
    (path,) = tmp_path.iterdir()
    assert load_checkpoint_file(path)['meta']['license'] == 'Apache-2.0'
    again, _ = publish_checkpoint(path, tmp_path / 'again.pth')
    assert load_checkpoint_file(again)['meta']['license'] == 'Apache-2.0'
