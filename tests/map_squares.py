"""Segmentors that give maps: segments or classes of the squares of ``square_frame``."""

import cv2
import numpy as np
import torch
from squares import SquareSegmentor

from mmvseg.registry import MODELS
from mmvseg.structures import CodedMaps, Segment, VideoDataSample, VideoPanoptic, VideoSemantic

#: Two kinds of things, two of stuff: the upper and the lower half.
CLASSES = ('red', 'green', 'wall', 'floor')
META = dict(
    classes=CLASSES,
    category_ids=(7, 3, 0, 9),
    palette=((200, 0, 0), (0, 200, 0), (90, 120, 200), (230, 200, 90)),
    thing_classes=('red', 'green'),
    stuff_classes=('wall', 'floor'),
)
#: The segments' ids are 10 + class index; the last two columns belong to none.
SEGMENTS = [
    Segment(10 + label, label, label < 2, score, query=label)
    for label, score in enumerate((0.9, 0.5, 0.8, 0.7))
]
VOID_COLUMNS = 4


@MODELS.register_module()
class MapSegmentor(SquareSegmentor):
    """Says of each pixel which square it belongs to, or which half of the picture."""

    def __init__(self, num_classes, test_cfg, data_preprocessor=None):
        super().__init__(num_classes, data_preprocessor)
        self.task, self.num_things = test_cfg['task'], test_cfg['num_things']

    def begin(self, sample):
        return dict(sample=sample, maps=CodedMaps())

    def advance(self, state, window):
        height, width = window.sample.ori_shape
        for frame in window.frames.numpy().astype(int):
            labels = np.full(frame.shape[1:], 2, np.uint8)
            labels[frame.shape[1] // 2 :] = 3
            for channel in range(2):
                others = np.delete(frame, channel, axis=0).max(0)
                labels[(frame[channel] > 150) & (others < 110)] = channel
            labels = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST)
            if self.task == 'vps':
                labels += 10
                labels[:, -VOID_COLUMNS:] = 0
            state['maps'].append(labels)

    def finish(self, state):
        result = VideoDataSample(metainfo=state['sample'].metainfo)
        maps = state['maps']
        result.pred = VideoPanoptic(SEGMENTS, maps) if self.task == 'vps' else VideoSemantic(maps)
        return result


@MODELS.register_module()
class LiveMapSegmentor(MapSegmentor):
    """Says the same of each frame, without waiting for the next."""

    needs_whole_video = False

    def advance_live(self, state, window):
        state['maps'] = CodedMaps()
        self.advance(state, window)
        maps = [CodedMaps([item]) for item in state['maps']]
        if self.task == 'vps':
            return [VideoPanoptic(SEGMENTS, item) for item in maps]
        return [VideoSemantic(item) for item in maps]


def write_map_config(path, task, live=False):
    """A config for MapSegmentor, made for other classes than the checkpoint's."""
    path.write_text(f"""
custom_imports = dict(imports=['map_squares'])
test_dataloader = dict(dataset=dict(
    type='VSPWDataset', ann_file='absent/val.txt', window_size=3,
    pipeline=[dict(type='LoadClip'), dict(type='ResizeClip', scale=(32, 24)),
              dict(type='PackClip')]))
model = dict(
    type='{'Live' if live else ''}MapSegmentor', num_classes=124,
    test_cfg=dict(task='{task}', num_things=58),
    data_preprocessor=dict(type='VideoDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3))
""")
    return path


def write_map_checkpoint(path, **meta):
    """Weights of MapSegmentor with its classes; ``meta`` changes what is said of them."""
    noted = {key: value for key, value in (META | meta).items() if value is not None}
    state = dict(scores=torch.zeros(len(noted['classes'])))
    torch.save(dict(state_dict=state, meta=dict(dataset_meta=noted)), path)
    return path
