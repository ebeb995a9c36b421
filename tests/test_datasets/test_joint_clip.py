from itertools import islice

import numpy as np
import pytest
from torch.utils.data import DataLoader

from mmvseg.datasets import ClipBatchSampler, ClipIndex, JointClipDataset, JointClipSampler
from mmvseg.errors import UserError

CLIP = dict(num_frames=2, consecutive=True)


class FakeSource:
    """Items that name themselves; every third one upright."""

    def __init__(self, name, size, classes=('cup',), num_frames=2):
        self.name = name
        self.metainfo = dict(classes=classes)
        self.clip = type('Clip', (), dict(num_frames=num_frames))
        self.item_is_wide = np.arange(size) % 3 != 0

    def full_init(self):
        pass

    def __len__(self):
        return len(self.item_is_wide)

    def __getitem__(self, index):
        return self.name, index


def make_joint(weights=(0.75, 1.0), sizes=(10, 40), **kwargs):
    names = ('video', 'coco')
    parts = {
        name: FakeSource(name, size, **kwargs) for name, size in zip(names, sizes, strict=True)
    }
    joint = JointClipDataset(parts, dict(zip(names, weights, strict=True)))
    joint.full_init()
    return joint


def test_items_count_through_the_data_sets():
    joint = make_joint()
    assert len(joint) == 50
    assert joint[9] == ('video', 9)
    assert joint[10] == ('coco', 0)
    assert joint[ClipIndex(49, 3, 8)] == ('coco', ClipIndex(39, 3, 8))
    assert joint.item_is_wide[:10].tolist() == joint.datasets['video'].item_is_wide.tolist()
    assert joint.item_is_wide[10:].tolist() == joint.datasets['coco'].item_is_wide.tolist()
    assert joint.metainfo == dict(classes=('cup',))


def test_sources_are_drawn_by_weight_and_items_in_rounds():
    stream = list(islice(JointClipSampler(make_joint(), seed=1), 7000))
    assert [clip.draw for clip in stream] == list(range(7000))
    video = [clip.index for clip in stream if clip.index < 10]
    coco = [clip.index for clip in stream if clip.index >= 10]
    assert abs(len(video) / 7000 - 3 / 7) < 0.02
    for items, size in ((video, 10), (coco, 40)):
        rounds = [items[start : start + size] for start in range(0, 20 * size, size)]
        assert all(len(set(indices)) == size for indices in rounds)
        assert rounds[0] != rounds[1]


def test_seed_decides():
    first, same, other = (list(islice(JointClipSampler(make_joint(), s), 50)) for s in (1, 1, 2))
    assert first == same
    assert [c.index for c in first] != [c.index for c in other]


def test_batches_of_one_orientation_go_on_after_a_resume():
    joint = make_joint()
    batches = list(islice(ClipBatchSampler(JointClipSampler(joint, 5), 2), 60))
    for batch in batches:
        assert len({bool(joint.item_is_wide[clip.index]) for clip in batch}) == 1
    resumed = ClipBatchSampler(JointClipSampler(joint, 5), 2)
    resumed.set_position(23)
    assert list(islice(resumed, 37)) == batches[23:]


def test_a_round_lasts_until_the_slowest_source_is_through():
    assert len(JointClipSampler(make_joint((1, 1), (10, 40)), 0)) == 80
    assert len(JointClipSampler(make_joint((0.25, 0.75), (30, 40)), 0)) == 120


def test_real_data_sets_through_a_loader(content, make_dataset):
    part = make_dataset(content, clip=CLIP)
    joint = JointClipDataset(dict(a=part, b=part), dict(a=1, b=1))
    joint.full_init()
    sampler = ClipBatchSampler(JointClipSampler(joint, 0), 2)
    loader = DataLoader(joint, batch_sampler=sampler, collate_fn=list)
    items = [item for batch in islice(loader, 4) for item in batch]
    assert {item['data_samples'].video_id for item in items} == {10, 11}
    assert all(item['inputs'].shape == (2, 3, 40, 60) for item in items)


def test_what_does_not_go_together():
    with pytest.raises(UserError, match=r'weights names video, but dataset\.datasets has a, b'):
        JointClipDataset(dict(a=1, b=2), dict(video=1.0))
    with pytest.raises(UserError, match='numbers above 0'):
        make_joint(weights=(0.75, 0))
    joint = make_joint()
    joint.datasets['coco'] = FakeSource('coco', 3, classes=('fork',))
    with pytest.raises(UserError, match='differ: only in video: cup; only in coco: fork; they'):
        joint.full_init()
    joint.datasets['video'] = FakeSource('video', 3, classes=('cup', 'fork'))
    joint.datasets['coco'] = FakeSource('coco', 3, classes=('fork', 'cup'))
    with pytest.raises(UserError, match=r"give coco metainfo=dict\(classes=\['cup', 'fork'\]\)"):
        joint.full_init()
    joint.datasets['video'] = FakeSource('video', 3)
    joint.datasets['coco'] = FakeSource('coco', 3, num_frames=5)
    with pytest.raises(UserError, match=r'clip\.num_frames of video and coco differ \(2 and 5\)'):
        joint.full_init()


def test_one_data_set_has_no_weights():
    with pytest.raises(UserError, match=r"train_dataloader\.sampler.*a list; use .*'ClipSampler'"):
        JointClipSampler([])
