import importlib.util
import json
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path

import helpers
import pytest
import torch
from safetensors.torch import load_file, save_file

from mmvseg.registry import MODELS
from mmvseg.testing.parity import REPLAYERS, Comparison, Row, is_case, load_case, prepared

TOOL = helpers.REPOSITORY / 'tools' / 'check_parity.py'


def kind(folder):
    config = json.loads((folder / 'config.json').read_text())
    return config.get('case_type') or config['case']


CASES = sorted(
    path
    for folder in (
        helpers.reference_dir() / 'dvis',
        helpers.reference_dir() / 'tevit',
        helpers.family_dir('videomt'),
    )
    for path in folder.iterdir()
    if is_case(path) and kind(path) in REPLAYERS
)


@pytest.fixture
def run(monkeypatch, capsys):
    """Call the tool's main: exit status, stdout and stderr."""
    spec = importlib.util.spec_from_file_location('check_parity', TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def call(*args):
        monkeypatch.setattr(sys, 'argv', ['check_parity.py', *map(str, args)])
        with pytest.raises(SystemExit) as exit_info:
            tool.main()
        output = capsys.readouterr()
        return exit_info.value.code, output.out, output.err

    return call


@pytest.fixture
def case_copy(tmp_path) -> Path:
    """A case of its own to spoil."""
    folder = tmp_path / 'case'
    shutil.copytree(helpers.reference_dir() / 'tevit' / 'stqi_head', folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    return folder


def change(path, name, edit):
    tensors = load_file(path)
    tensors[name] = edit(tensors[name])
    save_file(tensors, path)


def change_config(folder, edit):
    config = json.loads((folder / 'config.json').read_text())
    edit(config)
    (folder / 'config.json').write_text(json.dumps(config))


@pytest.mark.parametrize('folder', CASES, ids=lambda path: path.name)
@pytest.mark.parametrize('prepare', [False, True], ids=['plain', 'prepared'])
def test_recorded_case(folder, prepare):
    case = load_case(folder)
    if prepare and case.kind.endswith('loss'):
        return  # prepared models do not train
    comparison = Comparison(case)
    with prepared() if prepare else nullcontext():
        REPLAYERS[case.kind](case, comparison)
    rows = comparison.finish()
    assert {row.name for row in rows} >= set(case.expected)
    assert [row for row in rows if not row.passed] == []


def test_every_replayer_has_a_recorded_case():
    assert {REPLAYERS[kind(path)] for path in CASES} == set(REPLAYERS.values())


def test_prints_a_line_per_output(run, case_copy):
    status, out, _ = run(case_copy)
    assert status == 0
    for name in ('cls_score', 'bbox_delta', 'obj_feat', 'attn_feats'):
        assert f'ok   {name}' in out
    assert '1 of 1 cases agree' in out


def test_brief_shows_failures_only(run, case_copy):
    assert 'cls_score' not in run('--brief', case_copy)[1]
    change(case_copy / 'io.safetensors', 'out.cls_score', lambda tensor: tensor + 1e-3)
    status, out, _ = run('--brief', case_copy)
    assert status == 1
    assert 'FAIL cls_score' in out
    assert 'bbox_delta' not in out


@pytest.mark.parametrize(
    'edit', [lambda t: t + 1e-3, lambda t: t * float('nan'), lambda t: t[:1].clone()]
)
def test_a_difference_fails(run, case_copy, edit):
    change(case_copy / 'io.safetensors', 'out.obj_feat', edit)
    status, out, _ = run(case_copy)
    assert status == 1
    assert 'FAIL obj_feat' in out
    assert '0 of 1 cases agree' in out


def test_an_output_that_nothing_computes_fails(run, case_copy):
    tensors = load_file(case_copy / 'io.safetensors')
    save_file(tensors | {'out.extra': torch.zeros(1)}, case_copy / 'io.safetensors')
    status, out, _ = run(case_copy)
    assert status == 1
    assert 'FAIL extra' in out
    assert 'recorded, not replayed' in out


def test_other_weights_fail(run, case_copy):
    change(case_copy / 'weights.safetensors', 'fc_cls.weight', lambda tensor: tensor * 1.01)
    assert run(case_copy)[0] == 1


def test_weights_that_do_not_fit(run, case_copy):
    change(case_copy / 'weights.safetensors', 'fc_cls.weight', lambda tensor: tensor[:2].clone())
    status, _, err = run(case_copy)
    assert status == 1
    assert 'does not fit' in err
    assert 'fc_cls.weight' in err


def test_files_and_folders_without_config_are_skipped(run, case_copy, tmp_path):
    keys, readme = tmp_path / 'keys', tmp_path / 'README.md'
    keys.mkdir()
    readme.touch()
    status, out, _ = run(keys, readme, case_copy)
    assert status == 0
    assert f'{keys}: skipped' in out
    assert f'{readme}: skipped' in out
    status, _, err = run(keys)
    assert status == 1
    assert 'none of the folders' in err


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (json.dumps(dict(case_type='crystal_ball')), "'crystal_ball' cannot be replayed; known: "),
        (json.dumps(dict(case='crystal_ball')), "'crystal_ball' cannot be replayed; known: "),
        ('{', 'not readable as JSON'),
        ('[]', 'names no kind'),
        (json.dumps(dict(case_type='stqi_head')), "cannot be replayed, KeyError: 'model'"),
    ],
)
def test_broken_config(run, case_copy, text, message):
    (case_copy / 'config.json').write_text(text)
    status, _, err = run(case_copy)
    assert status == 1
    assert str(case_copy) in err
    assert message in err


@pytest.mark.parametrize('name', ['io.safetensors', 'weights.safetensors'])
def test_broken_tensors(run, case_copy, name):
    (case_copy / name).write_bytes(b'no tensors')
    status, _, err = run(case_copy)
    assert status == 1
    assert f'{name}: not readable' in err


def test_missing_folder(run, tmp_path):
    status, _, err = run(tmp_path / 'nowhere')
    assert status == 1
    assert 'nowhere' in err


def test_goes_on_after_a_broken_case(run, case_copy, tmp_path):
    broken = tmp_path / 'broken'
    broken.mkdir()
    (broken / 'config.json').write_text('{')
    status, out, _ = run(broken, case_copy)
    assert status == 1
    assert '1 of 2 cases agree' in out


@pytest.mark.parametrize(
    ('error', 'edit'),
    [
        ('RuntimeError', lambda tensors: {'in.roi_feat': tensors['in.roi_feat'][:-1]}),
        ('TypeError', lambda config: config['model'].update(crystal_ball=1)),
        ('KeyError', lambda config: config['model'].update(type='CrystalBall')),
        ('AttributeError', lambda config: config.update(fp64_deviation=[])),
    ],
)
def test_goes_on_after_a_case_that_cannot_be_replayed(run, case_copy, tmp_path, error, edit):
    intact = tmp_path / 'intact'
    shutil.copytree(case_copy, intact)
    if error == 'RuntimeError':
        tensors = load_file(case_copy / 'io.safetensors')
        save_file(tensors | edit(tensors), case_copy / 'io.safetensors')
    else:
        change_config(case_copy, edit)
    status, out, err = run(case_copy, intact)
    assert status == 1
    assert f'error: {case_copy}: cannot be replayed, {error}: ' in err
    assert f'{intact}: passed' in out
    assert '1 of 2 cases agree' in out


def copy_case(name, folder) -> Path:
    shutil.copytree(helpers.reference_dir() / 'tevit' / name, folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    return folder


@pytest.mark.parametrize('train_cfg', [None, dict(rpn=None, rcnn=None)])
def test_inference_needs_no_train_cfg(run, tmp_path, train_cfg):
    folder = copy_case('tevit_predict_msgshift', tmp_path / 'case')
    change_config(folder, lambda config: config['model'].update(train_cfg=train_cfg))
    assert run(folder)[0] == 0


def test_a_training_step_needs_train_cfg(run, tmp_path):
    folder = copy_case('tevit_loss', tmp_path / 'case')
    change_config(folder, lambda config: config['model'].update(train_cfg=None))
    status, _, err = run(folder)
    assert status == 1
    assert f'{folder}: config.json: a training step needs model.train_cfg.rcnn' in err


def test_another_number_of_results_fails(run, tmp_path):
    folder = copy_case('tevit_predict_msgshift', tmp_path / 'case')
    entries = json.loads((folder / 'results.json').read_text())
    (folder / 'results.json').write_text(json.dumps(entries[1:]))
    status, out, _ = run(folder)
    assert status == 1
    assert 'FAIL results.entries' in out
    assert f'{len(entries)}, recorded {len(entries) - 1}' in out


BACKBONES = [
    dict(type='MsgShifT', embed_dims=8, num_layers=[1, 1, 1, 1]),
    dict(type='MsgShifT', num_msg_tokens=0, embed_dims=8, num_layers=[1, 1, 1, 1]),
    dict(type='PyramidVisionTransformerV2', embed_dims=8, num_layers=[1, 1, 1, 1]),
    dict(type='ResNet', depth=18, base_channels=4, stem_channels=4),
    dict(type='SwinTransformer', embed_dims=8, depths=[1, 1, 1, 1], num_heads=[1, 2, 4, 8]),
]


@pytest.mark.parametrize('model', BACKBONES, ids=lambda model: model['type'])
def test_backbones_with_their_default_arguments(run, tmp_path, model):
    backbone = MODELS.build(model)
    backbone.eval()
    frames = torch.rand(4, 3, 64, 64)
    with torch.no_grad():
        with_messengers = hasattr(backbone, 'msg_tokens')
        maps = backbone(frames, 2) if with_messengers else backbone(frames)
    expected = {f'out.feat{i}': feature_map.contiguous() for i, feature_map in enumerate(maps)}
    config = dict(case_type='backbone', model=model, case=dict(B=2, T=2))
    (tmp_path / 'config.json').write_text(json.dumps(config))
    save_file({'in.img': frames} | expected, tmp_path / 'io.safetensors')
    save_file(backbone.state_dict(), tmp_path / 'weights.safetensors')
    status, out, _ = run(tmp_path)
    assert status == 0
    assert f'passed, {len(maps)} outputs' in out


def test_list(run):
    status, out, _ = run('--list')
    assert status == 0
    assert out.split() == sorted(REPLAYERS)


def test_nan_never_passes():
    assert not Row('x', float('nan'), 1.0).passed
    assert Row('x', 0.5, 0.5).passed


def test_tolerance_follows_the_recorded_noise(case_copy):
    case = load_case(case_copy)
    noise = case.config['fp64_deviation']
    assert case.tolerance('cls_score') == pytest.approx(10 * noise['out.cls_score'])
    noise.pop('out.cls_score')
    scale = case.expected['cls_score'].abs().max().item()
    assert case.tolerance('cls_score') == pytest.approx(1e-4 * max(1, scale))
