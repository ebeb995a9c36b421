"""Sound folders with all that the tools read, to be broken in copies."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import map_squares
import numpy as np
import panoptic_files
import squares
import toy
from fuzz_server import REPOSITORY, Outcome, run_forked, run_tool
from pycocotools import mask as coco_mask

from mmvseg.datasets import load_coco_names
from mmvseg.datasets.shapes import ShapesOptions, ShapesRequest, write_shapes

RUNTIME = REPOSITORY / 'configs/_base_/default_runtime.py'
SIZE = (32, 48)

MAP_CONFIG = """
_base_ = ['{runtime}']
custom_imports = dict(imports=['fuzz_models'])
dataset = dict(type='{dataset}', data_root='data', data_prefix={prefix})
test_pipeline = [dict(type='LoadClip'), dict(type='ResizeClip', scale=(32, 24)),
                 dict(type='PackClip')]
train_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='ClipSampler'),
    batch_sampler=dict(type='ClipBatchSampler'),
    dataset=dict(dataset, ann_file='{train}', clip=dict(num_frames=2),
                 pipeline=[dict(type='{load}'), dict(type='PackClip')]))
test_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='WindowSampler'),
    dataset=dict(dataset, ann_file='{val}', window_size=2, test_mode=True,
                 pipeline=test_pipeline))
val_dataloader = test_dataloader
val_evaluator = dict(type='{metric}', ann_file='data/{val}', mask_root='data/{masks}')
test_evaluator = val_evaluator
train_cfg = dict(type='VideoTrainLoop', max_iters=2, val_interval=100)
val_cfg = dict(type='VideoValLoop')
test_cfg = dict(type='VideoTestLoop')
model = dict(
    type='TrainableMapSegmentor', num_classes=9, test_cfg=dict(task='{task}', num_things=6),
    data_preprocessor=dict(type='VideoDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3))
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))
"""
MAPS = dict(
    vps=dict(
        dataset='VIPSegDataset',
        prefix="dict(img='images', mask='panomasksRGB')",
        train='panoptic_gt_VIPSeg_train.json',
        val='panoptic_gt_VIPSeg_val.json',
        load='LoadPanopticClip',
        metric='VideoPanopticMetric',
        masks='panomasksRGB',
    ),
    vss=dict(
        dataset='VSPWDataset',
        prefix="dict(img='data')",
        train='train.txt',
        val='val.txt',
        load='LoadSemanticClip',
        metric='VideoSemanticMetric',
        masks='data',
    ),
)
COCO_CONFIG = """
_base_ = ['toy.py']
train_dataloader = dict(batch_size=1, dataset=dict(
    _delete_=True, type='CocoClipDataset', version='ovis', data_root='data', ann_file='coco.json',
    data_prefix=dict(img='images'), clip=dict(num_frames=2, consecutive=True),
    pipeline={{_base_.pipeline}}))
"""


class Scene:
    """Folders of sound files, each made when it is first asked for.

    Args:
        root: where the folders are made.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def part(self, name: str) -> Path:
        """The folder of a part; not to be changed."""
        folder = self.root / name
        if not folder.exists():
            made = self.root / f'{name}.part'
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir(parents=True)
            PARTS[name](made, self)
            made.rename(folder)
        return folder

    def copy(self, name: str, folder: Path) -> None:
        """Copy a part into a folder, which may hold others."""
        shutil.copytree(self.part(name), folder, dirs_exist_ok=True, symlinks=True)


def must(outcome: Outcome, what: str) -> None:
    """Stop where a sound input is refused."""
    if outcome.status or outcome.ended:
        raise RuntimeError(f'{what} ends with {outcome.status}: {outcome.err[-3000:]}')


def write_vis(folder: Path, scene: Scene) -> None:
    """Instances: toy model and data, its checkpoints of all formats, results."""
    toy.write_videos(folder / 'data')
    panoptic_files.edit_json(folder / 'data/train.json', _add_occlusion)
    text = toy.CONFIG.format(default_runtime=RUNTIME, root='data')
    (folder / 'toy.py').write_text(text.replace('max_iters=8', 'max_iters=4'))
    args = ['toy.py', '--no-validate', '--work-dir', 'work']
    must(run_tool('train', args, folder, logs=folder), 'training')
    shutil.copy(folder / 'work/iter_4.pth', folder / 'toy.pth')
    must(run_forked(lambda: _other_formats(folder), folder, logs=folder), 'writing checkpoints')
    args = ['toy.py', 'toy.pth', '--out', 'results', '--no-zip']
    must(run_tool('test_vis', args, folder, logs=folder), 'testing')
    shutil.move(folder / 'results/results.json', folder / 'results.json')
    _tidy(folder, 'results', 'work_dirs')


def _add_occlusion(content: dict) -> None:
    """What OVIS says of objects."""
    for entry in content['annotations']:
        levels = ('no_occlusion', 'slight_occlusion', 'severe_occlusion')
        entry['occlusion'] = [levels[frame % 3] for frame in range(len(entry['bboxes']))]


def _other_formats(folder: Path) -> None:
    import torch
    from mmengine.config import Config
    from safetensors.torch import save_file

    from mmvseg.checkpoints.files import load_checkpoint_file

    content = load_checkpoint_file(folder / 'toy.pth')
    slim = dict(state_dict=content['state_dict'], meta=dict(content['meta']))
    torch.save(content, folder / 'legacy.pth', _use_new_zipfile_serialization=False)
    weights = {name: tensor.contiguous() for name, tensor in slim['state_dict'].items()}
    save_file(weights, folder / 'toy.safetensors')
    arrays = {name: tensor.numpy() for name, tensor in weights.items()}
    (folder / 'toy.pkl').write_bytes(pickle.dumps(dict(model=arrays)))
    cfg = Config.fromfile(folder / 'toy.py')
    for suffix in ('json', 'yaml'):
        cfg.dump(folder / f'toy.{suffix}')


def _tidy(folder: Path, *names: str) -> None:
    for name in (*names, 'stdout', 'stderr'):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)


def write_coco(folder: Path, scene: Scene) -> None:
    """Instances of pictures in COCO's form, coded in all three ways."""
    (folder / 'data/images').mkdir(parents=True)
    text = toy.CONFIG.format(default_runtime=RUNTIME, root='data')
    (folder / 'toy.py').write_text(text.replace('max_iters=8', 'max_iters=2'))
    (folder / 'coco.py').write_text(COCO_CONFIG)
    names = load_coco_names('ovis')
    categories = [dict(id=5 + i, name=name) for i, name in enumerate(names)]
    square = [4, 5, 16, 5, 16, 17, 4, 17]
    mask = np.zeros((40, 50), np.uint8, order='F')
    mask[10:30, 20:40] = 1
    packed = coco_mask.encode(mask)
    objects = [
        dict(segmentation=[square], bbox=[4, 5, 12, 12], area=144),
        dict(segmentation=[square, [30, 5, 40, 5, 40, 15]], bbox=[4, 5, 36, 12], area=194),
        dict(
            segmentation=dict(size=[40, 50], counts=packed['counts'].decode()),
            bbox=[20, 10, 20, 20],
            area=400,
        ),
    ]
    images, annotations = [], []
    for index in range(3):
        images.append(dict(id=index + 3, height=40, width=50, file_name=f'{index}.png'))
        cv2.imwrite(str(folder / f'data/images/{index}.png'), np.full((40, 50, 3), 90, np.uint8))
        for thing in objects:
            annotations.append(
                dict(id=len(annotations) + 1, image_id=index + 3, category_id=5, iscrowd=0) | thing
            )
    content = dict(images=images, annotations=annotations, categories=categories)
    (folder / 'data/coco.json').write_text(json.dumps(content))


def _write_maps(folder: Path, task: str, layout: str) -> None:
    options = ShapesOptions(height=SIZE[0], width=SIZE[1], length=3)
    write_shapes(folder / 'data', ShapesRequest(options, train=2, val=2, layout=layout))
    text = MAP_CONFIG.format(runtime=RUNTIME, task=task, **MAPS[task])
    (folder / 'maps.py').write_text(text)
    args = ['maps.py', '--no-validate', '--work-dir', 'work']
    must(run_tool('train', args, folder, logs=folder), f'training of {task}')
    shutil.copy(folder / 'work/iter_2.pth', folder / 'maps.pth')
    args = ['maps.py', 'maps.pth', '--out', 'results', '--no-zip']
    must(run_tool('test_vis', args, folder, logs=folder), f'testing of {task}')
    for name in ('metrics.json', 'run.json'):
        (folder / 'results' / name).unlink(missing_ok=True)
    _tidy(folder, 'work', 'work_dirs')


def write_vps(folder: Path, scene: Scene) -> None:
    """Panoptic data in VIPSeg's form, a model and its results."""
    _write_maps(folder, 'vps', 'vipseg')


def write_vss(folder: Path, scene: Scene) -> None:
    """Semantic data in VSPW's form, a model and its results."""
    _write_maps(folder, 'vss', 'vspw')


def write_small(folder: Path, scene: Scene) -> None:
    """Panoptic files of a few pixels, for the metrics."""
    ids = np.array([[1, 1, 2], [0, 2, 2]])
    frames = [(ids, panoptic_files.listed(ids, {1: 0, 2: 7}, crowds=(2,)))] * 2
    videos = dict(a=frames, b=frames)
    panoptic_files.write_truth(folder / 'gt', videos)
    panoptic_files.write_predictions(folder / 'pred', videos)


def write_release(folder: Path, scene: Scene) -> None:
    """VIPSeg as it was made by its official conversion, to be resized."""
    options = ShapesOptions(height=32, width=45, length=2)
    write_shapes(folder / 'release', ShapesRequest(options, train=1, val=1, layout='vipseg'))


def write_media(folder: Path, scene: Scene) -> None:
    """The same short video in all forms, and models of all tasks that take it."""
    must(run_forked(lambda: _media_files(folder), folder, logs=folder), 'writing videos')
    _tidy(folder)


def _media_files(folder: Path) -> None:
    from PIL import Image

    squares.write_config(folder / 'squares.py')
    squares.write_config(folder / 'live.py', live=True)
    squares.write_checkpoint(folder / 'squares.pth')
    for task in ('vps', 'vss'):
        map_squares.write_map_config(folder / f'{task}.py', task)
        map_squares.write_map_checkpoint(folder / f'{task}.pth')
    squares.write_frames(folder / 'frames', count=5)
    frames = [squares.square_frame(index) for index in range(5)]
    for name, codec in (('clip.mp4', 'libx264'), ('clip.avi', 'mpeg4'), ('clip.ts', 'libx264')):
        write_video(folder / name, frames, codec)
    pictures = [Image.fromarray(frame) for frame in frames]
    for suffix, options in (
        ('gif', dict(duration=100)),
        ('webp', dict(duration=100)),
        ('tif', {}),
    ):
        path = folder / f'clip.{suffix}'
        pictures[0].save(path, save_all=True, append_images=pictures[1:], **options)
    for suffix in ('png', 'jpg', 'bmp', 'webp', 'tif'):
        pictures[0].save(folder / f'picture.{suffix}')
    pictures[0].save(folder / 'picture.gif')


def write_video(path: Path, frames: list[np.ndarray], codec: str) -> None:
    """Encode frames with one thread."""
    import av

    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=Fraction(10))
        stream.width, stream.height = frames[0].shape[1::-1]
        stream.pix_fmt, stream.thread_count = 'yuv420p', 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, 'rgb24')))
        container.mux(stream.encode(None))


def write_convert(folder: Path, scene: Scene) -> None:
    """A published checkpoint of a small MinVIS, ours made of it, and the config."""
    must(run_forked(lambda: _convertible(folder), folder, logs=folder), 'writing weights')
    args = ['published.pth', 'ours.pth', '--config', 'small.py']
    must(run_tool('model_converters/convert', args, folder, logs=folder), 'converting')
    _tidy(folder)


def _convertible(folder: Path) -> None:
    import torch
    from helpers import reference_dir
    from mmengine.config import Config
    from safetensors.torch import save_file

    from mmvseg.testing.parity import dvis_video, load_case

    case = load_case(reference_dir() / 'dvis/dvis_offline_vis')
    Config(dict(model=dvis_video.model_config(case))).dump(folder / 'small.py')
    weights = {name: tensor.contiguous() for name, tensor in case.weights.items()}
    torch.save(dict(model=weights, iteration=3), folder / 'published.pth')
    save_file(weights, folder / 'published.safetensors')
    arrays = {name: tensor.numpy() for name, tensor in weights.items()}
    content = dict(model=arrays, __author__='third_party')
    (folder / 'published.pkl').write_bytes(pickle.dumps(content))


PARTS: dict[str, Callable[[Path, Scene], None]] = dict(
    vis=write_vis,
    coco=write_coco,
    vps=write_vps,
    vss=write_vss,
    small=write_small,
    release=write_release,
    media=write_media,
    convert=write_convert,
)
#: For a run of a tool by hand.
ENVIRONMENT = dict(
    PYTHONPATH=os.pathsep.join(
        map(str, (REPOSITORY, REPOSITORY / 'tests', REPOSITORY / 'tests/robustness'))
    ),
    OMP_NUM_THREADS='1',
)
