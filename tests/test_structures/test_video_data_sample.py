"""Samples on their way from a worker to the training process."""

import copy
import pickle

import pytest
import torch
from mmengine.structures import InstanceData

from mmvseg.structures import VideoDataSample


def frame(count: int) -> InstanceData:
    return InstanceData(
        labels=torch.arange(count), masks=torch.rand(count, 3, 5), instance_ids=torch.ones(count)
    )


def sample(frames: list[InstanceData]) -> VideoDataSample:
    made = VideoDataSample(metainfo=dict(video_id=3, img_shape=(3, 5)))
    made.gt_instances = frames
    return made


def assert_same_frames(one: list[InstanceData], two: list[InstanceData]) -> None:
    assert len(one) == len(two)
    for a, b in zip(one, two, strict=True):
        assert {*a.keys()} == {*b.keys()}  # sets: their order goes by the hash seed
        assert all(torch.equal(a[key], b[key]) for key in a.keys())  # noqa: SIM118


@pytest.mark.parametrize('counts', [[2, 0, 4], [0, 0], [3]])
def test_frames_travel_as_one_tensor_a_field(counts):
    frames = [frame(count) for count in counts]
    state = sample(frames).__getstate__()
    assert not any(isinstance(value, list) for value in state.values())
    for arrived in (pickle.loads(pickle.dumps(sample(frames))), copy.deepcopy(sample(frames))):
        assert_same_frames(arrived.gt_instances, frames)
        assert arrived.img_shape == (3, 5)
        arrived.gt_instances = arrived.gt_instances[:1]  # can still be set
        assert '_gt_instances' in arrived.to('cpu')


def test_other_frames_travel_as_they_are():
    noted = frame(2)
    noted.set_metainfo(dict(source='x'))
    for frames in ([noted], [InstanceData(), InstanceData()], [frame(2), InstanceData()], []):
        arrived = pickle.loads(pickle.dumps(sample(frames))).gt_instances
        assert_same_frames(arrived, frames)
        assert [{*a.metainfo_keys()} for a in arrived] == [{*b.metainfo_keys()} for b in frames]
    assert '_gt_instances' not in pickle.loads(pickle.dumps(VideoDataSample()))
