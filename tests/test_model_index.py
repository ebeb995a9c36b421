"""The model index: what it says about each config is so, and mistakes in it are named."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from helpers import REPOSITORY, reference_dir
from mmengine.registry import init_default_scope

from mmvseg.checkpoints.skeleton import build_skeleton
from mmvseg.engine.categories import sync_num_classes
from mmvseg.engine.config import load_config
from mmvseg.errors import UserError
from mmvseg.model_index import describe_models, find_entry, load_model_index

FOLDERS = ('tevit', 'queryinst', 'mask2former', 'minvis', 'dvis', 'eomt', 'videomt', 'pmt')
MODELS = {model.name: model for model in load_model_index('model-index.yml')}
#: What is known of published files, a row a file, as their authors' pages state it.
FACTS = {
    row['config']: row for row in json.loads(Path('tests/data/published_weights.json').read_text())
}
#: Names of metrics there, where they are others than here.
METRICS = {
    'VPQthing': 'VPQ things',
    'VPQstuff': 'VPQ stuff',
    'Boundary AP': 'boundary AP',
    'mAP': 'AP',
}
TASKS = dict(CocoDataset='image', CocoPanopticDataset='image', CocoStuffDataset='image')
DATA = {
    ('CocoDataset', None): 'COCO',
    ('CocoPanopticDataset', None): 'COCO panoptic',
    ('CocoStuffDataset', None): 'COCO-Stuff',
    ('CocoClipDataset', '2019'): 'COCO',
    ('CocoClipDataset', '2021'): 'COCO',
    ('CocoClipDataset', 'ovis'): 'COCO',
    ('YouTubeVISDataset', '2019'): 'YouTube-VIS 2019',
    ('YouTubeVISDataset', '2021'): 'YouTube-VIS 2021',
    ('YouTubeVISDataset', 'ovis'): 'OVIS',
    ('YouTubeVISDataset', 'lvvis'): 'LV-VIS',
    ('YouTubeVISDataset', 'object'): 'DAVIS 2017',
    ('VIPSegDataset', 'vipseg'): 'VIPSeg',
    ('VSPWDataset', None): 'VSPW',
    ('CityscapesVPSDataset', 'cityscapes_vps'): 'Cityscapes-VPS',
    ('STEPDataset', 'kitti_step'): 'KITTI-STEP',
    ('STEPDataset', 'motchallenge_step'): 'MOTChallenge-STEP',
}
#: parameters by the part of a config that decides about them
COUNTED = {}
#: lists of parameters of the originals, by the config that they are of
ORIGINALS = {
    'youtubevis_2019__MinVIS_R50': 'minvis_r50_ytvis19',
    'youtubevis_2019__DVIS_Online_R50': 'dvis_online_r50_ytvis19',
    'youtubevis_2019__DVIS_Offline_R50': 'dvis_offline_r50_ytvis19',
    'youtubevis_2019__swin__DVIS_Offline_SwinL': 'dvis_offline_swin-l_ytvis19',
    'VIPSeg__DVIS_Offline_R50_720p': 'dvis_offline_r50_vipseg',
    'VSPW__DVIS_Online_R50_720p': 'dvis_online_r50_vspw',
    'queryinst_r50_fpn_100': 'queryinst_r50_fpn_100_coco',
    'queryinst_pvtv2-b1_fpn_100': 'queryinst_pvtv2-b1_fpn_100_coco',
}


def test_every_config_is_listed_once():
    configs = [str(path) for folder in FOLDERS for path in Path('configs', folder).glob('*.py')]
    assert sorted(model.config for model in MODELS.values()) == sorted(configs)


@pytest.mark.parametrize('model', MODELS.values(), ids=MODELS)
def test_an_entry_says_what_the_config_does(model):
    cfg = load_config(model.config)
    init_default_scope('mmvseg')
    train = cfg.train_dataloader.dataset
    sync_num_classes(cfg)
    assert model.parameters == count_parameters(cfg.model)
    assert model.queries == queries_of(cfg.model)
    assert model.backbone == backbone_of(cfg.model.backbone)
    assert model.iterations == cfg.train_cfg.get('max_iters')
    assert model.epochs == cfg.train_cfg.get('max_epochs')
    assert model.task == TASKS.get(parts_of(train)[0].type) or model.task == task_of(cfg.model)
    assert model.training_data == tuple(DATA[d.type, d.get('version')] for d in parts_of(train))
    gpus, clips = re.search(r'# (\d+) GPUs x (\d+)', Path(model.config).read_text()).groups()
    assert cfg.train_dataloader.batch_size == int(clips)
    assert model.batch_size == int(gpus) * int(clips)
    if 'clip' in parts_of(train)[0]:
        assert {model.frames_per_clip} == {part.clip.num_frames for part in parts_of(train)}
        resize = cfg.test_dataloader.dataset.pipeline[1]
        assert model.test_short_side == min(resize.scale)
    else:
        assert (model.frames_per_clip, model.test_short_side) == (None, None)


def task_of(model):
    return (model.get('test_cfg') or {}).get('task', 'vis')


def parts_of(dataset):
    return list(dataset.datasets.values()) if 'datasets' in dataset else [dataset]


def count_parameters(cfg):
    """Those that some stage of training changes: DVIS freezes what its earlier stages train."""
    settings = ('criterion', 'data_preprocessor', 'test_cfg', 'train_cfg', 'absent_as_background')
    key = json.dumps({key: value for key, value in cfg.items() if key not in settings})
    if key not in COUNTED:
        backbone = build_skeleton(cfg.backbone).parameters()
        COUNTED[key] = sum(part.numel() for part in backbone if part.requires_grad) + sum(
            parameter.numel()
            for name, parameter in build_skeleton(cfg).named_parameters()
            if not name.startswith('backbone.')
        )
    return COUNTED[key]


def queries_of(cfg):
    return cfg.panoptic_head.num_queries if 'panoptic_head' in cfg else cfg.rpn_head.num_proposals


def backbone_of(cfg):
    if cfg.type == 'ResNet':
        return f'ResNet-{cfg.depth}'
    if cfg.type == 'SwinTransformer':
        return {96: 'Swin-T', 192: 'Swin-L'}[cfg.embed_dims]
    if cfg.type == 'DINOViT':
        size = {384: 'S', 768: 'B', 1024: 'L'}[cfg.embed_dims]
        return f'ViT-{size} ({dict(learned="DINOv2", rotary="DINOv3")[cfg.position]})'
    return dict(MsgShifT='MsgShifT', PyramidVisionTransformerV2='PVTv2-b1')[cfg.type]


def test_parameters_are_those_of_the_originals():
    counts = {}
    for path in reference_dir().glob('*/keys/param_counts.json'):
        found = json.loads(path.read_text())
        if isinstance(found, list):
            counts |= {Path(c['file']).stem: round(c['total_M'] * 1e6) for c in found}
        else:
            counts |= {name: count['trainable'] for name, count in found.items()}
    assert len(counts) >= 5
    for name, count in counts.items():
        assert MODELS[ORIGINALS.get(name, name)].parameters == count, name


def facts_of(model):
    return FACTS[model.config]


WITH_WEIGHTS = {name: model for name, model in MODELS.items() if model.weights}


def test_weights_are_listed_where_facts_know_a_file_and_nowhere_else():
    assert {model.config for model in WITH_WEIGHTS.values()} == set(FACTS)
    assert all(model.weights for model in MODELS.values() if model.results)


@pytest.mark.parametrize('model', WITH_WEIGHTS.values(), ids=WITH_WEIGHTS)
def test_addresses_and_hashes_are_those_of_the_facts(model):
    weights, facts = model.weights, facts_of(model)
    others = [address.partition(' ')[0] for address in facts.get('alt', [])]
    assert weights.kind == facts['kind']
    if weights.kind == 'direct':
        assert weights.url == facts['url']
        assert weights.file_name == facts['file']
    else:
        assert weights.url is None
        assert weights.shares == (facts['url'], *others)
    for address in (*weights.places, weights.page, model.collection.paper_url):
        assert re.fullmatch(r'https://[\w.-]+\.[a-z]+/[\w./?=%&~+-]+', address)
    assert weights.sha256 == facts.get('sha256', facts.get('sha256_prefix'))
    assert weights.md5 == facts.get('md5_prefix')
    stated = facts.get('size', '').partition(' (')[0]
    if weights.num_bytes:
        assert f'{weights.num_bytes} B' == stated
        number, unit = weights.size.split()
        exact = weights.num_bytes / {'MB': 1e6, 'GB': 1e9}[unit]
        assert float(number) == pytest.approx(exact, abs=0.5 if unit == 'MB' else 0.005)
    else:
        assert (weights.size or '') == stated


@pytest.mark.parametrize('model', WITH_WEIGHTS.values(), ids=WITH_WEIGHTS)
def test_numbers_of_the_weights_are_those_of_the_facts(model):
    known = {
        METRICS.get(k, k.replace('@', '')): v for k, v in facts_of(model).get('numbers', {}).items()
    }
    numbers = model.numbers('weights')
    assert numbers.items() <= known.items()
    assert bool(numbers) == bool(known)


@pytest.mark.parametrize('model', WITH_WEIGHTS.values(), ids=WITH_WEIGHTS)
def test_licences_are_those_of_the_facts(model):
    stated = facts_of(model)['licence_weights']
    names = re.findall(r'CC BY-NC(?:-SA)? 4\.0|MIT|Apache 2\.0', model.license.name)
    assert names
    assert all(name in stated for name in names)
    assert model.license.non_commercial == ('CC BY-NC' in stated)


def test_numbers_of_papers_are_told_from_those_of_files():
    papers = {name: model.numbers('paper') for name, model in MODELS.items()}
    assert {name: numbers for name, numbers in papers.items() if numbers} == {
        'tevit_msgshift': {'AP': 45.9},
        'tevit_msgshift_mstrain': {'AP': 46.6},
    }
    sources = {result.source for model in MODELS.values() for result in model.results}
    assert sources == {'weights', 'paper'}
    (result,) = MODELS['minvis_swin-l_ytvis21'].results
    assert result.note == 'tested at 360, not 480'


def test_published_numbers_are_those_that_configs_state():
    stated = {}
    for model in MODELS.values():
        heading = ' '.join(Path(model.config).read_text().split('\n_base_')[0].split('\n# '))
        if found := re.search(r'Published ([\w ]+) on (.+?): ([\d.]+)', heading):
            stated[model.name] = found.groups()
    listed = {}
    for model in MODELS.values():
        if model.results:
            metric, value = next(iter(model.results[0].metrics.items()))
            listed[model.name] = (metric, model.results[0].dataset, str(value))
    assert listed == stated


def test_non_commercial_weights_are_marked():
    marked = {
        model.collection.name for model in WITH_WEIGHTS.values() if model.license.non_commercial
    }
    assert marked == {'Mask2Former', 'MinVIS', 'DVIS online', 'DVIS offline'}


def test_models_are_found_by_name():
    assert find_entry('tevit_r50').config_file == REPOSITORY / 'configs/tevit/tevit_r50.py'
    with pytest.raises(UserError, match=r"'tevit_r05' is no model .* did you mean tevit_r50 or"):
        find_entry('tevit_r05')
    with pytest.raises(UserError, match='mmvseg models lists them'):
        find_entry('xxxxxxxx')


def test_the_list_has_what_is_asked_for():
    header, *rows = describe_models(MODELS.values(), ['OVIS', 'swin-l', 'dvis_online'])
    assert header.split()[:4] == ['name', 'task', 'backbone', 'data']
    names = [row.split()[0] for row in rows]
    assert names == [name for name in MODELS if name.startswith('dvis_online_swin-l_ovis')]
    assert 'AP 46.0' in rows[0]
    assert 'by browser: pan.baidu.com' in rows[0]
    assert rows[-1].endswith('none')
    assert len(describe_models(MODELS.values())) == len(MODELS) + 1
    (_, row) = describe_models(MODELS.values(), ['minvis_r50_ytvis19'])
    assert row.split() == [
        *('minvis_r50_ytvis19', 'vis', 'ResNet-50', 'YouTube-VIS', '2019', '+', 'COCO'),
        *('AP', '47.3', 'non-commercial', '528', 'MB', 'huggingface.co'),
    ]


@pytest.mark.parametrize('other', ['ytvis', 'YTVIS19', 'ytvis2019', 'instance'])
def test_the_list_knows_data_and_tasks_by_other_names(other):
    names = [row.split()[0] for row in describe_models(MODELS.values(), [other, 'tevit'])[1:]]
    assert sorted(names) == sorted(name for name in MODELS if name.startswith('tevit'))
    assert len(describe_models(MODELS.values(), [other, 'tevit', 'panoptic'])) == 1


def test_models_without_weights_are_last_in_the_list():
    names = [row.split()[0] for row in describe_models(MODELS.values(), ['ovis'])[1:]]
    have = [MODELS[name].weights is not None for name in names]
    assert {*have} == {True, False}
    assert have == sorted(have, reverse=True)


def test_the_list_needs_no_torch():
    code = (
        'import sys, mmvseg.model_index as index\n'
        'index.describe_models(index.known_models().values())\n'
        "print([name for name in ('torch', 'mmengine', 'mmdet', 'cv2') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout == '[]\n'


@pytest.fixture
def index(tmp_path):
    """A copy of the index with one metafile, that a test may spoil."""
    metafile = Path('configs/tevit/metafile.yml')
    for path in (metafile, *Path('configs/tevit').glob('*.py'), Path('docs/models.md')):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / path)
    code = tmp_path / 'mmvseg/models/segmentors/tevit.py'
    code.parent.mkdir(parents=True)
    code.touch()
    index = tmp_path / 'model-index.yml'
    index.write_text(yaml.safe_dump(dict(Import=[str(metafile)])))
    return index


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda c, m: m.pop('Config'), "Models: tevit_r50: key 'Config' is missing"),
        (lambda c, m: m.pop('Name'), "Models: entry 3: key 'Name' is missing"),
        (lambda c, m: m.pop('Weights Page'), "Models: tevit_r50: key 'Weights Page' is missing"),
        (lambda c, m: m.pop('Weights'), "'Weights' is the address of a file that a program"),
        (
            lambda c, m: m.update(Weights='http://a/b.pth'),
            "tevit_r50: Weights: an address (https://…) expected, got 'http://a/b.pth'",
        ),
        (
            lambda c, m: m.update(Weights='https://me:secret@a.b/c.pth'),
            'tevit_r50: Weights: an address (https://…) expected',
        ),
        (
            lambda c, m: m.update({'Weights File': {'MD5': 'xyz'}}),
            "tevit_r50, Weights File: MD5: 6 to 64 digits 0 to f expected, got 'xyz'",
        ),
        (
            lambda c, m: m.update({'Weights File': {'Kind': 'torrent'}}),
            'tevit_r50, Weights File: Kind: one of direct, browser, gated expected',
        ),
        (
            lambda c, m: m['Metadata'].update(Task='sts'),
            'tevit_r50, Metadata: Task: one of vis, vps, vss, image expected',
        ),
        (lambda c, m: m.update({'In Collection': 'Tevit'}), "no 'Tevit' in this file, only TeViT"),
        (lambda c, m: m.update(Config='configs/a.py'), 'Config: there is no file configs/a.py'),
        (
            lambda c, m: m.update(Config='configs/tevit/tevit_msgshift.py'),
            'tevit_r50: Config: configs/tevit/tevit_msgshift.py is not named like the model',
        ),
        (lambda c, m: m.update(Result=[]), "tevit_r50: unknown key 'Result'"),
        (lambda c, m: m.update(Results={}), 'tevit_r50: Results: list expected, got {}'),
        (
            lambda c, m: m['Results'][0]['Metrics'].update(AP='42,1'),
            "tevit_r50, Results: entry 1, Metrics: AP: float expected, got '42,1'",
        ),
        (
            lambda c, m: m['Metadata'].update(Queries=True),
            'tevit_r50, Metadata: Queries: int expected, got True',
        ),
        (
            lambda c, m: m['Metadata'].update({'Training Data': 'OVIS'}),
            "Metadata: Training Data: list expected, got 'OVIS'",
        ),
        (
            lambda c, m: m['Metadata'].update({'Training Data': [2019]}),
            'Training Data: a list of names expected, got [2019]',
        ),
        (lambda c, m: m['Metadata'].update(Epochs=3), "either 'Iterations' or 'Epochs' is needed"),
        (lambda c, m: m.update(Metadata=None), 'tevit_r50: Metadata: dict expected, got None'),
        (lambda c, m: c.pop('Paper'), "Collections: TeViT: key 'Paper' is missing"),
        (lambda c, m: c['Paper'].update(Year=2022), "TeViT, Paper: unknown key 'Year'"),
        (
            lambda c, m: c['Weights License'].update({'Non-Commercial': 'no'}),
            "TeViT, Weights License: Non-Commercial: bool expected, got 'no'",
        ),
    ],
)
def test_mistakes_are_named_with_file_entry_and_key(index, change, message):
    path = index.parent / 'configs/tevit/metafile.yml'
    content = yaml.safe_load(path.read_text())
    change(content['Collections'][0], content['Models'][2])
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(UserError) as caught:
        load_model_index(index)
    assert str(caught.value).startswith(f'{path}, ')
    assert message in str(caught.value)


def test_broken_files_are_named(index):
    path = index.parent / 'configs/tevit/metafile.yml'
    good = path.read_text()
    assert len(load_model_index(index)) == 5
    index.write_text(yaml.safe_dump(dict(Import=['configs/tevit/metafile.yml'] * 2)))
    with pytest.raises(UserError, match=r"metafile\.yml: model 'tevit_msgshift' is listed twice"):
        load_model_index(index)
    index.write_text(yaml.safe_dump(dict(Import=['configs/tevit/metafile.yml'])))
    for content, message in {
        good.replace('Paper:', 'Paper: [', 1): 'metafile.yml: not YAML: .*line',
        '- a': 'metafile.yml: keys with values expected',
        good + 'Model: []': "metafile.yml: unknown key 'Model'",
    }.items():
        path.write_text(content)
        with pytest.raises(UserError, match=message):
            load_model_index(index)
    path.unlink()
    with pytest.raises(UserError, match=r'metafile\.yml: cannot be read: .*No such file'):
        load_model_index(index)


def test_an_installed_package_lacks_documents_and_code(index):
    root = index.parent
    shutil.rmtree(root / 'docs')
    shutil.rmtree(root / 'mmvseg')
    assert len(load_model_index(index)) == 5
    (root / 'docs').mkdir()
    with pytest.raises(UserError, match=r'README: there is no file docs/models\.md'):
        load_model_index(index)
