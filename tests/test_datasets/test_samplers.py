from itertools import islice

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from mmvseg.datasets import ClipBatchSampler, ClipSampler, WindowSampler


class FakeDataset:
    """As many items as asked, every third one upright; ten videos of different lengths."""

    video_ids = list(range(100, 110))
    video_lengths = np.array([5, 40, 12, 7, 7, 36, 1, 20, 9, 3])

    def __init__(self, size: int = 30) -> None:
        self.size = size
        self.item_is_wide = np.arange(size) % 3 != 0
        windows = -(-self.video_lengths // 10)
        self.item_videos = np.repeat(np.arange(10), windows)

    def __len__(self) -> int:
        return self.size


def at_rank(monkeypatch, module: str, rank: int, world: int) -> None:
    monkeypatch.setattr(f'mmvseg.datasets.samplers.{module}.get_dist_info', lambda: (rank, world))


def test_every_anchor_once_in_each_round():
    stream = list(islice(ClipSampler(FakeDataset(), seed=1), 90))
    rounds = [[clip.index for clip in stream[start : start + 30]] for start in (0, 30, 60)]
    assert all(sorted(indices) == list(range(30)) for indices in rounds)
    assert rounds[0] != rounds[1] != rounds[2]
    assert [clip.draw for clip in stream] == list(range(90))


def test_seed_decides():
    streams = [[c.index for c in islice(ClipSampler(FakeDataset(), s), 30)] for s in (1, 1, 2)]
    assert streams[0] == streams[1] != streams[2]
    assert isinstance(ClipSampler(FakeDataset(), None).seed, int)


def test_batches_hold_one_orientation():
    dataset = FakeDataset()
    batches = list(islice(ClipBatchSampler(ClipSampler(dataset, 0), 4), 60))
    for batch in batches:
        assert len(batch) == 4
        assert len({bool(dataset.item_is_wide[clip.index]) for clip in batch}) == 1
    draws = [clip.draw for batch in batches for clip in batch]
    assert len(set(draws)) == len(draws)
    # Nothing is left behind for long.
    assert set(range(200)) <= set(draws)


@pytest.mark.parametrize('world', [2, 3])
def test_processes_share_one_stream(monkeypatch, world):
    alone = list(islice(ClipBatchSampler(ClipSampler(FakeDataset(), 5), 2 * world), 20))
    parts = []
    for rank in range(world):
        at_rank(monkeypatch, 'clip_sampler', rank, world)
        sampler = ClipBatchSampler(ClipSampler(FakeDataset(), 5), 2)
        assert len(sampler) == -(-30 // (2 * world))
        parts.append(list(islice(sampler, 20)))
    for step, batch in enumerate(alone):
        together = [clip for part in parts for clip in part[step]]
        assert sorted(together) == sorted(batch)


def test_resumed_stream_goes_on():
    sampler = ClipBatchSampler(ClipSampler(FakeDataset(), 5), 2)
    undisturbed = list(islice(sampler, 50))
    resumed = ClipBatchSampler(ClipSampler(FakeDataset(), 5), 2)
    resumed.set_position(17)
    assert list(islice(resumed, 33)) == undisturbed[17:]


def test_workers_do_not_change_the_data(content, make_dataset):
    pipeline = [
        dict(type='LoadClip'),
        dict(type='ResizeClip', scale=[(60, 40), (120, 80)], mode='range'),
        dict(type='FlipClip'),
        dict(type='PackClip'),
    ]
    dataset = make_dataset(content, pipeline=pipeline, clip=dict(num_frames=2))
    batches = []
    for workers in (0, 2):
        sampler = ClipBatchSampler(ClipSampler(dataset, 3), 2)
        loader = DataLoader(
            dataset, batch_sampler=sampler, num_workers=workers, collate_fn=pseudo_collate
        )
        batches.append(list(islice(loader, 4)))
    for a, b in zip(*batches, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a['inputs'], b['inputs'], strict=True))


@pytest.mark.parametrize('world', [1, 2, 3, 12])
def test_every_video_goes_to_one_process(monkeypatch, world):
    dataset = FakeDataset()
    items, frames = [], []
    for rank in range(world):
        at_rank(monkeypatch, 'window_sampler', rank, world)
        sampler = WindowSampler(dataset)
        mine = list(sampler)
        assert len(sampler) == len(mine)
        assert mine == sorted(mine)
        items.append(mine)
        frames.append(dataset.video_lengths[np.unique(dataset.item_videos[mine])].sum())
    assert sorted(i for mine in items for i in mine) == list(range(len(dataset.item_videos)))
    owners = [
        {rank for rank, mine in enumerate(items) for i in mine if v == dataset.item_videos[i]}
        for v in range(10)
    ]
    assert all(len(owner) == 1 for owner in owners)
    if world <= 3:
        assert max(frames) - min(frames) <= 10


def test_finished_videos_are_skipped(monkeypatch):
    dataset = FakeDataset()
    left = []
    for rank in range(2):
        at_rank(monkeypatch, 'window_sampler', rank, 2)
        sampler = WindowSampler(dataset)
        sampler.skip_videos([101, 105, 109])
        left += list(sampler)
    expected = [i for i, video in enumerate(dataset.item_videos) if video not in (1, 5, 9)]
    assert sorted(left) == expected
