"""A model of a few hundred parameters and videos of coloured squares, to test what runs them."""

import json
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook  # noqa: F401 - for tests
from mmengine.model import BaseModule
from pycocotools import mask as coco_mask
from torch import nn

from mmvseg.engine import VideoRunner
from mmvseg.engine.categories import sync_num_classes
from mmvseg.engine.config import load_config
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.registry import METRICS, MODELS
from mmvseg.structures import VideoDataSample, VideoInstances

_names = count()
CLASSES = ('red', 'green')

CONFIG = """
_base_ = ['{default_runtime}']
custom_imports = dict(imports=['toy'])
pipeline = [dict(type='LoadClip'), dict(type='ResizeClip', scale=(64, 48)),
            dict(type='FlipClip', prob=0.5), dict(type='PackClip')]
test_pipeline = [dict(type='LoadClip'), dict(type='ResizeClip', scale=(64, 48)),
                 dict(type='PackClip')]
dataset = dict(type='YouTubeVISDataset', data_root='{root}', ann_file='train.json',
               data_prefix=dict(img='JPEGImages'), clip=dict(num_frames=2), pipeline=pipeline)
train_dataloader = dict(batch_size=2, num_workers=0, dataset=dataset,
                        sampler=dict(type='ClipSampler'),
                        batch_sampler=dict(type='ClipBatchSampler'))
test_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='WindowSampler'),
    dataset=dict(type='YouTubeVISDataset', data_root='{root}', ann_file='train.json',
                 data_prefix=dict(img='JPEGImages'), window_size=2, test_mode=True,
                 pipeline=test_pipeline))
val_dataloader = test_dataloader
val_evaluator = dict(type='MeanScore')
test_evaluator = val_evaluator
train_cfg = dict(type='VideoTrainLoop', max_iters=8, val_interval=100)
val_cfg = dict(type='VideoValLoop')
test_cfg = dict(type='VideoTestLoop')
model = dict(type='ToySegmentor', width=4, head=dict(type='ToyHead', num_classes=7),
             data_preprocessor=dict(type='VideoDataPreprocessor', mean=[120.0] * 3, std=[60.0] * 3))
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=0.01))
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[3, 6], gamma=0.5)]
default_hooks = dict(checkpoint=dict(interval=2), logger=dict(interval=1))
"""


@MODELS.register_module()
class ToyHead(BaseModule):
    def __init__(self, num_classes, in_channels=4):
        super().__init__()
        self.fc_cls = nn.Linear(in_channels, num_classes)


@MODELS.register_module()
class ToySegmentor(VideoSegmentor):
    """Says which classes a video shows; its masks are where the picture is bright."""

    def __init__(self, head, width=4, data_preprocessor=None):
        super().__init__(data_preprocessor=data_preprocessor)
        self.backbone = nn.Conv2d(3, width, 3, stride=4)
        self.norm = nn.BatchNorm2d(width)
        self.dropout = nn.Dropout(0.3)
        self.head = MODELS.build(dict(head, in_channels=width))

    def raw_outputs(self, inputs):
        batch_size, num_frames = inputs.shape[:2]
        maps = self.norm(self.backbone(inputs.flatten(0, 1))).relu()
        pooled = self.dropout(maps.mean((2, 3)))  # (B * T, C)
        return self.head.fc_cls(pooled).view(batch_size, num_frames, -1)  # (B, T, K)

    def loss(self, inputs, data_samples):
        logits = self.raw_outputs(inputs)
        target = torch.zeros_like(logits)
        for clip, sample in enumerate(data_samples):
            for frame, instances in enumerate(sample.gt_instances):
                target[clip, frame, instances.labels] = 1
        return dict(loss_cls=F.binary_cross_entropy_with_logits(logits.float(), target))

    def begin(self, sample):
        return dict(sample=sample, logits=[], masks=[])

    def advance(self, state, window):
        preprocessor = self.data_preprocessor
        frames = preprocessor.normalise(
            window.frames.to(preprocessor.mean.device), window.frames.shape[-2:]
        )
        state['logits'].append(self.raw_outputs(frames[None])[0])
        height, width = window.sample.ori_shape
        for frame in window.frames:
            mask = cv2.resize(frame.amax(0).numpy(), (width, height)) > 150
            state['masks'].append(coco_mask.encode(np.asfortranarray(mask.astype(np.uint8))))

    def finish(self, state):
        scores = torch.cat(state['logits']).float().sigmoid().mean(0).cpu().numpy()
        num_classes = len(scores)
        result = VideoDataSample(metainfo=state['sample'].metainfo)
        result.pred = VideoInstances(
            scores=scores,
            labels=np.arange(num_classes),
            masks=[state['masks']] * num_classes,
            track_ids=np.zeros(num_classes, np.int64),
        )
        return result


@METRICS.register_module()
class MeanScore(BaseMetric):
    """Mean score by video id."""

    def process(self, data_batch, data_samples):
        self.results += [(s['video_id'], float(s['pred'].scores.mean())) for s in data_samples]

    def compute_metrics(self, results):
        return {f'video_{video_id}': score for video_id, score in sorted(results)}


def write_videos(root: Path, num_videos: int = 3, num_frames: int = 5) -> None:
    """Videos of one square each, red or green, that moves to the right."""
    rng = np.random.default_rng(0)
    videos, annotations = [], []
    for index in range(num_videos):
        folder = root / 'JPEGImages' / f'v{index}'
        folder.mkdir(parents=True)
        label = index % 2
        names, boxes, rles = [], [], []
        for t in range(num_frames):
            image = rng.integers(0, 100, (48, 64, 3), dtype=np.uint8)
            x, y = 4 + 8 * t, 8 + 4 * index
            image[y : y + 16, x : x + 16, 2 - label] = 255
            mask = np.zeros((48, 64), np.uint8)
            mask[y : y + 16, x : x + 16] = 1
            rle = coco_mask.encode(np.asfortranarray(mask))
            names.append(f'v{index}/{t:05d}.jpg')
            boxes.append([x, y, 16, 16])
            rles.append(dict(size=rle['size'], counts=rle['counts'].decode()))
            cv2.imwrite(str(root / 'JPEGImages' / names[-1]), image)
        size = dict(height=48, width=64)
        videos.append(dict(id=index + 1, file_names=names, length=num_frames, **size))
        annotations.append(
            dict(id=index + 1, video_id=index + 1, category_id=label + 1, iscrowd=0, **size)
            | dict(bboxes=boxes, segmentations=rles, areas=[256] * num_frames)
        )
    categories = [dict(id=i + 1, name=name) for i, name in enumerate(CLASSES)]
    content = dict(videos=videos, annotations=annotations, categories=categories)
    (root / 'train.json').write_text(json.dumps(content))


def write_config(folder: Path, extra: str = '') -> Path:
    """A config for ToySegmentor on the videos in ``folder/data``."""
    base = Path(__file__).parents[1] / 'configs/_base_/default_runtime.py'
    text = CONFIG.format(default_runtime=base, root=folder / 'data')
    path = folder / 'toy.py'
    path.write_text(text + extra)
    return path


def make_runner(
    config: Path, work_dir: Path, validate: bool = False, launcher: str = 'none', **options
) -> VideoRunner:
    """A runner in this process; ``options`` by dotted key with ``__`` for the dots."""
    cfg = load_config(config, {key.replace('__', '.'): v for key, v in options.items()})
    cfg.work_dir = str(work_dir)
    # mmengine keeps one logger and message hub a name and would share them between runs
    cfg.experiment_name = f'toy_{next(_names)}'
    cfg.launcher = launcher
    if not validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    sync_num_classes(cfg)
    return VideoRunner.from_cfg(cfg)
