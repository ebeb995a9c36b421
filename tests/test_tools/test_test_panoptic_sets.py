"""From a training step to scored results on made sets in the forms of STEP and Cityscapes-VPS."""

import json
import shutil

import cv2
import numpy as np
import pytest
from helpers import REPOSITORY
from mmengine.config import Config
from panoptic_files import edit_json
from panoptic_sets import (
    all_names,
    image_id,
    mask_name,
    picture_name,
    write_cityscapes_vps,
    write_step,
)
from PIL import Image
from tool import run_tool

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.formats.step import read_step_map, split_id

SIZE = (48, 64)
VIDEOS = dict(step=('0002', '0006'), cityscapes_vps=('0001', '0002'))
CLASSES = [
    dict(id=0, name='road', isthing=0),
    dict(id=8, name='vegetation', isthing=0),
    dict(id=11, name='person', isthing=1),
    dict(id=13, name='car', isthing=1),
]
BASES = dict(step='minvis_r50_kitti_step', cityscapes_vps='minvis_r50_cityscapes_vps')
CONFIG = """
_base_ = '{configs}/minvis/{base}.py'
own_data = dict(
    data_root='{root}/',
    train=dict(pipeline=[dict(type='{load}'), dict(type='PackClip')], {train}),
    val=dict(window_size=4, pipeline=[dict(type='LoadClip'),
        dict(type='ResizeClip', scale=(64, 48)), dict(type='PackClip')], {val}),
)
model = dict(_delete_=True, **{model!r})
load_from = None
"""
PARTS = dict(
    step=dict(
        load='LoadSTEPClip',
        train="""ann_file='panoptic_maps/train', sequences=['0006'],
            data_prefix=dict(img='images/train', mask='panoptic_maps/train')""",
        val="""ann_file='panoptic_maps/val',
            data_prefix=dict(img='images/val', mask='panoptic_maps/val')""",
    ),
    cityscapes_vps=dict(
        load='LoadPanopticClip',
        train="""ann_file='panoptic_gt_train_city_vps.json',
            data_prefix=dict(img='train/img', mask='train/panoptic_video')""",
        val="""ann_file='panoptic_gt_val_city_vps.json',
            all_frames='im_all_info_val_city_vps.json',
            data_prefix=dict(img='val/img_all', mask='val/panoptic_video')""",
    ),
)
RUN_TEST = ['test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False']
RUN = [
    *('train_cfg.max_iters=60', 'train_cfg.val_interval=60', *RUN_TEST),
    *('optim_wrapper.optimizer.lr=2e-3', 'optim_wrapper.paramwise_cfg=None'),
    *('train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False'),
    *('val_dataloader.num_workers=0', 'val_dataloader.persistent_workers=False'),
]


def scene(t):
    """Picture, and class and number of each pixel: a car drives along a road below vegetation."""
    pairs = np.zeros((*SIZE, 2), int)
    pairs[:24, :, 0] = 8
    x = 2 + 3 * t % 40
    pairs[16:36, x : x + 16] = (13, 1)
    pairs[8:40, 56:62] = (11, 1)
    pairs[:, -1] = (255, 0)
    colors = {0: (90, 90, 90), 8: (40, 160, 40), 11: (30, 30, 220), 13: (220, 40, 30)}
    image = np.zeros((*SIZE, 3), np.uint8)
    for category, color in colors.items():
        image[pairs[..., 0] == category] = color
    return image, pairs


def ids_of(pairs):
    table = {(0, 0): 1, (8, 0): 2, (11, 1): 300, (13, 1): 70000, (255, 0): 0}
    ids = np.zeros(SIZE, int)
    for pair, number in table.items():
        ids[(pairs == pair).all(-1)] = number
    return ids


def write_step_set(root):
    for split in ('train', 'val'):
        videos = {name: [scene(t)[1] for t in range(6)] for name in VIDEOS['step']}
        write_step(root, videos, split)
        for name in videos:
            for t in range(6):
                path = root / 'images' / split / name / f'{t:06d}.png'
                cv2.imwrite(str(path), scene(t)[0])
    (root / 'panoptic_maps/categories.json').write_text(json.dumps(CLASSES))


def write_cityscapes_set(root):
    """Videos of two labelled of ten frames."""
    for split in ('train', 'val'):
        labelled = [ids_of(scene(t)[1]) for t in (4, 9)]
        write_cityscapes_vps(root, dict.fromkeys(VIDEOS['cityscapes_vps'], labelled), split, True)
        for video in VIDEOS['cityscapes_vps']:
            for t, name in enumerate(all_names(video, 2)):
                cv2.imwrite(str(root / split / 'img_all' / name), scene(t)[0])
            for n, t in enumerate((4, 9)):
                cv2.imwrite(str(root / split / 'img' / picture_name(video, n)), scene(t)[0])


def small_model():
    model = Config.fromfile(REPOSITORY / 'configs/shapes/minvis_shapes_vps.py').model
    model.backbone.update(embed_dims=8, num_layers=[1] * 4, mlp_ratios=[2] * 4)
    head = model.panoptic_head
    head.in_channels = [8, 16, 40, 64]
    head.transformer_decoder.num_layers = 1
    head.pixel_decoder.encoder.num_layers = 1
    model.criterion.num_points = 16
    model.test_cfg.update(num_things=2, object_mask_threshold=0.0, overlap_threshold=0.0)
    return model.to_dict()


@pytest.fixture(scope='module', params=['step', 'cityscapes_vps'])
def tested(request, tmp_path_factory):
    """A model of a few steps and its results on the validation set."""
    form, root = request.param, tmp_path_factory.mktemp(request.param)
    dict(step=write_step_set, cityscapes_vps=write_cityscapes_set)[form](root)
    text = CONFIG.format(
        configs=REPOSITORY / 'configs',
        base=BASES[form],
        model=small_model(),
        root=root,
        **PARTS[form],
    )
    config = root / 'config.py'
    config.write_text(text)
    args = [str(config), '--amp', 'bf16', '--work-dir', str(root / 'work')]
    assert run_tool('train', *args, '--cfg-options', *RUN) == 0
    checkpoint = root / 'work/iter_60.pth'
    args = [str(config), str(checkpoint), '--out', str(root / 'out'), '--zip']
    options = [*RUN_TEST, f'work_dir={root / "work"}']
    assert run_tool('test_vis', *args, '--cfg-options', *options) == 0
    return form, root, checkpoint


def read(path):
    with Image.open(path) as image:
        return np.array(image)


def test_the_model_has_the_classes_of_the_data(tested):
    _, root, checkpoint = tested
    meta = load_checkpoint_file(checkpoint)['meta']['dataset_meta']
    assert meta['classes'] == ('person', 'car', 'road', 'vegetation')
    assert meta['thing_classes'] == ('person', 'car')
    shutil.copy(checkpoint, root / 'copied.pth')  # nothing else is needed to use it


def test_results_have_the_official_layout(tested):
    form, root, _ = tested
    out = root / 'out'
    if form == 'step':
        for name in VIDEOS[form]:
            assert sorted(p.name for p in (out / name).iterdir()) == [
                f'{t:06d}.png' for t in range(6)
            ]
            for path in (out / name).iterdir():
                assert read(path).shape == (*SIZE, 3)
                found = [split_id(i) for i in np.unique(read_step_map(path)).tolist() if i]
                for category, number in found:
                    assert category in (0, 8, 11, 13)
                    assert (number > 0) == (category in (11, 13))
        return
    content = json.loads((out / 'pred.json').read_text())['annotations']
    names = [(v, n) for v in VIDEOS[form] for n in range(2)]
    assert [entry['image_id'] for entry in content] == [image_id(*name) for name in names]
    assert [entry['file_name'] for entry in content] == [picture_name(*name) for name in names]
    assert sorted(p.name for p in (out / 'pan_pred').iterdir()) == [
        f'{image_id(*name)}.png' for name in names
    ]
    for entry in content:
        ids = read(out / 'pan_pred' / f'{entry["image_id"]}.png').astype(int) @ [1, 256, 65536]
        assert set(ids.flat) - {0} == {segment['id'] for segment in entry['segments_info']}


def test_numbers_are_the_same_everywhere(tested, tmp_path, monkeypatch):
    form, root, checkpoint = tested
    monkeypatch.chdir(tmp_path)
    numbers = json.loads((root / 'out/metrics.json').read_text())
    assert next(iter(numbers['VPQ']['All'].values())) > 50  # it has learnt what the files say
    truth = dict(step='panoptic_maps/val', cityscapes_vps='panoptic_gt_val_city_vps.json')[form]
    for metric in ('vpq', 'stq') if form == 'step' else ('vpq',):
        for results in ('out', 'out/submission.zip'):
            path = tmp_path / 'numbers.json'
            args = [metric, str(root / truth), str(root / results), '--out', str(path)]
            assert run_tool('evaluate', *args) == 0
            assert json.loads(path.read_text()) == numbers[metric.upper()]
    args = [str(root / 'config.py'), str(checkpoint), '--out', 'measured.json']
    assert run_tool('test', *args, '--cfg-options', *RUN_TEST, f'work_dir={tmp_path}') == 0
    measured = json.loads((tmp_path / 'measured.json').read_text())
    if form == 'step':
        for name, value in numbers['STQ'].items():
            assert measured[f'step/{name}'] == pytest.approx(value, abs=1e-12)
        mean = numbers['VPQ']['All']['mean_1_2_3_4']
        assert measured['step/VPQ'] == pytest.approx(mean / 100, abs=1e-12)
        return
    assert 'STQ' not in numbers
    # windows of three labelled frames do not occur in videos of two
    assert measured['cityscapes_vps/VPQ_k10'] is None
    k5 = numbers['VPQ']['All']['k5']
    assert measured['cityscapes_vps/VPQ_k5'] == pytest.approx(k5 / 100, abs=1e-12)


def test_an_interrupted_test_goes_on(tested, tmp_path, capsys):
    form, root, checkpoint = tested
    out = shutil.copytree(root / 'out', tmp_path / 'out')
    joined = out / dict(step='videos.json', cityscapes_vps='pred.json')[form]
    before, numbers = joined.read_text(), (out / 'metrics.json').read_text()
    joined.unlink()
    args = [str(root / 'config.py'), str(checkpoint), '--out', str(out)]
    assert run_tool('test_vis', *args, '--cfg-options', *RUN_TEST, f'work_dir={tmp_path}') == 0
    assert joined.read_text() == before
    assert (out / 'metrics.json').read_text() == numbers


def test_a_split_without_labels_is_predicted(tested, tmp_path, capsys):
    form, root, checkpoint = tested
    options = [*RUN_TEST, f'work_dir={tmp_path}']
    if form == 'step':
        shutil.copy(root / 'panoptic_maps/categories.json', root / 'images')
        where = 'test_dataloader.dataset'
        options += [f'{where}.ann_file=images/val', f'{where}.data_prefix.mask=']
    else:
        path = root / 'panoptic_gt_val_city_vps.json'
        content = json.loads(path.read_text())
        content.pop('annotations')
        (tmp_path / 'panoptic_im_test_city_vps.json').write_text(json.dumps(content))
        options += [f'test_dataloader.dataset.ann_file={tmp_path}/panoptic_im_test_city_vps.json']
    args = [str(root / 'config.py'), str(checkpoint), '--out', str(tmp_path / 'out')]
    assert run_tool('test_vis', *args, '--cfg-options', *options) == 0
    assert 'has no annotations: results are written, but not scored' in capsys.readouterr().err
    scored = {path.relative_to(root / 'out'): path for path in (root / 'out').rglob('0*.png')}
    assert scored
    for name, path in scored.items():
        assert (tmp_path / 'out' / name).read_bytes() == path.read_bytes()


def test_maps_of_another_split_are_noticed(tested, tmp_path, capsys):
    form, root, checkpoint = tested
    other = dict(step='images/test', cityscapes_vps='val/img')[form]
    args = [str(root / 'config.py'), str(checkpoint), '--out', str(tmp_path / 'out')]
    options = [*RUN_TEST, f'work_dir={tmp_path}']
    if form == 'step':  # the sequence 0002 of another split has nothing to do with that of val
        for name in ('0002', '0028'):
            shutil.copytree(root / 'images/val/0002', root / other / name)
        args += ['--json', str(root / other), '--root', str(root / other)]
        options.append("test_dataloader.dataset.sequences=['0002', '0006']")
        words = 'panoptic_maps/val: 1 of 2 sequences have no maps, the first is 0028'
    else:  # the pictures that have a label are not all frames
        args += ['--root', str(root / other)]
        words = 'bonn_000002_000040_leftImg8bit.png: cannot be read'
    assert run_tool('test_vis', *args, '--cfg-options', *options) == 1
    assert words in capsys.readouterr().err


def test_results_are_drawn(tested, tmp_path):
    form, root, _ = tested
    ann = dict(step='panoptic_maps/val', cityscapes_vps='panoptic_gt_val_city_vps.json')[form]
    args = [str(root / 'out'), '--ann', str(root / ann), '--out', str(tmp_path / 'drawn')]
    assert run_tool('visualize_results', *args, '--contact-sheet', '1') == 0
    masks = sorted((tmp_path / 'drawn/id_masks').rglob('*.png'))
    assert len(masks) == dict(step=12, cityscapes_vps=4)[form]
    lines = (tmp_path / 'drawn/segments.csv').read_text().splitlines()
    column = lines[0].split(',').index('png_id')
    ids = {int(line.split(',')[column]) for line in lines[1:]}
    pngs = (root / 'out').rglob('0*/*.png') if form == 'step' else (root / 'out/pan_pred').iterdir()
    found = set().union(*(set((read(p).astype(int) @ [1, 256, 65536]).flat) for p in pngs))
    assert ids == found - {0 if form == 'cityscapes_vps' else 255}


def test_a_checked_set_has_no_problems(tested, capsys):
    form, root, _ = tested
    if form == 'step':
        args = [root / 'panoptic_maps/val', root / 'images/val']
    else:
        args = [root / 'panoptic_gt_val_city_vps.json', root / 'val/img']
        edit_json(args[0], lambda content: content)
    status = run_tool('dataset_converters/check_dataset', *map(str, args))
    shown = capsys.readouterr().out
    if form == 'step':
        assert (status, shown) == (0, f'{args[0]}: no problems\n')
    else:  # but that the videos are shorter than the official evaluation counts off
        assert status == 1
        assert '2 problems: 2 in images' in shown
        assert mask_name('0001', 0) not in shown
