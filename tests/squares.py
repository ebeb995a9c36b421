"""A segmentor that finds bright red, green and blue things, and videos of such squares."""

import cv2
import numpy as np
import torch
from pycocotools import mask as coco_mask
from torch import nn

from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample, VideoInstances

CLASSES = ('red', 'green', 'blue')
SCORES = (0.9, 0.5, 0.2)

CONFIG = """
custom_imports = dict(imports=['squares'])
test_dataloader = dict(dataset=dict(
    type='YouTubeVISDataset', ann_file='absent.json', window_size={window_size},
    pipeline=[dict(type='LoadClip'), dict(type='ResizeClip', scale=(32, 24)),
              dict(type='PackClip')]))
model = dict(
    type='SquareSegmentor', num_classes=80,
    data_preprocessor=dict(type='VideoDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3))
"""


@MODELS.register_module()
class SquareSegmentor(VideoSegmentor):
    """Track k is everything of colour k; its score is a weight."""

    def __init__(self, num_classes, data_preprocessor=None):
        super().__init__(data_preprocessor=data_preprocessor)
        self.scores = nn.Parameter(torch.zeros(num_classes))

    def loss(self, inputs, data_samples):
        raise NotImplementedError

    def raw_outputs(self, inputs):
        raise NotImplementedError

    def begin(self, sample):
        return dict(sample=sample, masks=[[] for _ in self.scores])

    def advance(self, state, window):
        height, width = window.sample.ori_shape
        for frame in window.frames.numpy().astype(int):
            for channel, masks in enumerate(state['masks']):
                others = np.delete(frame, channel, axis=0).max(0)
                mask = ((frame[channel] > 150) & (others < 110)).astype(np.uint8)
                mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
                masks.append(coco_mask.encode(np.asfortranarray(mask)) if mask.any() else None)

    def finish(self, state):
        result = VideoDataSample(metainfo=state['sample'].metainfo)
        count = len(self.scores)
        result.pred = VideoInstances(
            scores=self.scores.detach().cpu().numpy(),
            labels=np.arange(count),
            masks=state['masks'],
            track_ids=np.arange(10, 10 + count),
        )
        return result


@MODELS.register_module()
class LiveSquareSegmentor(SquareSegmentor):
    """Finds the same in each frame, without waiting for the next."""

    needs_whole_video = False

    def advance_live(self, state, window):
        alone = self.begin(window.sample)
        self.advance(alone, window)
        pred = self.finish(alone).pred
        return [
            VideoInstances(pred.scores, pred.labels, [[rle] for rle in masks], pred.track_ids)
            for masks in zip(*pred.masks, strict=True)
        ]


def square_frame(index, height=48, width=64):
    """Grey, with a red square that moves to the right and a green one that stays."""
    image = np.full((height, width, 3), 60, np.uint8)
    image[4:20, 2 + 3 * index : 18 + 3 * index] = (230, 20, 20)
    image[28:44, 40:56] = (20, 230, 20)
    return image


def write_frames(folder, count=7, **size):
    """Lossless frames of a video."""
    folder.mkdir(parents=True)
    for index in range(count):
        cv2.imwrite(str(folder / f'{index:05d}.png'), square_frame(index, **size)[..., ::-1])
    return folder


def write_config(path, window_size=3, live=False):
    """A config for SquareSegmentor, made for other classes than the checkpoint's."""
    text = CONFIG.format(window_size=window_size)
    path.write_text(text.replace('SquareSegmentor', 'LiveSquareSegmentor') if live else text)
    return path


def write_checkpoint(path, **meta):
    """Weights of SquareSegmentor with its class names."""
    meta = meta or dict(dataset_meta=dict(classes=CLASSES, category_ids=(5, 6, 9)))
    torch.save(dict(state_dict=dict(scores=torch.tensor(SCORES)), meta=meta), path)
    return path


def write_scene(folder):
    """A config, a checkpoint and frames for it."""
    write_config(folder / 'squares.py')
    write_checkpoint(folder / 'squares.pth')
    write_frames(folder / 'frames')
