"""The six lines of docs/data.md, that train any family on own data."""

import json
import re

import pytest
from helpers import REPOSITORY
from mmengine.config import Config
from tool import run_tool

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.datasets.shapes import ShapesOptions, ShapesRequest, write_shapes
from mmvseg.engine.config import load_config
from mmvseg.engine.launch import metrics_of
from mmvseg.errors import UserError

CONFIGS = REPOSITORY / 'configs'
LAYOUTS = dict(vis='youtube_vis', vps='vipseg', vss='vspw')
#: As in docs/data.md, with the names that write_shapes gives.
RECIPES = {
    'vis': """_base_ = '{base}'
own_data = dict(
    **dict(data_root='{root}', data_prefix=dict(img='train/JPEGImages')),
    **dict(train='train.json', val='train.json'),
)
load_from = {load_from!r}
""",
    'vps': """_base_ = '{base}'
own_data = dict(
    data_root='{root}', data_prefix=dict(img='images', mask='panomasksRGB'),
    train='panoptic_gt_VIPSeg_train.json', val='panoptic_gt_VIPSeg_train.json',
)
load_from = {load_from!r}
""",
    'vss': """_base_ = '{base}'
own_data = dict(
    data_root='{root}', data_prefix=dict(img='data'), train='train.txt', val='train.txt'
)
load_from = {load_from!r}
""",
}
METRICS = dict(vis='youtube_vis/AP: ', vps='VPQ', vss='vspw/mIoU: ')
RUN = [
    *('train_cfg.max_iters=1', 'train_cfg.val_interval=1', 'train_dataloader.num_workers=0'),
    *('train_dataloader.persistent_workers=False', 'val_dataloader.num_workers=0'),
    *('val_dataloader.persistent_workers=False', 'train_dataloader.batch_size=1'),
    *(
        'train_dataloader.dataset.clip.num_frames=2',
        'val_dataloader.dataset.pipeline.1.scale=(64,48)',
    ),
]


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A data set of each layout with classes of its own."""
    folder = tmp_path_factory.mktemp('own')
    for layout in LAYOUTS.values():
        options = ShapesOptions(height=48, width=64, length=3)
        write_shapes(folder / layout, ShapesRequest(options, train=1, val=0, layout=layout))
    path = folder / 'youtube_vis/train.json'
    content = json.loads(path.read_text())
    content['categories'] = [dict(c, name=f'own {c["name"]}') for c in content['categories']]
    path.write_text(json.dumps(content))
    return folder


def small_model(family, task):
    suffix = '' if task == 'vis' else f'_{task}'
    model = Config.fromfile(CONFIGS / f'shapes/{family}_shapes{suffix}.py').model
    if 'panoptic_head' in model:
        model.backbone.update(embed_dims=8, num_layers=[1] * 4, mlp_ratios=[2] * 4)
        model.panoptic_head.in_channels = [8, 16, 40, 64]
        model.panoptic_head.transformer_decoder.num_layers = 1
        model.criterion.num_points = 16
    return model.to_dict()


def write_recipe(path, base, task, data, load_from=None):
    text = RECIPES[task].format(
        base=CONFIGS / f'{base}.py', root=f'{data / LAYOUTS[task]}/', load_from=load_from
    )
    path.write_text(text)
    return path


def train(path, family, task, size):
    """Train a recipe's config, but a small model on small frames."""
    with path.open('a') as file:
        file.write(f'model = dict(_delete_=True, **{small_model(family, task)!r})\n')
    pipeline = load_config(path).train_dataloader.dataset.pipeline
    kept = [dict(pipeline[0]), dict(type='ResizeClip', scale=size), dict(pipeline[-1])]
    options = [*RUN, f'train_dataloader.dataset.pipeline={kept}']
    work_dir = path.with_suffix('')
    args = [str(path), '--amp', 'bf16', '--work-dir', str(work_dir)]
    status = run_tool('train', *args, '--cfg-options', *options)
    return status, work_dir / 'iter_1.pth'


@pytest.mark.parametrize(
    ('task', 'stages'),
    [
        (
            'vis',
            [
                *('minvis/minvis_r50_ytvis19', 'dvis/dvis_online_r50_ytvis19'),
                'dvis/dvis_offline_r50_ytvis19',
            ],
        ),
        ('vis', ['minvis/minvis_r50_ovis']),
        ('vis', ['tevit/tevit_msgshift']),
        ('vps', ['minvis/minvis_r50_vipseg']),
        ('vss', ['minvis/minvis_r50_vspw']),
    ],
    ids=['stages of dvis', 'minvis without coco', 'tevit', 'vps', 'vss'],
)
def test_six_lines_train_each_family(data, tmp_path, capsys, task, stages):
    checkpoint = None
    for base in stages:
        family = re.match(r'minvis|dvis_\w+?line|tevit_msgshift', base.split('/')[1])[0]
        path = write_recipe(tmp_path / f'{family}.py', base, task, data, checkpoint)
        assert len(path.read_text().splitlines()) <= 6  # and they are all there is to write
        status, checkpoint = train(path, family, task, (64, 48))
        shown = capsys.readouterr()
        assert status == 0, shown.err
        assert METRICS[task] in shown.out + shown.err  # validated
        classes = load_checkpoint_file(checkpoint)['meta']['dataset_meta']['classes']
        assert task != 'vis' or all(name.startswith('own ') for name in classes)
        checkpoint = str(checkpoint)


ALL = sorted(
    f'{path.parent.name}/{path.stem}'
    for folder in ('tevit', 'minvis', 'dvis', 'videomt', 'pmt')
    for path in (CONFIGS / folder).glob('*.py')
)


@pytest.mark.parametrize('base', ALL)
def test_own_files_take_all_places(data, tmp_path, base):
    data_set = re.sub('_(480p|segmenter)$', '', base).split('_')[-1]
    task = dict(vipseg='vps', vps='vps', step='vps', vspw='vss').get(data_set, 'vis')
    cfg = load_config(write_recipe(tmp_path / 'own.py', base, task, data, 'a.pth'))
    root = f'{data / LAYOUTS[task]}/'
    for split in ('train', 'val', 'test'):
        loader = cfg[f'{split}_dataloader']
        assert loader.dataset.data_root == root
        assert loader.dataset.get('version') is None
        assert not loader.dataset.keys() & {'all_frames', 'sequences'}
        assert loader.dataset.get('test_mode', False) is (split != 'train')
        assert loader.sampler.type == ('ClipSampler' if split == 'train' else 'WindowSampler')
    for evaluator in (*metrics_of(cfg.val_evaluator), *metrics_of(cfg.test_evaluator)):
        if data_set != 'step':  # whose metric needs no file but the maps
            assert evaluator.ann_file == root + cfg.test_dataloader.dataset.ann_file
        assert evaluator.get('mask_root', root).startswith(root)
        assert (evaluator.get('version'), evaluator.get('sequences')) == (None, None)
    assert cfg.val_cfg.type == 'VideoValLoop'
    assert 'own_data' not in cfg
    assert cfg.load_from == 'a.pth'


def test_splits_may_have_arguments_of_their_own(tmp_path):
    path = tmp_path / 'own.py'
    path.write_text(f"""_base_ = '{CONFIGS}/minvis/minvis_r50_ytvis19.py'
own_data = dict(
    data_root='data', metainfo=dict(classes=['cup']),
    train=dict(ann_file='a.json', data_prefix=dict(img='a')),
    val=dict(ann_file='b.json', data_prefix=dict(img='b')),
)
""")
    cfg = load_config(path)
    train, val = cfg.train_dataloader.dataset, cfg.val_dataloader.dataset
    assert (train.ann_file, train.data_prefix.img, train.metainfo.classes) == (
        'a.json',
        'a',
        ['cup'],
    )
    assert (val.ann_file, val.data_prefix.img, val.metainfo.classes) == ('b.json', 'b', ['cup'])
    assert cfg.test_evaluator.ann_file == 'data/b.json'


@pytest.mark.parametrize(
    ('base', 'text', 'words'),
    [
        ('tevit/tevit_r50', 'own_data = 3', 'needs train and val'),
        ('tevit/tevit_r50', "own_data = dict(train='a.json')", 'needs train and val'),
        (
            'mask2former/mask2former_r50_coco_instance',
            "own_data = dict(train='a.json', val='a.json')",
            'train_dataloader.dataset is CocoDataset, no data set of videos',
        ),
        (
            'minvis/minvis_r50_ytvis19',
            "train_dataloader = dict(dataset=dict(ann_file='a.json'))",
            'JointClipDataset reads the files of its parts, .* name them in own_data',
        ),
        (
            'minvis/minvis_r50_ovis',
            "val_dataloader = dict(dataset=dict(ann_file='a.json'))",
            'val_dataloader.*cannot inherit from base .* name them in own_data',
        ),
        (
            'videomt/videomt_vit-l_ytvis22',
            "own_data = dict(train='a.json', val='a.json')\n"
            "test_evaluator = dict(_delete_=True, type='YouTubeVIS2022Metric', short='s.json')",
            'own_data: YouTubeVIS2022Metric has ground truth of its own',
        ),
    ],
)
def test_mistakes_get_one_message(tmp_path, base, text, words):
    path = tmp_path / 'own.py'
    path.write_text(f"_base_ = '{CONFIGS}/{base}.py'\n{text}\n")
    with pytest.raises(UserError, match=words):
        load_config(path)
