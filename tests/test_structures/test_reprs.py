"""What results print: a few words, however large they are."""

import numpy as np
import torch
from mmengine.structures import InstanceData

from mmvseg.structures import (
    CodedMaps,
    Segment,
    VideoDataSample,
    VideoInstances,
    VideoPanoptic,
    VideoSemantic,
    VideoWindow,
)

RLE = dict(size=[480, 640], counts=b'0' * 900)


def instances(count):
    scores = np.linspace(0.9, 0.25, count)
    return VideoInstances(scores, np.arange(count), [[RLE] * 36] * count, np.arange(count))


def test_results():
    assert repr(instances(100)) == 'VideoInstances(100 tubes of 36 frames, scores 0.25 to 0.90)'
    assert repr(instances(0)) == 'VideoInstances(0 tubes)'
    maps = CodedMaps([np.ones((480, 640), np.uint8)] * 36)
    assert repr(maps) == f'CodedMaps(36 maps, {maps.nbytes} bytes)'
    assert repr(VideoSemantic(maps)) == 'VideoSemantic(36 frames)'
    segments = [Segment(1, 0, True, 0.5, 0)] * 9
    assert repr(VideoPanoptic(segments, maps)) == 'VideoPanoptic(9 segments in 36 frames)'


def test_samples_and_windows():
    sample = VideoDataSample(metainfo=dict(video_name='street', frame_ids=list(range(4, 9))))
    assert repr(sample) == "VideoDataSample('street', frames 4 to 8)"
    window = VideoWindow(torch.zeros(5, 3, 8, 8), sample)
    assert repr(window) == f'VideoWindow((5, 3, 8, 8), {sample!r})'
    sample.gt_instances = [InstanceData(masks=np.zeros((3, 480, 640)))] * 5
    assert repr(sample) == "VideoDataSample('street', frames 4 to 8, gt_instances)"
    sample.pred = instances(2)
    assert repr(sample).startswith("VideoDataSample('street', pred=VideoInstances(2 tubes of 36")
    assert repr(VideoDataSample()) == 'VideoDataSample(None)'
