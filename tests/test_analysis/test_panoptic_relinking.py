import numpy as np
import pytest
from panoptic_files import listed, write_predictions, write_truth

from mmvseg.analysis.panoptic_counts import VideoCounter
from mmvseg.analysis.panoptic_relinking import is_linked_rightly, nearest
from mmvseg.evaluation.functional.panoptic_overlap import video_overlaps
from mmvseg.evaluation.functional.vpq import WINDOWS, VideoPQ
from mmvseg.formats.vipseg import read_vipseg
from mmvseg.formats.vipseg_results import load_results

CLASSES = {i: (7, 2, 0)[i % 3] for i in range(1, 40)}


def count(folder, truth, pred):
    """Counts of one video, whose frames are maps of ids, and its VPQ as it is."""
    write_truth(folder / 'gt', dict(video=[(ids, listed(ids, CLASSES)) for ids in truth]))
    write_predictions(folder / 'pred', dict(video=[(ids, listed(ids, CLASSES)) for ids in pred]))
    content = read_vipseg(folder / 'gt' / 'panoptic_gt_val.json', folder / 'gt' / 'panomasksRGB')
    found = load_results(folder / 'pred', content)['video']
    counter = VideoCounter(content.classes, WINDOWS, 'video')
    quality = VideoPQ(content.classes, WINDOWS, 'video')
    for frame in video_overlaps(content.videos['video'], found):
        counter.add(frame)
        quality.add(frame)
    return counter.result(), quality.sums


def same(sums, others):
    return all(sums[k] == pytest.approx(others[k]) for k in WINDOWS)


@pytest.mark.parametrize('seed', range(5))
def test_ids_that_are_mixed_up_are_put_right(tmp_path, seed):
    rng = np.random.default_rng(seed)
    truth = [np.arange(1, 10).repeat(10)[None] for _ in range(8)]
    lost = rng.integers(0, 5, (8, 9, 1)) > np.arange(10)  # up to four of ten pixels
    right = [np.where(none.reshape(1, -1), 0, ids) for none, ids in zip(lost, truth, strict=True)]
    mixed = []
    for ids in right:
        names = np.zeros(10, int)
        for rest in range(3):  # among segments of one class
            own = np.array([i for i in range(1, 10) if i % 3 == rest])
            names[own] = rng.permutation(np.concatenate([own, own + 9]))[:3]
        mixed.append(names[ids])
    _, wanted = count(tmp_path, truth, right)
    found, sums = count(tmp_path, truth, mixed)
    assert not same(sums, wanted)
    assert same(found.sums, sums)
    assert same(found.mended['association'], wanted)


def test_ids_that_are_right_stay(tmp_path):
    truth = [np.array([[1, 1, 1, 1, 4, 4, 4, 4]])] * 6
    poor = np.array([[1, 0, 0, 0, 4, 4, 4, 4]])
    found, sums = count(tmp_path, truth, [truth[0], poor] * 3)
    assert found.mended['association'] is found.sums
    assert same(found.sums, sums)
    # five windows of two frames in which both objects match
    assert sums[2].sum(axis=0)[1:].tolist() == [10, 0, 0]


def test_a_mask_that_matches_nothing_goes_with_its_nearest_match(tmp_path):
    """Id 1 is on one object, then on another, at first too poorly; id 4 takes over the one."""
    truth = [np.array([[1] * 10 + [7] * 10])] * 6
    shown = [(1, 0), (4, 0), (4, 4), (4, 10), (4, 10), (4, 10)]
    pred = [np.array([[first] * 10 + [1] * n + [0] * (10 - n)]) for first, n in shown]
    right = [np.array([[1] * 10 + [7] * n + [0] * (10 - n)]) for _, n in shown]
    found, sums = count(tmp_path, truth, pred)
    _, wanted = count(tmp_path, truth, right)
    assert same(found.mended['association'], wanted)
    assert not same(sums, wanted)


def test_of_masks_that_want_a_free_segment_the_larger_gets_it(tmp_path):
    truth = [np.array([[1] * 10])] * 3
    rows = [[1] * 10, [1] * 4 + [4] * 3 + [0] * 3, [4] * 10]
    found, _ = count(tmp_path, truth, [np.array([row]) for row in rows])
    # 10 + 4 + 10 of 30 pixels; what is left of id 4 is wrong
    linked = [np.array([row]) for row in ([1] * 10, [1] * 4 + [7] * 3 + [0] * 3, [1] * 10)]
    _, wanted = count(tmp_path, truth, linked)
    assert found.mended['association'][2][:, :2] == pytest.approx(wanted[2][:, :2])


def test_linked_rightly():
    assert is_linked_rightly([{3: 1}, {}, {3: 1, 4: 2}])
    assert not is_linked_rightly([{3: 1}, {4: 1}])
    assert not is_linked_rightly([{3: 1}, {3: 2}])


@pytest.mark.parametrize(('value', 'wanted'), [(0, 2), (2, 2), (3, 2), (4, 2), (5, 6), (9, 6)])
def test_nearest(value, wanted):
    assert nearest([2, 6], value) == wanted
