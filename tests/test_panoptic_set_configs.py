"""The configs for Cityscapes-VPS, KITTI-STEP and MOTChallenge-STEP."""

import json
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from panoptic_sets import write_cityscapes_vps, write_step

from mmvseg.engine.categories import sync_num_classes
from mmvseg.formats.categories import load_table
from mmvseg.registry import DATASETS, METRICS

SETS = dict(cityscapes_vps=(19, 8), kitti_step=(19, 2), motchallenge_step=(7, 1))
LEAVES = sorted(
    path
    for folder in ('minvis', 'dvis')
    for path in Path('configs', folder).glob('*.py')
    if path.stem.endswith(tuple(SETS))
)
#: The official split of KITTI-STEP.
VAL = ['0002', '0006', '0007', '0008', '0010', '0013', '0014', '0016', '0018']
TRAIN = [name for name in (f'{number:04d}' for number in range(21)) if name not in VAL]


def of_set(data):
    return Config.fromfile(f'configs/minvis/minvis_r50_{data}.py')


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_classes_are_known_without_data(path):
    init_default_scope('mmvseg')
    cfg = Config.fromfile(path)
    assert cfg.model.test_cfg.task == 'vps'
    data = next(name for name in SETS if path.stem.endswith(name))
    sync_num_classes(cfg)
    total, things = SETS[data]
    assert cfg.model.criterion.num_classes == cfg.model.panoptic_head.num_classes == total
    assert cfg.model.test_cfg.num_things == things == sum(c.is_thing for c in load_table(data))
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        assert DATASETS.build(dict(loader.dataset, lazy_init=True)).version == data


def test_a_stage_starts_from_the_one_before():
    for data in ('cityscapes_vps', 'kitti_step'):
        cfg = Config.fromfile(f'configs/dvis/dvis_online_r50_{data}.py')
        assert cfg.load_from == f'work_dirs/minvis_r50_{data}/iter_20000.pth'
        assert of_set(data).train_cfg.max_iters == 20000


def test_the_split_of_kitti_is_the_official_one():
    cfg = of_set('kitti_step')
    assert cfg.train_dataloader.dataset.sequences == TRAIN
    assert cfg.test_dataloader.dataset.sequences == cfg.test_evaluator.sequences == VAL
    assert (len(TRAIN), len(VAL)) == (12, 9)
    cfg = of_set('motchallenge_step')
    assert cfg.train_dataloader.dataset.sequences == ['0009']
    assert cfg.test_evaluator.sequences == ['0002']


def placed(cfg, folder):
    """The config's test data and metric, with ``data/`` in another place."""
    dataset, metric = cfg.test_dataloader.dataset, cfg.test_evaluator
    root = dataset.data_root
    dataset.data_root = str(folder)
    for key in ('ann_file', 'mask_root'):
        if key in metric:
            metric[key] = metric[key].replace(root, f'{folder}/')
    return DATASETS.build(dataset), METRICS.build(metric)


@pytest.mark.parametrize('data', ['kitti_step', 'motchallenge_step'])
def test_step_files_are_found_where_the_docs_say(tmp_path, data):
    cfg = of_set(data)
    sequences, split = cfg.test_evaluator.sequences, Path(cfg.test_dataloader.dataset.ann_file).name
    write_step(tmp_path, {name: [[[(0, 0)]]] for name in sequences}, split)
    dataset, metric = placed(cfg, tmp_path)
    assert [*metric.ground_truth.videos] == dataset.video_ids == sequences


def test_cityscapes_files_are_found_where_the_docs_say(tmp_path):
    path = write_cityscapes_vps(tmp_path, {'0001': [[[1]]] * 6}, pictures=True)
    content = json.loads(path.read_text())
    content['categories'] = [
        dict(id=c.id, name=c.name, isthing=int(c.is_thing)) for c in load_table('cityscapes_vps')
    ]
    path.write_text(json.dumps(content))
    dataset, metric = placed(of_set('cityscapes_vps'), tmp_path)
    assert [*metric.ground_truth.annotated] == dataset.video_ids == ['0001']
    assert dataset.video_lengths.tolist() == [30]
    assert all(Path(frame).is_file() for frame in dataset.video_record(0)['frames'])
