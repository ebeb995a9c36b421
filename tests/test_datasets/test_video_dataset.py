import random

import numpy as np
import pytest
import torch

from mmvseg.datasets import ClipIndex, ClipSampling
from mmvseg.errors import UserError


def same_item(a: dict, b: dict) -> bool:
    frames = zip(a['data_samples'].gt_instances, b['data_samples'].gt_instances, strict=True)
    return torch.equal(a['inputs'], b['inputs']) and all(
        torch.equal(x.bboxes, y.bboxes) and torch.equal(x.masks, y.masks) for x, y in frames
    )


def test_one_item_a_frame_with_an_object(content, make_dataset):
    dataset = make_dataset(content, clip=dict(num_frames=3))
    assert len(dataset) == 4 + 3
    # A frame without any box is no anchor.
    for annotation in content['annotations'][:2]:
        for field in ('segmentations', 'bboxes', 'areas'):
            annotation[field][0] = None
    assert len(make_dataset(content)) == 3 + 3


def test_small_videos_are_not_trained_on(content, make_dataset):
    assert len(make_dataset(content, min_size=40)) == 7
    with pytest.raises(UserError, match='with a side below 41 pixels'):
        make_dataset(content, min_size=41)


def test_clip_item(content, make_dataset):
    dataset = make_dataset(content, clip=dict(num_frames=4))
    sample = dataset[ClipIndex(2, seed=0, draw=5)]['data_samples']
    assert sample.frame_ids[0] == 2
    assert sorted(sample.frame_ids) == [0, 1, 2, 3]
    for frame, instances in zip(sample.frame_ids, sample.gt_instances, strict=True):
        expected = [0, 1] if frame == 0 else [0]
        assert instances.instance_ids.tolist() == expected
        assert instances.labels.tolist() == ([0, 1] if frame == 0 else [0])
        x = 5 + 3 * frame
        assert instances.bboxes[0].tolist() == [x, 11, x + 12, 21]
        assert instances.masks[0, 11:21, x : x + 12].all()
        assert instances.masks[0].sum() == 120


def test_frames_are_rgb_and_in_clip_order(content, make_dataset):
    item = make_dataset(content, clip=dict(num_frames=4))[ClipIndex(4, 0, 0)]
    red = item['inputs'][:, 0].float().mean(dim=(1, 2))
    expected = torch.tensor([40.0 + 10 * t for t in item['data_samples'].frame_ids])
    assert torch.allclose(red, expected, atol=3)
    assert item['data_samples'].video_name == 'video_1'


def test_draws_depend_on_the_index_alone(content, make_dataset):
    pipeline = [
        dict(type='LoadClip'),
        dict(type='ResizeClip', scale=[(60, 40), (120, 80)], mode='range'),
        dict(type='FlipClip'),
        dict(type='PackClip'),
    ]
    dataset = make_dataset(content, pipeline=pipeline, clip=dict(num_frames=3))
    index = ClipIndex(1, seed=7, draw=3)
    first = dataset[index]
    np.random.rand(5)
    dataset[4]
    assert same_item(first, dataset[index])
    shapes = {tuple(dataset[ClipIndex(1, 7, draw)]['inputs'].shape) for draw in range(8)}
    assert len(shapes) > 4
    assert dataset[ClipIndex(1, 8, 3)]['inputs'].shape != first['inputs'].shape


def test_seeding_leaves_the_generators_alone(content, make_dataset):
    dataset = make_dataset(content)
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    dataset[ClipIndex(0, 0, 0)]
    assert random.getstate() == states[0]
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert torch.equal(torch.get_rng_state(), states[2])


def test_objects_that_are_not_trained_on(content, make_dataset):
    first, second = content['annotations'][:2]
    first['iscrowd'] = 1
    second['bboxes'][0] = [5, 7, 0.5, 10]
    dataset = make_dataset(content, clip=dict(num_frames=2))
    item = dataset[ClipIndex(0, 0, 0)]
    for instances in item['data_samples'].gt_instances:
        assert instances.bboxes.shape == (0, 4)
        assert instances.labels.shape == instances.instance_ids.shape == (0,)
        assert instances.masks.shape == (0, 40, 60)
        assert instances.masks.dtype == torch.uint8


def test_windows_cover_each_video(content, make_dataset):
    content['annotations'] = None
    dataset = make_dataset(content, test_mode=True, window_size=3)
    samples = [dataset[i]['data_samples'] for i in range(len(dataset))]
    assert [s.frame_ids for s in samples] == [[0, 1, 2], [3], [0, 1, 2]]
    assert [s.is_first for s in samples] == [True, False, True]
    assert [s.is_last for s in samples] == [False, True, True]
    assert [s.video_id for s in samples] == [10, 10, 11]
    assert [s.video_length for s in samples] == [4, 4, 3]
    assert samples[1].frame_paths[0].endswith('frames/video_0/00003.jpg')
    assert samples[0].ori_shape == (40, 60)


def test_window_scale_factor_is_per_axis(content, make_dataset):
    pipeline = [
        dict(type='LoadClip'),
        dict(type='ResizeClip', scale=(47, 100)),
        dict(type='PackClip'),
    ]
    item = make_dataset(content, test_mode=True, pipeline=pipeline)[0]
    height, width = item['inputs'].shape[-2:]
    assert item['data_samples'].scale_factor == (width / 60, height / 40)
    assert item['data_samples'].img_shape == (height, width) == (47, 71)


def test_records(content, make_dataset):
    dataset = make_dataset(content, test_mode=False)
    record = next(iter(dataset.videos))
    assert (record['video_id'], record['height'], record['width'], record['length']) == (
        10,
        40,
        60,
        4,
    )
    instance = record['instances'][1]
    assert (instance['id'], instance['label']) == (1, 1)
    assert instance['segmentations'][1:] == [None] * 3
    assert instance['bboxes'][0].tolist() == [5, 7, 17, 17]


def test_subset_of_videos(content, make_dataset):
    assert make_dataset(content, indices=[1]).video_ids == [11]
    assert len(make_dataset(content, indices=1)) == 4


VALID = np.array([0, 2, 3, 5, 8, 9, 12])


def test_others_are_uniform_and_without_replacement():
    rng = np.random.default_rng(0)
    counts = np.zeros(13)
    for _ in range(3000):
        frames = ClipSampling(num_frames=4).draw(5, VALID, rng)
        assert frames[0] == 5
        assert len(set(frames)) == 4
        counts[frames[1:]] += 1
    others = counts[VALID[VALID != 5]]
    assert counts[5] == 0
    assert np.abs(others / 1500 - 1).max() < 0.1


def test_order_is_random_unless_sorted():
    rng = np.random.default_rng(0)
    drawn = [ClipSampling(num_frames=5).draw(3, VALID, rng) for _ in range(30)]
    assert any(frames[1:] != sorted(frames[1:]) for frames in drawn)
    for _ in range(30):
        frames = ClipSampling(num_frames=5, sort=True).draw(3, VALID, rng)
        assert frames == sorted(frames)
        assert 3 in frames


def test_range_limits_the_others():
    rng = np.random.default_rng(0)
    sampling = ClipSampling(num_frames=3, frame_range=3)
    drawn = {frame for _ in range(100) for frame in sampling.draw(5, VALID, rng)}
    assert drawn == {2, 3, 5, 8}


@pytest.mark.parametrize('valid', [[4], [4, 7], [1, 4, 7]])
def test_short_videos_repeat_frames(valid):
    rng = np.random.default_rng(0)
    for _ in range(20):
        frames = ClipSampling(num_frames=5).draw(4, np.array(valid), rng)
        assert len(frames) == 5
        assert frames[0] == 4
        assert set(frames) == set(valid)


def test_one_frame_clips():
    assert ClipSampling(num_frames=1).draw(4, VALID, np.random.default_rng(0)) == [4]


@pytest.mark.parametrize('frames', [0, -1, 2.5])
def test_clips_and_windows_hold_a_frame(content, make_dataset, frames):
    with pytest.raises(UserError, match=rf'dataset\.window_size = {frames}'):
        make_dataset(content, test_mode=True, window_size=frames)
    with pytest.raises(UserError, match=rf'dataset\.clip\.num_frames = {frames}'):
        make_dataset(content, clip=dict(num_frames=frames))


@pytest.mark.parametrize('test_mode', [False, True])
def test_frames_outside_of_the_root_need_leave(content, make_dataset, write, test_mode):
    root = write(content).parent
    (root / 'frames').rename(root / 'disk')
    (root / 'frames').symlink_to('disk')
    options, item = dict(test_mode=test_mode), 0 if test_mode else ClipIndex(0, 0, 0)
    expected = make_dataset(content, **options)[item]['inputs']
    (root / 'disk/video_0').rename(root / 'elsewhere')
    (root / 'disk/video_0').symlink_to('../elsewhere')
    with pytest.raises(UserError, match=r'video video_0: .*a link leads out of the folder'):
        make_dataset(content, write_frames=False, **options)[item]
    content['videos'][0]['file_names'] = [f'../elsewhere/{t:05d}.jpg' for t in range(4)]
    with pytest.raises(UserError, match=r"'\.\./elsewhere/00000\.jpg' leaves the folder"):
        make_dataset(content, write_frames=False, **options)
    allowed = make_dataset(content, write_frames=False, allow_outside_root=True, **options)
    assert torch.equal(allowed[item]['inputs'], expected)


@pytest.mark.parametrize('step', [dict(type='PackClip'), dict(type='ResizeClip', scale=(9, 9))])
def test_a_pipeline_that_loads_nothing_is_named(content, make_dataset, step):
    dataset = make_dataset(content, pipeline=[step])
    with pytest.raises(UserError, match=r"dataset\.pipeline: .* 'im.*such as LoadClip"):
        dataset.prepare_data(0)
