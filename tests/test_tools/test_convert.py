"""Published files to checkpoints of this package: outputs agree, and the way back is exact."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import REPOSITORY, reference_dir
from mmengine.config import Config
from published_names import name_lists, published_weights
from safetensors.torch import save_file
from tool import run_tool
from unpickled import Payload

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.checkpoints.weights import load_model_weights
from mmvseg.converters.translate import to_theirs
from mmvseg.engine.config import load_config
from mmvseg.errors import UserError
from mmvseg.registry import MODELS
from mmvseg.testing.parity import REPLAYERS, Comparison, dvis_video, load_case, tevit_config


def write_published(weights, path):
    """As detectron2 (numpy), detectron2 and mmdet (torch) and others publish weights."""
    if path.suffix == '.pkl':
        arrays = {name: tensor.numpy() for name, tensor in weights.items()}
        path.write_bytes(pickle.dumps(dict(model=arrays, __author__='third_party')))
    elif path.suffix == '.safetensors':
        save_file(weights, path)
    else:
        torch.save(dict(model=weights, iteration=np.int64(3)), path)


def convert(*args):
    return run_tool('model_converters/convert', *map(str, args))


def small_config(case, folder):
    """A config with the model of a recorded case and nothing else."""
    if 'model' in case.config:
        model = tevit_config.model_config(case.config['model'], case.config['case']['T'])
    else:
        model = dvis_video.model_config(case)
    path = folder / 'small.py'
    Config(dict(model=model)).dump(path)
    return path


@pytest.mark.parametrize(
    ('folder', 'suffix', 'out'),
    [
        ('tevit/tevit_predict_msgshift', '.pth', 'ours.pth'),
        ('dvis/dvis_offline_vis', '.pkl', 'ours.safetensors'),
        ('dvis/dvis_offline_vis', '.safetensors', 'ours.pth'),
    ],
)
def test_outputs_of_converted_files_agree(tmp_path, folder, suffix, out):
    case = load_case(reference_dir() / folder)
    published, ours = tmp_path / f'published{suffix}', tmp_path / out
    write_published(case.weights, published)
    assert convert(published, ours, '--config', small_config(case, tmp_path)) == 0
    checkpoint = load_checkpoint_file(ours)
    # by our names, which the converter leaves as they are
    converted = replace(case, weights=checkpoint['state_dict'])
    comparison = Comparison(converted)
    REPLAYERS[case.kind](converted, comparison)
    assert all(row.passed for row in comparison.finish())
    back = tmp_path / 'back.safetensors'
    assert convert(ours, back, '--to', 'original') == 0
    restored = load_checkpoint_file(back)['state_dict']
    assert restored.keys() == case.weights.keys()
    assert all(torch.equal(restored[name], tensor) for name, tensor in case.weights.items())


@pytest.fixture(scope='module')
def published_r50(tmp_path_factory):
    """A full-size MinVIS for 40 classes as a published file, and its weights."""
    path = tmp_path_factory.mktemp('published') / 'model_final.pth'
    names = next(path for path in name_lists() if path.stem == 'youtubevis_2019__MinVIS_R50')
    weights = published_weights(names, with_values=True)
    torch.save(dict(model=weights), path)
    return path, weights


def test_config_is_found_by_the_shapes(published_r50, tmp_path, capsys):
    path, weights = published_r50
    ours = tmp_path / 'ours.pth'
    assert convert(path, ours, '--from', 'minvis') == 0
    shown = capsys.readouterr().out
    assert '558 tensors with the names of detectron2-resnet' in shown
    assert 'all 610 tensors of the model are filled' in shown
    # YouTube-VIS 2019 and 2021 have 40 classes each, but not the same
    assert 'minvis_r50_ytvis19.py' in shown
    assert 'minvis_r50_ytvis21.py' in shown
    assert 'class names are not noted' in shown
    meta = load_checkpoint_file(ours)['meta']
    assert 'dataset_meta' not in meta
    note = meta['conversion']
    assert note['source'] == 'model_final.pth'
    assert len(note['sha256']) == 64
    assert note['converter'].startswith('mmvseg ')
    assert 'configs/minvis/minvis_r50_ytvis19.py' in note['configs']
    back = tmp_path / 'back.pth'
    assert convert(ours, back, '--to', 'original', '--config', note['configs'][0]) == 0
    restored = torch.load(back, weights_only=True)['model']
    assert restored.keys() == weights.keys()
    assert all(torch.equal(restored[name], tensor) for name, tensor in weights.items())


def test_config_tells_the_classes(published_r50, tmp_path):
    ours = tmp_path / 'ours.pth'
    assert convert(published_r50[0], ours, '--config', 'configs/minvis/minvis_r50_ytvis21.py') == 0
    meta = load_checkpoint_file(ours)['meta']
    assert meta['dataset_meta']['classes'][1] == 'bear'
    assert 'MinVIS' in meta['cfg']
    assert meta['conversion']['left_to_training'] == []


@pytest.mark.parametrize('to', ['mmvseg', 'original'])
def test_weights_that_are_not_finite_are_named(tmp_path, capsys, to):
    case = load_case(reference_dir() / 'dvis/dvis_offline_vis')
    source = tmp_path / 'published.pth'
    name = next(name for name, tensor in case.weights.items() if tensor.is_floating_point())
    weights = dict(case.weights, **{name: torch.full_like(case.weights[name], torch.nan)})
    write_published(weights, source)
    ours, config = tmp_path / 'ours.pth', small_config(case, tmp_path)
    assert convert(source, ours, '--config', config) == 0
    if to == 'original':
        capsys.readouterr()
        assert convert(ours, tmp_path / 'back.pth', '--to', 'original') == 0
    assert (
        'warning: not finite (NaN or infinity) are values of 1 tensor:' in capsys.readouterr().out
    )


def test_start_for_other_classes(published_r50, tmp_path, capsys):
    ours = tmp_path / 'ours.pth'
    assert convert(published_r50[0], ours, '--config', 'configs/minvis/minvis_r50_ovis.py') == 0
    shown = capsys.readouterr().out
    assert 'initialised anew when training starts: panoptic_head.cls_embed\n' in shown
    checkpoint = load_checkpoint_file(ours)
    assert checkpoint['meta']['conversion']['left_to_training'] == ['panoptic_head.cls_embed']
    assert 'dataset_meta' not in checkpoint['meta']
    assert 'panoptic_head.cls_embed.weight' not in checkpoint['state_dict']


def test_start_of_the_next_stage(published_r50, tmp_path, capsys):
    config = 'configs/dvis/dvis_online_r50_ytvis19.py'
    ours = tmp_path / 'ours.safetensors'
    assert convert(published_r50[0], ours, '--config', config) == 0
    assert 'not in the file, left to training: tracker' in capsys.readouterr().out
    note = load_checkpoint_file(ours)['meta']['conversion']
    assert note['left_to_training'] == ['tracker']
    assert note['configs'] == [config]


def test_a_frozen_segmenter_has_to_know_the_classes(published_r50, tmp_path, capsys):
    config = 'configs/dvis/dvis_online_r50_ovis.py'  # 25 classes; its segmenter is not trained
    assert convert(published_r50[0], tmp_path / 'ours.pth', '--config', config) == 1
    shown = capsys.readouterr().err
    assert 'cls_embed.weight: (41, 256) in the checkpoint, (26, 256) in the model' in shown
    assert '2 of them are frozen in this training' in shown


def test_classes_that_a_checkpoint_knows_are_not_replaced(published_r50, tmp_path, capsys):
    ours, again = tmp_path / 'ours.pth', tmp_path / 'again.safetensors'
    assert convert(published_r50[0], ours, '--config', 'configs/minvis/minvis_r50_ytvis19.py') == 0
    assert convert(ours, again, '--config', 'configs/minvis/minvis_r50_ytvis21.py') == 1
    assert 'the classes of checkpoint' in capsys.readouterr().err
    assert convert(ours, again) == 0  # into another format
    first, second = (load_checkpoint_file(path)['meta'] for path in (ours, again))
    assert second['conversion']['source'] == 'model_final.pth'
    assert second['conversion']['sha256'] == first['conversion']['sha256']
    assert list(second['dataset_meta']['classes']) == list(first['dataset_meta']['classes'])


def test_a_source_that_the_shapes_contradict(published_r50, tmp_path, capsys):
    assert convert(published_r50[0], tmp_path / 'ours.pth', '--from', 'mask2former') == 1
    shown = capsys.readouterr().err
    assert 'is no model of mask2former; it is that of configs/minvis/minvis_r50_ytvis19.py' in shown


def test_misfit_shows_what_differs(published_r50, tmp_path, capsys):
    ours = tmp_path / 'ours.pth'
    assert convert(published_r50[0], ours, '--config', 'configs/tevit/tevit_r50.py') == 1
    shown = capsys.readouterr().err
    assert 'tevit_r50.py: checkpoint and model do not belong together' in shown
    assert 'in the checkpoint only' in shown
    assert 'in the model only' in shown
    assert not ours.exists()


@pytest.mark.parametrize(
    ('weights', 'message'),
    [
        (
            {'encoder.weight': torch.zeros(1)},
            'does not hold the names of any known checkpoint, but e.g. encoder.weight\n',
        ),
        (
            {
                'sem_seg_head.pixel_decoder.mask_features.weight': torch.zeros(1),
                'backbone.stem.conv1.weight': torch.zeros(1),
                'sem_seg_head.own.weight': torch.zeros(1),
            },
            '1 tensor not of detectron2-resnet (mask2former, minvis, dvis): '
            'sem_seg_head.own.weight',
        ),
        (
            {
                'sem_seg_head.pixel_decoder.mask_features.weight': torch.zeros(1),
                'backbone.stem.conv1.weight': torch.zeros(1),
            },
            'fits the model of no config',
        ),
        ({}, 'holds no weights'),
    ],
)
def test_other_checkpoints_are_refused(tmp_path, capsys, weights, message):
    torch.save(dict(model=weights), tmp_path / 'in.pth')
    assert convert(tmp_path / 'in.pth', tmp_path / 'out.pth') == 1
    assert message in capsys.readouterr().err


def test_source_that_the_names_contradict(tmp_path, capsys):
    torch.save({'patch_embed1.proj.weight': torch.zeros(1)}, tmp_path / 'in.pth')
    assert convert(tmp_path / 'in.pth', tmp_path / 'out.pth', '--from', 'dvis') == 1
    assert 'not hold the names of a checkpoint of dvis' in (shown := capsys.readouterr().err)
    assert 'they look like pvtv2 (pvtv2)' in shown


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        (('in.pth', 'in.pth'), 'is the input'),
        (('in.pth', 'out.pkl'), 'written as .pth or .safetensors'),
        (('none.pth', 'out.pth'), 'no such file'),
    ],
)
def test_paths_are_checked(tmp_path, capsys, names, message):
    torch.save({'a': torch.zeros(1)}, tmp_path / 'in.pth')
    assert convert(*(tmp_path / name for name in names)) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize('extra', [(), ('--to', 'original')])
def test_code_in_a_pickle_is_refused(tmp_path, capsys, extra):
    witness = tmp_path / 'witness'
    (tmp_path / 'in.pkl').write_bytes(pickle.dumps(dict(model=Payload(witness))))
    assert convert(tmp_path / 'in.pkl', tmp_path / 'out.pth', *extra) == 1
    assert 'mkdir' in capsys.readouterr().err
    assert not witness.exists()


def test_a_training_starts_from_a_classifier(tmp_path):
    """PVTv2 as ImageNet's classifiers are published, into the backbone of a TeViT."""
    config = load_config(str(REPOSITORY / 'configs/shapes/tevit_msgshift_shapes.py'))
    model = MODELS.build(config.model)
    ours = {n: t for n, t in model.state_dict().items() if n.startswith('backbone.layers')}
    published, _ = to_theirs(ours)
    classifier = {'head.weight': torch.zeros(1000, 8), 'head.bias': torch.zeros(1000)}
    torch.save(published | classifier, tmp_path / 'pvt_v2.pth')
    own = dict(model=config.model, allow_missing=['backbone.msg_tokens'])
    Config(own).dump(tmp_path / 'own.py')
    start = tmp_path / 'start.pth'
    assert convert(tmp_path / 'pvt_v2.pth', start, '--config', tmp_path / 'own.py') == 0
    other = MODELS.build(config.model)
    checkpoint = load_checkpoint_file(start)
    report = load_model_weights(other, checkpoint, str(start))
    assert sorted(report.filled) == sorted(ours)
    assert all(torch.equal(other.state_dict()[name], tensor) for name, tensor in ours.items())
    with pytest.raises(UserError, match='as a start for training'):
        load_model_weights(other, checkpoint, str(start), strict=True)
