"""From a name, an address or a file to a drawn video."""

import json

import av
import cv2
import numpy as np
import pytest
import torch
import toy
from file_server import Served
from mmengine.config import Config
from toy_hub import CLASSES, files_in, run_command, toy_hub

from mmvseg.apis import VideoSegInferencer
from mmvseg.checkpoints.files import load_checkpoint_file, save_checkpoint_file
from mmvseg.errors import UserError
from mmvseg.hub import find_checkpoint, find_model


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with toy_hub(tmp_path / 'hub', monkeypatch) as server:
        yield server


@pytest.fixture
def root(tmp_path):
    return tmp_path / 'hub'


@pytest.fixture
def frames(tmp_path):
    folder = tmp_path / 'frames'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(4):
        image = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f'{index}.png'), image)
    return folder


def length_of(video):
    with av.open(str(video)) as container:
        return sum(1 for _ in container.decode(video=0))


def same_results(first, second):
    first, second = first.pred, second.pred
    return np.allclose(first.scores, second.scores) and first.masks == second.masks


@pytest.mark.parametrize('name', ['dvis_toy', 'tevit_toy'])
def test_from_a_name_to_a_drawn_video_in_one_command(hub, frames, tmp_path, name):
    out, found = tmp_path / 'out.mp4', tmp_path / 'out.json'
    args = ('predict', frames, '--model', name, '--out', out, '--json', found, '--score-thr', 0)
    assert run_command(*args, '--device', 'cpu') == 0
    assert length_of(out) == 4
    entries = json.loads(found.read_text())
    assert entries
    assert {entry['category'] for entry in entries} <= set(CLASSES)
    assert sum(hub.asked.values()) == 1


def test_a_name_is_its_config_and_its_checkpoint(hub, root, frames):
    by_name = VideoSegInferencer('dvis_toy', device='cpu')
    checkpoint = find_checkpoint('dvis_toy')
    for model in (root / 'dvis_toy.py', Config.fromfile(root / 'dvis_toy.py')):
        for weights in ('dvis_toy', checkpoint):
            other = VideoSegInferencer(model, weights, device='cpu')
            assert same_results(by_name(frames), other(frames))


def test_a_checkpoint_brings_its_config(hub, root, frames, tmp_path, monkeypatch):
    by_name = VideoSegInferencer('dvis_toy', device='cpu')
    mine = tmp_path / 'my.pth'
    mine.write_bytes(find_checkpoint('dvis_toy').read_bytes())
    hub.files['/me/models/resolve/main/my.pth'] = Served(mine.read_bytes())
    monkeypatch.setenv('HOME', str(tmp_path))
    sources = (
        mine,
        str(mine),
        '~/my.pth',
        f'{hub.address}/me/models/resolve/main/my.pth?download=true',
        'hf:me/models/my.pth',
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('HF_ENDPOINT', hub.address)
        for source in sources:
            other = VideoSegInferencer(source, device='cpu')
            assert other.classes == by_name.classes
            assert same_results(by_name(frames), other(frames))
            options = {'test_dataloader.dataset.window_size': 2}
            assert VideoSegInferencer(source, cfg_options=options, device='cpu').window_size == 2
        out = tmp_path / 'out.mp4'
        args = ('predict', frames, '--model', 'hf:me/models/my.pth', '--out', out)
        assert run_command(*args, '--device', 'cpu') == 0
    assert length_of(out) == 4


def test_an_address_as_the_checkpoint_of_commands(hub, frames, root, tmp_path):
    content = find_checkpoint('dvis_toy').read_bytes()
    hub.files['/my.pth'] = Served(content)
    out = tmp_path / 'out.mp4'
    for checkpoint in (f'{hub.address}/my.pth', 'dvis_toy'):
        args = ('predict', frames, root / 'dvis_toy.py', checkpoint, '--out', out)
        assert run_command(*args, '--device', 'cpu') == 0
        assert length_of(out) == 4
        out.unlink()


@pytest.mark.parametrize('command', ['test', 'measure'])
def test_data_sets_with_a_checkpoint_by_name_and_by_address(hub, root, tmp_path, command, capsys):
    path = find_checkpoint('dvis_toy')
    hub.files['/my.pth'] = Served(path.read_bytes())
    write_videos(root)
    scores = []
    for index, checkpoint in enumerate((path, 'dvis_toy', f'{hub.address}/my.pth')):
        out = tmp_path / f'out{index}'
        target = out if command == 'test' else out.with_suffix('.json')
        args = (command, root / 'dvis_toy.py', checkpoint, '--out', target, '--device', 'cpu')
        experiment = f'experiment_name={command}{index}'
        options = ('--cfg-options', f'work_dir={tmp_path}/work', experiment)
        assert run_command(*args, *options) == 0, capsys.readouterr().err
        result = target / 'results.json' if command == 'test' else target
        scores.append(result.read_text())
    assert len(set(scores)) == 1


def write_videos(root):
    """One annotated video in the data set of the toys."""
    content = json.loads((root / 'videos.json').read_text())
    (root / 'frames/v').mkdir(parents=True)
    names = [f'v/{index}.png' for index in range(3)]
    for name in names:
        cv2.imwrite(str(root / 'frames' / name), np.full((48, 64, 3), 90, np.uint8))
    size = dict(height=48, width=64)
    content['videos'] = [dict(id=1, file_names=names, length=3, **size)]
    box = [10, 10, 20, 20]
    polygon = [[10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0]]
    content['annotations'] = [
        dict(id=1, video_id=1, category_id=1, iscrowd=0, **size)
        | dict(bboxes=[box] * 3, segmentations=[polygon] * 3, areas=[400] * 3)
    ]
    (root / 'videos.json').write_text(json.dumps(content))


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        ((), 'give --model MODEL'),
        (('a.py',), 'give --model MODEL'),
        (('a.py', 'a.pth', '--model', 'dvis_toy'), 'not both'),
        (('a.py', '--model', 'dvis_toy'), 'not both'),
    ],
)
def test_what_predict_needs(hub, frames, capsys, args, message):
    assert run_command('predict', frames, *args) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize('model', ['openmmlab://detectron2/resnet50_caffe', 's3://b/w.pth'])
def test_other_addresses_are_no_model(model):
    with pytest.raises(UserError, match=f'model {model}: is no https://.* need the config'):
        find_model(model)


def test_checkpoints_without_a_config(hub, root, tmp_path):
    bare = tmp_path / 'bare.pth'
    save_checkpoint_file(dict(state_dict=dict(w=torch.ones(1))), bare)
    with pytest.raises(UserError, match=r'bare\.pth: notes no config \(meta\.cfg\).*give the con'):
        find_model(bare)
    with pytest.raises(UserError, match=r'config .*dvis_toy\.py: has no weights: give a checkp'):
        find_model(root / 'dvis_toy.py')
    with pytest.raises(UserError, match='a config alone has no weights'):
        find_model(Config(dict(model=dict())))
    assert not files_in(root / 'cache')


def test_a_config_in_a_checkpoint_does_not_run(hub, tmp_path, frames):
    checkpoint = load_checkpoint_file(find_checkpoint('dvis_toy'))
    good, witness = checkpoint['meta']['cfg'], tmp_path / 'witness'
    run = f"__import__('os').mkdir({str(witness)!r})"
    command = f"dict(type='os.mkdir', path={str(witness)!r})"
    for text in (
        f'model = {run}\n',
        good + f'\nmodel = dict(type={run})\n',
        f'model = {command}\ntest_dataloader = dict(dataset=dict())\n',
        good.replace("dict(type='LoadClip')", f"dict(type='LoadClip'), {command}"),
        good + f"\ncustom_imports = dict(imports=['antigravity'])\nx = {run}\n",
    ):
        assert text != good
        checkpoint['meta']['cfg'] = text
        path = tmp_path / 'evil.pth'
        save_checkpoint_file(checkpoint, path)
        is_harmless = 'antigravity' in text  # what is not needed is not even looked at
        if is_harmless:
            VideoSegInferencer(path, device='cpu')
        else:
            with pytest.raises(UserError, match=r'evil\.pth: its config \(meta\.cfg\)'):
                VideoSegInferencer(path, device='cpu')
        assert not witness.exists()


def test_a_training_starts_from_a_name_or_an_address(hub, root, tmp_path, monkeypatch):
    path = find_checkpoint('dvis_toy')
    hub.files['/my.pth'] = Served(path.read_bytes())
    toy.write_videos(tmp_path / 'data')
    config = toy.write_config(tmp_path)
    started = []

    class Runner:
        @classmethod
        def from_cfg(cls, cfg):
            started.append(cfg.load_from)
            return cls()

        def train(self):
            pass

    monkeypatch.setattr('mmvseg.apis.train.VideoRunner', Runner)
    host = hub.address.removeprefix('http://')
    example = 'example://minvis_shapes'
    for start in ('dvis_toy', f'http://me:pass@{host}/my.pth', str(path), example):
        args = ('train', config, '--no-validate', '--work-dir', tmp_path / 'work')
        options = ('--cfg-options', f'load_from={start}')
        assert run_command(*args, '--overwrite', '--device', 'cpu', *options) == 0
    assert started[0] == started[2] == str(path)
    assert started[3] == example
    assert load_checkpoint_file(started[1])['state_dict'].keys()
    assert not [file for file in (tmp_path / 'work').rglob('*') if b'pass@' in read(file)]


def read(file):
    return file.read_bytes() if file.is_file() else b''
