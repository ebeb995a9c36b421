import numpy as np
import pytest

from mmvseg.datasets import ClipIndex, ConsecutiveSampling
from mmvseg.errors import UserError


def draws(length, count=400, **kwargs):
    rng = np.random.default_rng(0)
    return [ConsecutiveSampling(**kwargs).draw(length, rng) for _ in range(count)]


@pytest.mark.parametrize('length', [5, 6, 12])
def test_every_run_is_drawn_about_as_often(length):
    starts = np.zeros(length - 4)
    for frames in draws(length, 2000, num_frames=5):
        assert frames == list(range(frames[0], frames[0] + 5))
        starts[frames[0]] += 1
    assert np.abs(starts / starts.mean() - 1).max() < 0.25


def test_one_frame_is_any_frame():
    frames = draws(4, num_frames=1)
    assert {frame for (frame,) in frames} == {0, 1, 2, 3}


def test_short_videos_show_every_frame_in_order():
    for frames in draws(3, num_frames=7):
        assert len(frames) == 7
        assert set(frames) == {0, 1, 2}
        assert frames == sorted(frames)
    repeated = {
        frame for frames in draws(3, num_frames=4) for frame in range(3) if frames.count(frame) == 2
    }
    assert repeated == {0, 1, 2}


def test_an_image_is_repeated():
    assert draws(1, 1, num_frames=3) == [[0, 0, 0]]


@pytest.mark.parametrize(('prob', 'low', 'high'), [(0, 0, 0), (0.5, 150, 250), (1, 400, 400)])
def test_reversed_clips(prob, low, high):
    drawn = draws(9, num_frames=4, reverse_prob=prob)
    backwards = [frames for frames in drawn if frames[0] > frames[-1]]
    assert low <= len(backwards) <= high
    assert all(frames == sorted(frames, reverse=True) for frames in backwards)


def test_bad_probability():
    with pytest.raises(UserError, match=r'reverse_prob = 1\.5'):
        ConsecutiveSampling(reverse_prob=1.5)


def test_one_item_a_video_and_draws_by_index(content, make_dataset):
    dataset = make_dataset(content, clip=dict(num_frames=2, consecutive=True))
    assert len(dataset) == 2
    frame_ids = [
        dataset[ClipIndex(0, seed=1, draw=draw)]['data_samples'].frame_ids for draw in range(30)
    ]
    assert {tuple(frames) for frames in frame_ids} == {(0, 1), (1, 2), (2, 3)}
    again = dataset[ClipIndex(0, seed=1, draw=7)]['data_samples']
    assert again.frame_ids == frame_ids[7]


def test_videos_without_objects_are_left_out(content, make_dataset):
    content['annotations'] = content['annotations'][:2]
    dataset = make_dataset(content, clip=dict(num_frames=2, consecutive=True))
    assert len(dataset) == 1
