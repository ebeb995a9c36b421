"""convert.py --base: published files that are nothing without the weights of DINOv3."""

import pytest
import torch
from mmengine.config import Config
from query_vits import query_vit, random_weights, vit
from safetensors.torch import save_file
from tool import run_tool

from mmvseg.checkpoints.conversion_note import ConversionNote
from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.converters.translate import to_theirs
from mmvseg.files import file_hash


def convert(*args):
    return run_tool('model_converters/convert', *map(str, args))


def write_config(path, model, **settings):
    Config(dict(model=model, **settings)).dump(path)
    return path


@pytest.fixture
def base(tmp_path):
    """DINOv3 as transformers publishes it, and its weights by our names."""
    weights = random_weights(vit(dinov3=True), seed=1, prefix='backbone.')
    path = tmp_path / 'model.safetensors'
    mask_token = {'embeddings.mask_token': torch.zeros(1, 1, 16)}
    save_file(to_theirs(weights)[0] | mask_token, path)
    return path, weights


@pytest.fixture
def eomt(tmp_path, base):
    """A published EoMT with DINOv3, the weights that it stands for, and a config of its model."""
    weights = random_weights(query_vit('EoMT', dinov3=True))
    stored = {
        name: tensor * 0.01 if name in base[1] else tensor for name, tensor in weights.items()
    }
    whole = {name: base[1].get(name, 0) + tensor for name, tensor in stored.items()}
    published, _ = to_theirs(stored)
    path = tmp_path / 'pytorch_model.bin'
    torch.save(published, path)
    config = write_config(tmp_path / 'eomt.py', query_vit('EoMT', dinov3=True))
    return path, whole, config


def test_differences_are_added_to_the_base(tmp_path, base, eomt, capsys):
    path, whole, config = eomt
    ours = tmp_path / 'ours.pth'
    assert convert(path, ours, '--config', config, '--base', base[0]) == 0
    shown = capsys.readouterr().out
    assert f'all {len(whole)} tensors of the model are filled' in shown
    assert 'encoder: of model.safetensors, and the differences in the file' in shown
    assert 'licence: DINOv3 License' in shown
    checkpoint = load_checkpoint_file(ours)
    assert checkpoint['state_dict'].keys() == whole.keys()
    for name, tensor in checkpoint['state_dict'].items():
        assert torch.equal(tensor, whole[name]), name
    note = checkpoint['meta']['conversion']
    assert (note['base'], note['base_sha256']) == ('model.safetensors', file_hash(base[0]))
    assert note['license'].startswith('DINOv3 License')
    again = tmp_path / 'again.safetensors'  # whole now
    assert convert(ours, again, '--config', config) == 0
    assert load_checkpoint_file(again)['meta']['conversion'] == note


def test_way_back_to_differences(tmp_path, base, eomt, capsys):
    path, _, config = eomt
    ours, back = tmp_path / 'ours.pth', tmp_path / 'back.bin.pth'
    assert convert(path, ours, '--config', config, '--base', base[0]) == 0
    assert convert(ours, back, '--to', 'original') == 1
    message = 'eomt-dinov3 has its encoder as differences to the weights of DINOv3; name these with'
    assert message in capsys.readouterr().err
    assert convert(ours, back, '--to', 'original', '--base', base[0]) == 0
    stored, restored = torch.load(path), torch.load(back)
    assert restored.keys() == stored.keys()
    for name, tensor in stored.items():
        is_encoder = '.encoder.' in name  # a sum of float32 numbers is rounded
        assert torch.allclose(restored[name], tensor, rtol=0, atol=1e-6 * is_encoder), name


def test_whole_weights_under_the_names_of_differences(tmp_path, base, eomt, capsys):
    """As a training with the original code ends."""
    _, whole, config = eomt
    path, ours = tmp_path / 'last.pth', tmp_path / 'ours.pth'
    torch.save(dict(state_dict=to_theirs(whole)[0]), path)
    assert convert(path, ours, '--config', config, '--base', base[0]) == 0
    message = 'encoder: whole in the file, so nothing of model.safetensors is added'
    assert message in capsys.readouterr().out
    for name, tensor in load_checkpoint_file(ours)['state_dict'].items():
        assert torch.equal(tensor, whole[name]), name


def test_differences_alone_are_refused(tmp_path, eomt, capsys):
    out = tmp_path / 'ours.pth'
    assert convert(eomt[0], out, '--config', eomt[2]) == 1
    shown = capsys.readouterr().err
    assert f'{eomt[0]}: holds its encoder as differences to the weights of DINOv3' in shown
    assert '--base' in shown
    assert not out.exists()


def test_a_base_of_another_size_is_refused(tmp_path, eomt, capsys):
    other = tmp_path / 'other.pth'
    weights = random_weights(vit(dinov3=True, embed_dims=32), prefix='backbone.')
    torch.save(to_theirs(weights, ConversionNote('dinov3'))[0], other)
    assert convert(eomt[0], tmp_path / 'ours.pth', '--config', eomt[2], '--base', other) == 1
    shown = capsys.readouterr().err
    count = len(weights)
    assert f'its encoder and --base other.pth differ in name or shape of {count} tensors' in shown
    assert 'backbone.blocks: ' in shown


@pytest.mark.parametrize(('name', 'message'), [('none.pth', 'no such file'), ('x.pth', 'e.g. fc')])
def test_what_is_no_base(tmp_path, eomt, capsys, name, message):
    torch.save(dict(fc=torch.zeros(1)), tmp_path / 'x.pth')
    args = eomt[0], tmp_path / 'ours.pth', '--config', eomt[2], '--base', tmp_path / name
    assert convert(*args) == 1
    shown = capsys.readouterr().err
    assert f'--base {tmp_path / name}: ' in shown
    assert message in shown


@pytest.mark.parametrize('extra', [(), ('--to', 'original')])
def test_whole_files_need_no_base(tmp_path, base, capsys, extra):
    ours = random_weights(query_vit(dinov3=True))
    path = tmp_path / 'in.pth'
    torch.save(ours if extra else dict(model=to_theirs(ours)[0]), path)
    assert convert(path, tmp_path / 'out.pth', '--base', base[0], *extra) == 1
    assert f'{path}: holds its whole encoder, so --base is not needed' in capsys.readouterr().err


def test_pmt_of_images_gets_its_encoder_from_the_base(tmp_path, base, capsys):
    """A start of PMT on videos, whose queries are updated from frame to frame."""
    published, _ = to_theirs(random_weights(query_vit('PMT', dinov3=True)))
    decoder = {
        name.replace('backbone.', 'network.', 1): tensor
        for name, tensor in published.items()
        if name.startswith(('backbone.decoder.', 'backbone.bn.')) and 'query_updater' not in name
    }
    decoder['network.decoder.attn_mask_probs'] = torch.zeros(2)
    path, ours = tmp_path / 'pytorch_model.bin', tmp_path / 'ours.pth'
    torch.save(dict(state_dict=decoder), path)
    model = query_vit('PMT', dinov3=True)
    config = write_config(tmp_path / 'pmt.py', model, allow_missing=['query_updater'])
    assert convert(path, ours, '--config', config) == 1
    assert 'holds no encoder, as all published files of PMT for images' in capsys.readouterr().err
    assert convert(path, ours, '--config', config, '--base', base[0]) == 0
    shown = capsys.readouterr().out
    assert 'encoder: of model.safetensors\n' in shown
    assert 'left to training: query_updater' in shown
    checkpoint = load_checkpoint_file(ours)
    for name, tensor in base[1].items():
        assert torch.equal(checkpoint['state_dict'][name], tensor)
    back = tmp_path / 'back.pth'
    assert convert(ours, back, '--to', 'original') == 0
    restored = torch.load(back)['state_dict']
    assert restored.keys() == decoder.keys()
    assert all(torch.equal(restored[name], tensor) for name, tensor in decoder.items())


def test_raw_weights_of_an_encoder(tmp_path, base, capsys):
    model = query_vit(dinov3=True)
    config = write_config(tmp_path / 'videomt.py', model)
    out = tmp_path / 'start.pth'
    assert convert(base[0], out, '--config', config) == 0
    shown = capsys.readouterr().out
    assert 'names of dinov3-transformers (dinov3)' in shown
    assert 'not in the file, left to training: panoptic_head, query_updater' in shown
    checkpoint = load_checkpoint_file(out)
    assert checkpoint['state_dict'].keys() == base[1].keys()
    assert checkpoint['meta']['conversion']['license'].startswith('DINOv3 License')
    assert 'dataset_meta' not in checkpoint['meta']


def test_another_grid_is_said(tmp_path, capsys):
    published, _ = to_theirs(random_weights(query_vit(grid_size=6)))
    torch.save(dict(model=published, iteration=3), tmp_path / 'in.pth')
    config = write_config(tmp_path / 'videomt.py', query_vit(grid_size=4))
    assert convert(tmp_path / 'in.pth', tmp_path / 'out.pth', '--config', config) == 0
    shown = capsys.readouterr().out
    assert 'resampled: positions of a grid of 6 x 6 to 4 x 4\n' in shown
    assert 'tensors of the model are filled' in shown
    assert (
        load_checkpoint_file(tmp_path / 'out.pth')['state_dict']['backbone.pos_embed'].shape[1]
        == 16
    )
