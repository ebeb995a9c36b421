import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_api

from mmvseg.structures import VideoInstances
from mmvseg.structures.distinct_tracks import distinct_tracks, tube_overlaps, without_repeats

SIZE = (6, 8)


def encode(mask):
    return mask_api.encode(np.asfortranarray(mask.astype(np.uint8)))


def box(left, right, rows=SIZE[0]):
    mask = np.zeros(SIZE, bool)
    mask[:rows, left:right] = True
    return mask


def coded(tube):
    return [None if mask is None else encode(mask) for mask in tube]


def keep(scores, tubes, **thresholds):
    return distinct_tracks(np.array(scores), [coded(tube) for tube in tubes], **thresholds).tolist()


def dense(tubes, length):
    """(N, T, H, W)."""
    stack = np.zeros((len(tubes), length, *SIZE), bool)
    for n, tube in enumerate(tubes):
        for t, mask in enumerate(tube):
            if mask is not None:
                stack[n, t] = mask
    return stack


def slow_distinct(scores, pixels, same_iou=0.5, covered=0.8):
    """The rule in words, on all pixels."""
    kept = []
    for n in sorted(range(len(scores)), key=lambda n: -scores[n]):
        own = pixels[n]
        same = any((own & pixels[k]).sum() >= same_iou * (own | pixels[k]).sum() for k in kept)
        below = (own & pixels[kept].any(0)).sum() if kept else 0
        if own.any() and not same and not below >= covered * own.sum():
            kept.append(n)
    return sorted(kept)


@st.composite
def videos(draw):
    length, count = draw(st.integers(1, 4)), draw(st.integers(0, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    tubes = []
    for _ in range(count):
        tube = []
        for _ in range(draw(st.integers(0, length))):
            left, rows = rng.integers(0, 7), rng.integers(0, 7)
            mask = box(left, left + rng.integers(0, 8), rows) ^ (rng.random(SIZE) > 0.95)
            tube.append(None if rng.random() < 0.25 else mask)
        tubes.append(tube)
    # few values, so that some are equal
    return rng.integers(0, 4, count) / 4, tubes, length


@settings(deadline=None, max_examples=150)
@given(videos())
def test_equals_the_rule_on_all_pixels(video):
    scores, tubes, length = video
    pixels = dense(tubes, length)
    assert keep(scores, tubes) == slow_distinct(scores.tolist(), pixels)
    for thresholds in (dict(same_iou=0.2), dict(covered=0.4), dict(same_iou=0.9, covered=1.0)):
        expected = slow_distinct(scores.tolist(), pixels, **thresholds)
        assert keep(scores, tubes, **thresholds) == expected
    areas, shared = tube_overlaps([coded(tube) for tube in tubes])
    flat = pixels.reshape(len(tubes), length * SIZE[0] * SIZE[1]).astype(int)
    np.testing.assert_array_equal(areas, flat.sum(1))
    np.testing.assert_array_equal(shared, flat @ flat.T)


@settings(deadline=None, max_examples=100)
@given(videos())
def test_single_frames_follow_the_rule(video):
    scores, tubes, length = video
    before = [coded(tube) for tube in tubes]
    after = without_repeats(scores, before)
    pixels = dense(tubes, length)
    for t in range(length):
        kept = slow_distinct(scores.tolist(), pixels[:, t : t + 1])
        for n, tube in enumerate(before):
            if t < len(tube):
                assert after[n][t] == (tube[t] if n in kept else None)
    assert without_repeats(scores, after) == after


@settings(deadline=None, max_examples=60)
@given(videos(), st.randoms())
def test_what_is_kept_stays_kept(video, random):
    scores, tubes, _ = video
    kept = keep(scores, tubes)
    # alone, the tubes that are kept are distinct
    assert keep(scores[kept], [tubes[n] for n in kept]) == list(range(len(kept)))
    # a worse tube takes nothing away from better ones
    assert [n for n in keep([*scores, -1.0], [*tubes, [box(0, 8)]]) if n < len(tubes)] == kept
    # the order of the entries matters for equal scores only
    scores = random.sample(range(len(tubes)), len(tubes))
    order = random.sample(range(len(tubes)), len(tubes))
    shuffled = keep([scores[n] for n in order], [tubes[n] for n in order])
    assert sorted(order[n] for n in shuffled) == keep(scores, tubes)


def test_one_object_under_two_classes_and_another():
    tube = [box(0, 3)] * 3
    found = VideoInstances(
        scores=np.array([0.4, 0.9, 0.5]),
        labels=np.array([1, 0, 1]),
        masks=[coded(tube), coded(tube), coded([box(4, 8)] * 3)],
        track_ids=np.array([7, 7, 2]),
    )
    distinct = found.distinct()
    assert distinct.scores.tolist() == [0.9, 0.5]
    assert distinct.labels.tolist() == [0, 1]
    assert distinct.track_ids.tolist() == [7, 2]


def test_a_tube_that_lies_on_another_object_for_a_while_is_not_shown_there():
    first = coded([box(0, 4)] * 4)
    second = coded([box(0, 4)] + [box(4, 8)] * 3)
    found = VideoInstances(np.array([0.5, 0.9]), np.zeros(2, int), [second, first], np.arange(2))
    assert found.distinct().masks == [[None, *second[1:]], first]
    assert found.masks[0][0] is not None


def test_a_tube_of_which_nothing_is_left_in_any_frame_is_left_out():
    """Over time it has an IoU of less than 0.5 with each of the others, in each frame with one."""
    first, second = coded([box(0, 4), None]), coded([None, box(0, 4)])
    both = coded([box(0, 6), box(0, 6)])
    found = VideoInstances(
        np.array([0.9, 0.8, 0.7]), np.zeros(3, int), [first, second, both], np.arange(3)
    )
    assert distinct_tracks(found.scores, found.masks).tolist() == [0, 1, 2]
    assert found.distinct().track_ids.tolist() == [0, 1]


@pytest.mark.parametrize(('frames', 'kept'), [(2, [0]), (1, [0, 1])])
def test_overlap_counts_over_the_whole_time(frames, kept):
    """The second tube lies on the first for some of four frames, beside it in the others."""
    first = [box(0, 4)] * 4
    second = [box(0, 4)] * (frames + 1) + [box(4, 8)] * (3 - frames)
    assert keep([0.9, 0.8], [first, second]) == kept


def test_a_tube_that_jumps_between_two_objects_is_none_of_its_own():
    left, right = [box(0, 3)] * 4, [box(5, 8)] * 4
    jumping = [box(0, 3)] * 2 + [box(5, 8)] * 2
    assert keep([0.9, 0.8, 0.7], [left, right, jumping]) == [0, 1]
    assert keep([0.7, 0.8, 0.9], [left, right, jumping]) == [0, 1, 2]


def test_a_small_object_before_a_large_one_is_kept_while_it_stands_out():
    large = [box(0, 6)] * 2
    assert keep([0.9, 0.5], [large, [box(5, 8, rows=2)] * 2]) == [0, 1]
    assert keep([0.9, 0.5], [large, [box(1, 2, rows=2)] * 2]) == [0]  # a part of it


def test_tubes_without_pixels_are_left_out():
    assert keep([0.9, 0.8, 0.1], [[None, None], [box(0, 0)], [None, box(0, 2)]]) == [2]
    assert keep([], []) == []


def test_more_tubes_in_a_frame_than_a_byte_counts():
    tubes = [[box(n % 8, n % 8 + 1)] for n in range(300)]
    assert keep(np.linspace(1, 0.5, 300), tubes) == list(range(8))
