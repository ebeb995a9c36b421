"""The configs of EoMT, VidEoMT and PMT against the published settings."""

import copy
import functools
import re
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmvseg.checkpoints.skeleton import build_skeleton
from mmvseg.engine.categories import sync_num_classes
from mmvseg.registry import DATASETS

LEAVES = sorted(path for name in ('videomt', 'pmt') for path in Path('configs', name).glob('*.py'))
IMAGES = sorted(Path('configs/eomt').glob('*.py'))
IDS = dict(ids=lambda path: path.stem)
#: thousands of iterations, by family, size, encoder and data set
ITERATIONS = {
    'videomt s dinov2': dict(ytvis19=40),
    'videomt b dinov2': dict(ytvis19=40),
    'videomt l dinov2': dict(ytvis19=60, ytvis21=160, ytvis22=160, ovis=160, vipseg=40, vspw=40),
    'videomt l dinov3': dict(ytvis19=160, ytvis21=160, ytvis22=160, vipseg=40, vspw=40),
    'pmt l dinov2': dict(ytvis19=60, ytvis21=60, vipseg=40, vspw=40),
    'pmt l dinov3': dict(ytvis19=60, ytvis21=60, ovis=60, vipseg=20, vspw=40),
}
SIZES = dict(s=(384, 12, 6, 3), b=(768, 12, 12, 3), l=(1024, 24, 16, 4))
CLASSES = dict(ytvis19=40, ytvis21=40, ytvis22=40, ovis=25, vipseg=124, vspw=124)
MAPS = dict(vipseg='vps', vspw='vss')
SHORTS = (320, 352, 392, 416, 448, 480, 512, 544, 576, 608, 640)
#: parameters of the original networks
PARAMETERS = {
    'videomt_vit-s_ytvis19': 24087977,
    'videomt_vit-b_ytvis19': 94182185,
    'videomt_vit-l_ytvis19': 317649961,
    'videomt_vit-l-dinov3_ytvis19': 315986985,
    'videomt_vit-l_ovis': 317634586,
    'videomt_vit-l_vspw': 322651261,
    'videomt_vit-l-dinov3_vipseg': 316073085,
    'pmt_vit-l_ytvis19': 359681065,
    'pmt_vit-l-dinov3_ytvis19': 358018089,
    'pmt_vit-l_vspw': 359767165,
    'pmt_vit-l-dinov3_vipseg': 358104189,
}


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmvseg')


@functools.cache
def read(path):
    return Config.fromfile(path)


def load(path):
    return copy.deepcopy(read(path))


def parts_of(path):
    """Family, size, encoder, data set, and whether it is of the stage before."""
    name = re.fullmatch(r'(\w+)_vit-([sbl])(-dinov3)?_([a-z0-9]+)(_segmenter)?', path.stem)
    return name[1], name[2], 'dinov3' if name[3] else 'dinov2', name[4], bool(name[5])


def sources(cfg):
    dataset = cfg.train_dataloader.dataset
    return dataset.datasets if 'datasets' in dataset else dict(video=dataset)


def iterations_of(path):
    family, size, encoder, data, _ = parts_of(path)
    return 1000 * ITERATIONS[f'{family} {size} {encoder}'][data]


def test_every_published_row_has_both_stages():
    expected = {
        f'{family}_vit-{size}{"-dinov3" * (encoder == "dinov3")}_{data}{stage}'
        for key, rows in ITERATIONS.items()
        for family, size, encoder in [key.split()]
        for data in rows
        for stage in ('', '_segmenter')
    }
    assert {path.stem for path in LEAVES} == expected


@pytest.mark.parametrize('path', LEAVES, **IDS)
def test_the_network_is_the_published_one(path):
    family, size, encoder, data, segmenter = parts_of(path)
    model = load(path).model
    backbone = model.backbone
    embed_dims, *_, num_query_blocks = SIZES[size]
    assert (backbone.embed_dims, backbone.depth, backbone.num_heads) == SIZES[size][:3]
    assert model.panoptic_head.embed_dims == embed_dims
    assert model.panoptic_head.num_queries == 200
    assert model.type == dict(videomt='VidEoMT', pmt='PMT')[family]
    rotary = encoder == 'dinov3'
    grid = 80 if family == 'videomt' and data in MAPS else 40
    assert (backbone.position, backbone.grid_size, backbone.norm_eps, backbone.key_bias) == (
        ('rotary', None, 1e-5, False) if rotary else ('learned', grid, 1e-6, True)
    )
    if family == 'videomt':
        assert model.num_query_blocks == num_query_blocks
        assert model.get('normalise_layers', False) == (rotary and data in MAPS)
    else:
        assert model.taps == (5, 11, 17, 23)
        assert model.decoder == dict(depth=6, num_heads=16, mlp_dims=1024)
    matcher = 'QueryMatcher' if segmenter else 'ExclusiveQueryMatcher'
    assert model.criterion == dict(
        type='VidEoMTCriterion', num_classes=40, matcher=dict(type=matcher)
    )
    assert model.get('frames_alone', False) == segmenter
    tasks = {
        'vipseg': dict(task='vps', num_things=58, max_per_video=10),
        'vspw': dict(task='vss', max_per_video=10),
        'ovis': dict(max_per_video=20),
    }
    assert model.test_cfg == tasks.get(data, dict(max_per_video=10))


@pytest.mark.parametrize('path', LEAVES, **IDS)
def test_the_training_is_the_published_one(path):
    family, *_ = parts_of(path)
    cfg = load(path)
    assert cfg.train_cfg == dict(type='VideoTrainLoop', max_iters=iterations_of(path))
    assert cfg.optim_wrapper.optimizer == dict(type='AdamW', lr=1e-4, weight_decay=0.05)
    assert 'clip_grad' not in cfg.optim_wrapper
    decay = dict(decay_rate=0.6) if family == 'videomt' else None
    assert cfg.optim_wrapper.get('paramwise_cfg') == decay
    assert cfg.get('sync_bn') == dict(videomt=None, pmt='torch')[family]
    assert cfg.train_dataloader.batch_size == 1
    assert cfg.default_hooks.checkpoint.interval == 5000


@pytest.mark.parametrize('path', LEAVES, **IDS)
def test_clips_and_sizes_are_the_published_ones(path):
    family, _, encoder, data, segmenter = parts_of(path)
    cfg = load(path)
    crop = dict(
        type='CropClip',
        size=(384, 600),
        scale=[(1333, 400), (1333, 500), (1333, 600)],
        prob=0.5,
        backend='torch',
    )
    shorts, longest = (range(480, 801, 32), 1333) if data in MAPS else (SHORTS, 768)
    resize = dict(type='ResizeClip', scale=[(longest, s) for s in shorts], backend='torch')
    for name, part in sources(cfg).items():
        assert part.clip == dict(num_frames=1 if segmenter else 5, consecutive=True)
        first, *steps = part.pipeline
        assert first.type == dict(vipseg='LoadPanopticClip', vspw='LoadSemanticClip').get(
            data, 'LoadClip'
        )
        assert steps == [
            *([] if data in MAPS else [crop]),
            resize,
            dict(type='FlipClip', prob=0.5),
            *([dict(type='RotateClip')] if name == 'coco' else []),
            dict(type='PackClip', drop_empty=True),
        ]
    joint = None if data in MAPS else dict(video=1.0, coco=1.0)
    assert cfg.train_dataloader.dataset.get('weights') == joint
    short = dict(vipseg=720, vspw=720, ovis=544).get(data, 448)
    if short == 448 and (family, encoder) == ('videomt', 'dinov3'):
        short = 480
    test = cfg.test_dataloader.dataset
    assert test.pipeline[1] == dict(type='ResizeClip', scale=(1333, short), backend='pillow')


@pytest.mark.parametrize('path', LEAVES, **IDS)
def test_classes_are_known_without_data(path):
    data = parts_of(path)[3]
    cfg = load(path)
    for part in (*sources(cfg).values(), cfg.test_dataloader.dataset):
        part.lazy_init = True
        DATASETS.build(part)
    sync_num_classes(cfg)
    assert cfg.model.criterion.num_classes == cfg.model.panoptic_head.num_classes == CLASSES[data]
    test = cfg.test_dataloader.dataset
    assert cfg.test_evaluator.ann_file == test.data_root + test.ann_file
    roots = dict(ytvis19='youtube_vis_2019', ytvis21='youtube_vis_2021', ytvis22='youtube_vis_2022')
    assert roots.get(data, '') in test.data_root
    if data == 'ytvis22':  # which has no videos to train on
        assert 'youtube_vis_2021' in sources(cfg)['video'].data_root


@pytest.mark.parametrize('path', LEAVES, **IDS)
def test_a_stage_starts_from_the_one_before(path):
    family, _, encoder, _, segmenter = parts_of(path)
    cfg = load(path)
    before = Path(cfg.load_from)
    if not segmenter:
        assert before == Path(
            'work_dirs', f'{path.stem}_segmenter', f'iter_{iterations_of(path)}.pth'
        )
        assert cfg.allow_missing == ['query_updater']
    elif family == 'pmt':
        assert before == Path('resources', f'{encoder}_vit-l.pth')
        assert set(cfg.allow_missing) >= {'laterals', 'decoder', 'panoptic_head'}
    else:
        (image,) = (leaf for leaf in IMAGES if leaf.stem == before.parent.name)
        image = load(image)
        assert before.name == f'iter_{image.train_cfg.max_iters}.pth'
        assert image.model.backbone == cfg.model.backbone


@pytest.mark.parametrize('name', PARAMETERS)
def test_parameter_counts_are_those_of_the_originals(name):
    (path,) = (leaf for leaf in LEAVES if leaf.stem == name)
    cfg = load(path)
    sync_num_classes(cfg)
    counts = [
        (parameter.numel(), parameter.requires_grad)
        for parameter in build_skeleton(cfg.model).parameters()
    ]
    assert sum(count for count, _ in counts) == PARAMETERS[name]
    trained = {'pmt_vit-l_ytvis19': 54889513, 'pmt_vit-l-dinov3_vipseg': 54975613}
    if 'pmt' not in name or name in trained:
        found = sum(count for count, is_trained in counts if is_trained)
        assert found == trained.get(name, PARAMETERS[name])


@pytest.mark.parametrize('path', IMAGES, **IDS)
def test_images_are_trained_as_published(path):
    name = re.fullmatch(
        r'eomt_vit-([sbl])(-dinov3)?_coco_(panoptic|instance)_(640|1280)', path.stem
    )
    size, rotary, panoptic = name[1], bool(name[2]), name[3] == 'panoptic'
    side, epochs = int(name[4]), 12 if size == 'l' else 24
    cfg = load(path)
    backbone = cfg.model.backbone
    assert (backbone.embed_dims, backbone.depth, backbone.num_heads) == SIZES[size][:3]
    assert backbone.grid_size == (None if rotary else side // 16)
    assert cfg.train_cfg.max_iters == 7391 * epochs
    assert cfg.train_cfg.max_iters % cfg.default_hooks.checkpoint.interval == 0
    assert cfg.optim_wrapper.optimizer.lr == (2e-4 if rotary else 1e-4)
    assert cfg.optim_wrapper.clip_grad == dict(max_norm=0.01, norm_type=2)
    (hook,) = cfg.custom_hooks
    assert len(hook.starts) == len(hook.ends) == cfg.model.num_query_blocks == SIZES[size][3]
    assert hook.ends[-1] == 7391 * epochs * 10 // 12
    resize, crop, pack = cfg.train_dataloader.dataset.pipeline[-3:]
    assert resize.scale == crop.crop_size == (side, side)
    assert resize.ratio_range == (0.1, 2.0)
    assert pack.size == cfg.test_dataloader.dataset.pipeline[-1].size == side
    assert cfg.test_dataloader.dataset.pipeline[1].scale == (side, side)
    sync_num_classes(cfg)
    model, fusion = cfg.model, cfg.model.panoptic_fusion_head
    assert model.panoptic_head.num_classes == model.criterion.num_classes == 80 + 53 * panoptic
    assert fusion.num_things_classes + fusion.num_stuff_classes == 80 + 53 * panoptic
    assert (fusion.test_cfg.panoptic_on, fusion.test_cfg.instance_on) == (panoptic, not panoptic)


@pytest.mark.parametrize('task', ['', '_vps', '_vss'])
@pytest.mark.parametrize('stage', ['videomt_segmenter', 'videomt'])
def test_the_small_model_is_as_small_as_the_others(stage, task):
    cfg = Config.fromfile(f'configs/shapes/{stage}_shapes{task}.py')
    cfg.model.panoptic_head.num_classes = cfg.model.criterion.num_classes = 10 if task else 6
    model = build_skeleton(cfg.model)
    assert 1.2e6 < sum(parameter.numel() for parameter in model.parameters()) < 1.6e6
    stride = model.backbone.patch_size / 2 ** len(model.panoptic_head.upscale)
    assert stride == 4
    assert model.frames_alone == (stage == 'videomt_segmenter')
