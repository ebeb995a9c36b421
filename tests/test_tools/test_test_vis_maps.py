"""The test tools with panoptic and semantic models."""

import json
import multiprocessing
import os
import shutil
import signal
import zipfile

import numpy as np
import pytest
import torch
from helpers import REPOSITORY
from PIL import Image
from tool import run_tool

from mmvseg.checkpoints.files import save_checkpoint_file
from mmvseg.datasets.shapes import ShapesOptions, ShapesRequest, write_shapes
from mmvseg.engine.categories import sync_num_classes
from mmvseg.engine.config import load_config
from mmvseg.formats.writers import PngWriter
from mmvseg.registry import DATASETS, MODELS

LAYOUTS = dict(vps='vipseg', vss='vspw')
JOINED = dict(vps='pred.json', vss='videos.json')
LENGTHS = dict(vps=6, vss=9)
VIDEOS = ['val_00000', 'val_00001', 'val_00002']
CONFIG = """
_base_ = '{base}'
val_dataloader = dict(num_workers=0, persistent_workers=False,
                      dataset=dict(data_root='{root}', window_size=4, pipeline=[
                          dict(type='LoadClip'), dict(type='ResizeClip', scale=(64, 48)),
                          dict(type='PackClip')]))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file='{root}/{ann_file}', mask_root='{root}/{masks}')
test_evaluator = val_evaluator
model = dict(
    panoptic_head=dict(pixel_decoder=dict(encoder=dict(num_layers=1)),
                       transformer_decoder=dict(num_layers=1)),
    test_cfg=dict(object_mask_threshold=0.2, overlap_threshold=0.2))
"""


def write_config(folder, task):
    ann_file, masks = dict(
        vps=('panoptic_gt_VIPSeg_val.json', 'panomasksRGB'), vss=('val.txt', 'data')
    )[task]
    base = REPOSITORY / f'configs/shapes/minvis_shapes_{task}.py'
    text = CONFIG.format(base=base, root=folder / task, ann_file=ann_file, masks=masks)
    (folder / f'{task}.py').write_text(text)


@torch.no_grad()
def write_model(folder, task):
    """Random weights whose queries differ in class and mask on the first window."""
    cfg = load_config(folder / f'{task}.py')
    sync_num_classes(cfg, 'test_dataloader')
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    torch.manual_seed(3)
    model = MODELS.build(cfg.model).eval()
    frames = dataset[0]['inputs']
    frames = model.data_preprocessor.normalise(frames, frames.shape[-2:])
    queries = model.panoptic_head(model.backbone(frames)).query_embeds.flatten(0, -2)
    classes, masks = model.panoptic_head.cls_embed, model.panoptic_head.mask_embed
    for layer, inputs in ((classes, queries), (masks[-1], masks[:-1](queries))):
        layer.weight.mul_(2 / (inputs @ layer.weight.T).std(0)[:, None])
        layer.bias.copy_(-layer.weight @ inputs.mean(0))
    meta = dict(dataset_meta=dict(classes=dataset.metainfo['classes']))
    save_checkpoint_file(dict(meta=meta, state_dict=model.state_dict()), folder / f'{task}.pth')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('maps')
    for task, layout in LAYOUTS.items():
        options = ShapesOptions(height=48, width=64, length=LENGTHS[task])
        write_shapes(folder / task, ShapesRequest(options, train=0, val=3, layout=layout))
        write_config(folder, task)
        write_model(folder, task)
    return folder


@pytest.fixture
def run(folder, tmp_path, capsys, monkeypatch):
    """Run a tool on a task; status, what it printed and what --out names."""
    monkeypatch.chdir(tmp_path)

    def run(task, *args, tool='test_vis', out='out', checkpoint=None, **options):
        base = [str(folder / f'{task}.py'), str(folder / f'{checkpoint or task}.pth')]
        base += ['--out', str(tmp_path / out), *args]
        options = {'work_dir': tmp_path / 'work'} | options
        given = [f'{key.replace("__", ".")}={value}' for key, value in options.items()]
        status = run_tool(tool, *base, '--cfg-options', *given)
        return status, capsys.readouterr(), tmp_path / out

    return run


@pytest.fixture(scope='module')
def whole(folder):
    """Results of an undisturbed run of each task."""
    for task in LAYOUTS:
        args = [str(folder / f'{task}.py'), str(folder / f'{task}.pth')]
        args += ['--out', str(folder / f'whole_{task}')]
        options = [f'work_dir={folder / "work"}']
        assert run_tool('test_vis', *args, '--cfg-options', *options) == 0
    return {task: folder / f'whole_{task}' for task in LAYOUTS}


@pytest.fixture
def copied(whole, tmp_path):
    """The same in the place where :func:`run` writes."""

    def copied(task):
        return shutil.copytree(whole[task], tmp_path / 'out')

    return copied


def results(out):
    """Contents of the files, but for the note and the archive's dates."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob('*')
        if path.is_file() and path.name not in ('run.json', 'submission.zip')
    }


def read(path):
    with Image.open(path) as image:
        return np.array(image)


def test_panoptic_results_and_their_numbers(run, folder, tmp_path, whole):
    out = whole['vps']
    content = json.loads((out / 'pred.json').read_text())['annotations']
    assert [video['video_id'] for video in content] == VIDEOS
    categories = set()
    for video in content:
        assert len(video['annotations']) == 6
        for frame in video['annotations']:
            assert (folder / 'vps/images' / video['video_id'] / frame['file_name']).is_file()
            png = out / 'pan_pred' / video['video_id'] / f'{frame["file_name"][:-4]}.png'
            found = set((read(png).astype(int) @ [1, 256, 65536]).flat) - {0}
            assert found == {segment['id'] for segment in frame['segments_info']}
            categories |= {segment['category_id'] for segment in frame['segments_info']}
    assert min(categories) < 6 <= max(categories)  # of things and of stuff
    with zipfile.ZipFile(out / 'submission.zip') as archive:
        names = archive.namelist()
    assert names[0] == 'pred.json'
    assert len(names) == 19
    assert names[1] == 'pan_pred/val_00000/00000.png'

    numbers = json.loads((out / 'metrics.json').read_text())
    for metric in ('vpq', 'stq'):
        path = tmp_path / f'{metric}.json'
        args = [metric, str(folder / 'vps/panoptic_gt_VIPSeg_val.json'), str(out)]
        assert run_tool('evaluate', *args, '--out', str(path)) == 0
        assert json.loads(path.read_text()) == numbers[metric.upper()]
    assert numbers['STQ']['STQ'] > 0
    status, shown, path = run('vps', tool='test', out='numbers.json')
    assert status == 0, shown.err
    measured = json.loads(path.read_text())
    for name, value in numbers['STQ'].items():
        assert measured[f'vipseg/{name}'] == pytest.approx(value, abs=1e-12)
    mean = measured['vipseg/VPQ']
    assert mean == pytest.approx(numbers['VPQ']['All']['mean_1_2_4_6'] / 100, abs=1e-12)


def test_semantic_results_and_their_numbers(run, folder, tmp_path, whole):
    out = whole['vss']
    values = set()
    for video in VIDEOS:
        frames = sorted((folder / 'vss/data' / video / 'origin').iterdir())
        pngs = sorted((out / video).iterdir())
        assert [png.stem for png in pngs] == [frame.stem for frame in frames]
        values |= {value for png in pngs for value in read(png).flat}
    assert len(values) > 2
    assert max(values) < 10
    with zipfile.ZipFile(out / 'submission.zip') as archive:
        expected = [f'{video}/{t:05d}.png' for video in VIDEOS for t in range(9)]
        assert archive.namelist() == expected

    numbers = json.loads((out / 'metrics.json').read_text())
    path = tmp_path / 'vss.json'
    assert run_tool('evaluate', 'vss', str(folder / 'vss'), str(out), '--out', str(path)) == 0
    assert json.loads(path.read_text()) == numbers
    assert 0 < numbers['mIoU'] < 1
    assert numbers['VC16'] is None  # the videos are too short
    status, shown, path = run('vss', tool='test', out='numbers.json')
    assert status == 0, shown.err
    for name, value in json.loads(path.read_text()).items():
        expected = numbers[name.split('/')[1]]
        assert value == (expected and pytest.approx(expected, abs=1e-12))  # None: undefined


def run_until_killed(folder, out, work_dir):
    write = PngWriter._write_pngs

    def images_until_killed(images):
        yield next(iter(images))
        os.kill(os.getpid(), signal.SIGKILL)

    def killed(self, video, images):
        if self.partial_path.exists():
            images = images_until_killed(images)
        write(self, video, images)

    PngWriter._write_pngs = killed
    args = [str(folder / 'vps.py'), str(folder / 'vps.pth'), '--out', str(out)]
    run_tool('test_vis', *args, '--cfg-options', f'work_dir={work_dir}')


def test_killed_run_continues_with_the_same_results(run, folder, tmp_path, whole):
    process = multiprocessing.get_context('fork').Process(
        target=run_until_killed, args=(folder, tmp_path / 'out', tmp_path / 'work')
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len([*(tmp_path / 'out').rglob('*.png')]) == 7  # one video and a frame
    status, shown, out = run('vps')
    assert status == 0, shown.err
    assert 'holds 1 of 3 videos' in shown.out + shown.err
    assert results(out) == results(whole['vps'])


def test_interrupted_semantic_run_continues(run, whole, monkeypatch):
    write, written = PngWriter._write_pngs, []

    def interrupted(self, video, images):
        if len(written) == 2:
            write(self, dict(video, frames=video['frames'][:1]), [next(iter(images))])
            raise KeyboardInterrupt
        written.append(video['video_id'])
        write(self, video, images)

    with monkeypatch.context() as patch:
        patch.setattr(PngWriter, '_write_pngs', interrupted)
        status, _, out = run('vss')
    assert status == 130
    assert len([*out.rglob('*.png')]) == 19
    status, shown, _ = run('vss')
    assert status == 0, shown.err
    assert 'holds 2 of 3 videos' in shown.out + shown.err
    assert results(out) == results(whole['vss'])


@pytest.mark.parametrize('task', LAYOUTS)
def test_complete_run_is_not_repeated_unless_asked(run, copied, task, monkeypatch):
    before = results(copied(task))
    with monkeypatch.context() as patch:
        patch.setattr('mmvseg.engine.VideoRunner.test', lambda self: pytest.fail('tested'))
        status, shown, out = run(task)
    assert status == 0
    assert f'{JOINED[task]} is complete already' in shown.err
    assert results(out) == before
    status, shown, _ = run(task, '--window', '3')
    assert (status, 'another run (config differ)' in shown.err) == (1, True)
    status, shown, _ = run(task, '--window', '9', '--no-zip', '--restart')
    assert status == 0
    assert not (out / 'submission.zip').exists()
    assert results(out).keys() == before.keys()


def test_folder_of_another_task_is_refused_and_can_be_emptied(run, copied):
    out = copied('vss')
    status, shown, _ = run('vps')
    assert (status, shown.err.count('holds results of another run')) == (1, 1)
    assert run('vps', '--restart')[0] == 0
    assert {path.name for path in out.iterdir()} == {
        'metrics.json',
        'pan_pred',
        'pred.json',
        'run.json',
        'submission.zip',
    }


@pytest.mark.parametrize('tool', ['test', 'test_vis'])
@pytest.mark.parametrize(
    ('config', 'task', 'said'),
    [
        ('vps', 'vis', "MinVIS gives results of the task 'vis', but VIPSegDataset is for vps"),
        ('vss', 'vps', "MinVIS gives results of the task 'vps', but VSPWDataset is for vss"),
    ],
)
def test_task_and_data_have_to_fit(run, tool, config, task, said, tmp_path):
    options = dict(model__test_cfg__task=task, model__test_cfg__num_things=6)
    status, shown, _ = run(config, tool=tool, out='a.json', **options)
    assert (status, shown.err.count('error: model.test_cfg.task: ')) == (1, 1)
    assert said in shown.err
    assert 'windows' not in shown.err  # before the first frame
    assert not [*tmp_path.rglob('*.png')]


def without_annotations(folder, task, tmp_path):
    """A copy of the data as released for test sets; arguments to use it."""
    shutil.copytree(folder / task, tmp_path / 'data')
    if task == 'vps':
        shutil.rmtree(tmp_path / 'data/panomasksRGB')
        path = tmp_path / 'data/panoptic_gt_VIPSeg_val.json'
        content = json.loads(path.read_text())
        del content['annotations']
        path.write_text(json.dumps(content))
        return ['--json', str(path), '--root', str(tmp_path / 'data/images')]
    for masks in tmp_path.glob('data/data/*/mask'):
        shutil.rmtree(masks)
    return ['--root', str(tmp_path / 'data/data')]


@pytest.mark.parametrize('task', LAYOUTS)
def test_data_without_annotations(run, folder, tmp_path, task):
    args = without_annotations(folder, task, tmp_path)
    options = dict(test_dataloader__dataset__data_root=tmp_path / 'data')
    status, shown, out = run(task, *args, **options)
    assert status == 0, shown.err
    assert shown.err.index('has no annotations') < shown.err.index('test: ')
    assert (out / JOINED[task]).is_file()
    assert (out / 'submission.zip').is_file()
    assert not (out / 'metrics.json').exists()
    status, shown, _ = run(task, *args, tool='test', out='a.json', **options)
    assert status == 1
    assert 'no annotations, so nothing can be measured' in shown.err


def test_other_panoptic_data_can_be_named(run, folder, tmp_path, copied):
    copied('vps')
    masks = tmp_path / 'moved/masks'
    shutil.copytree(folder / 'vps/panomasksRGB', masks)
    (masks / 'val_00001/00002.png').unlink()
    args = ['--root', str(folder / 'vps/images'), '--masks', str(masks)]
    for tool, out in (('test', 'a.json'), ('test_vis', 'out')):
        status, shown, _ = run('vps', *args, tool=tool, out=out)
        assert status == 1
        assert f'{masks}/val_00001/00002.png' in shown.err


def test_other_semantic_data_can_be_named(run, folder, tmp_path, copied):
    copied('vss')
    shutil.copytree(folder / 'vss/data', tmp_path / 'moved')
    for path in tmp_path.glob('moved/*/mask/*.png'):
        Image.fromarray(np.ones_like(read(path))).save(path)  # discs everywhere
    found = []
    for tool, out in (('test', 'a.json'), ('test_vis', 'out')):
        status, shown, path = run('vss', '--root', str(tmp_path / 'moved'), tool=tool, out=out)
        assert status == 0, shown.err
        path = path / 'metrics.json' if tool == 'test_vis' else path
        found.append(json.loads(path.read_text()))
    assert found[0]['vspw/Acc'] == found[0]['vspw/mIoU'] == found[1]['Acc']
    assert found[1]['VC8'] != json.loads((folder / 'whole_vss/metrics.json').read_text())['VC8']


def test_missing_masks_are_named(run, folder):
    status, shown, _ = run('vps', '--masks', 'absent')
    assert status == 1
    assert 'data_prefix.mask' in shown.err
    assert 'absent does not exist' in shown.err


def test_names_are_checked_before_the_first_frame(run, folder, tmp_path):
    shutil.copytree(folder / 'vps/images/val_00000', tmp_path / 'images/../escaped')
    content = json.loads((folder / 'vps/panoptic_gt_VIPSeg_val.json').read_text())
    for key in ('videos', 'annotations'):
        content[key] = content[key][:1]
        content[key][0]['video_id'] = '../escaped'
    (tmp_path / 'a.json').write_text(json.dumps(content))
    (tmp_path / 'images').mkdir(exist_ok=True)
    args = ['--json', str(tmp_path / 'a.json'), '--root', str(tmp_path / 'images')]
    status, shown, _ = run('vps', *args)
    assert (status, 'leaves the folder of the frames' in shown.err) == (1, True)
    assert not [*tmp_path.glob('escaped/*.png')]


def with_other_ids(folder, task, out):
    """A data set with its category ids in reverse; returns the arguments that name it."""
    shutil.copytree(folder / task, out)
    path = out / dict(vps='panoptic_gt_VIPSeg_val.json', vss='categories.json')[task]
    content = json.loads(path.read_text())
    categories = content['categories'] if task == 'vps' else content
    ids = sorted(category['id'] for category in categories)
    new = dict(zip(ids, reversed(ids), strict=True))
    for category in categories:
        category['id'] = new[category['id']]
    if task == 'vps':
        for video in content['annotations']:
            for frame in video['annotations']:
                for segment in frame['segments_info']:
                    segment['category_id'] = new[segment['category_id']]
    path.write_text(json.dumps(content))
    if task == 'vps':
        return ['--json', str(path), '--root', str(out / 'images')]
    values = np.arange(256, dtype=np.uint8)
    values[[1 + i for i in ids]] = [1 + new[i] for i in ids]
    for mask in out.glob('data/*/mask/*.png'):
        Image.fromarray(values[read(mask)]).save(mask)
    return ['--json', str(out / 'val.txt'), '--root', str(out / 'data')]


@pytest.mark.parametrize('task', LAYOUTS)
def test_classes_with_other_ids_are_mapped_by_name(run, folder, tmp_path, whole, task):
    args = with_other_ids(folder, task, tmp_path / 'other')
    status, shown, out = run(task, *args)
    assert status == 0, shown.err
    assert 'lists the classes in another order than the model' in shown.out + shown.err
    expected = json.loads((whole[task] / 'metrics.json').read_text())
    found = json.loads((out / 'metrics.json').read_text())
    if task == 'vps':
        expected, found = (numbers['STQ'] | numbers['VPQ']['All'] for numbers in (expected, found))
        assert expected['STQ'] > 0
    assert found == {key: value and pytest.approx(value) for key, value in expected.items()}
    status, shown, path = run(task, *args, tool='test', out='numbers.json')
    assert status == 0, shown.err
    key = dict(vps='STQ', vss='mIoU')[task]
    prefix = dict(vps='vipseg', vss='vspw')[task]
    assert json.loads(path.read_text())[f'{prefix}/{key}'] == pytest.approx(expected[key])
