import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from mmvseg.structures import VideoInstances
from mmvseg.structures.tube_stitching import TubeStitcher, tube_iou


def box_rle(x, size=10, shape=(32, 64)):
    mask = np.zeros(shape, np.uint8)
    mask[5 : 5 + size, x : x + size] = 1
    return mask_utils.encode(np.asfortranarray(mask))


def clip(tubes, labels, scores, track_ids=None):
    track_ids = np.arange(len(tubes)) if track_ids is None else np.array(track_ids)
    return VideoInstances(np.array(scores, np.float32), np.array(labels), tubes, track_ids)


def test_tube_iou_is_a_ratio_of_sums():
    first = [box_rle(0), box_rle(10), None]
    second = [box_rle(5), None, None]
    assert tube_iou(first, second) == pytest.approx(50 / (150 + 100))
    assert tube_iou([None], [None]) == 0


def test_same_object_is_continued():
    left = [box_rle(x) for x in range(6)]
    right = [box_rle(40 - x) for x in range(6)]
    stitcher = TubeStitcher()
    stitcher.add(clip([left[:4], right[:4]], [1, 2], [0.9, 0.5]), start=0)
    stitcher.add(clip([right[2:], left[2:]], [2, 1], [0.8, 0.6]), start=2)
    result = stitcher.result(max_tubes=10)
    assert len(result) == 2
    assert result.masks[0] == left
    assert result.masks[1] == right
    np.testing.assert_allclose(result.scores, [(0.9 * 4 + 0.6 * 2) / 6, (0.5 * 4 + 0.8 * 2) / 6])


def test_classes_must_agree():
    tube = [box_rle(x) for x in range(6)]
    stitcher = TubeStitcher()
    stitcher.add(clip([tube[:4]], [1], [0.9]), start=0)
    stitcher.add(clip([tube[2:]], [0], [0.9]), start=2)
    result = stitcher.result(max_tubes=10)
    assert sorted(result.labels.tolist()) == [0, 1]
    by_label = dict(zip(result.labels.tolist(), result.masks, strict=True))
    assert by_label[1] == [*tube[:4], None, None]
    assert by_label[0] == [None, None, *tube[2:]]
    assert len(set(result.track_ids.tolist())) == 2


def test_one_query_under_two_classes_keeps_one_identity():
    tube = [box_rle(x) for x in range(6)]
    stitcher = TubeStitcher()
    stitcher.add(clip([tube[:4], tube[:4]], [1, 2], [0.9, 0.3], track_ids=[7, 7]), start=0)
    stitcher.add(clip([tube[2:], tube[2:]], [1, 2], [0.9, 0.3], track_ids=[3, 3]), start=2)
    result = stitcher.result(max_tubes=10)
    assert len(result) == 2
    assert len(set(result.track_ids.tolist())) == 1


def test_best_tubes_are_reported():
    tubes = [[box_rle(x)] for x in (0, 15, 30)]
    stitcher = TubeStitcher()
    stitcher.add(clip(tubes, [0, 0, 0], [0.1, 0.7, 0.4]), start=0)
    np.testing.assert_allclose(stitcher.result(max_tubes=2).scores, [0.7, 0.4])


@settings(deadline=None, max_examples=25)
@given(
    num_frames=st.integers(2, 14),
    clip_frames=st.integers(2, 6),
    overlap=st.integers(1, 5),
    speed=st.integers(0, 2),
)
def test_perfect_clips_give_back_the_video(num_frames, clip_frames, overlap, speed):
    overlap = min(overlap, clip_frames - 1)
    tubes = [
        [box_rle(speed * t, size=6, shape=(32, 80)) for t in range(num_frames)],
        [box_rle(70 - speed * t, size=8, shape=(32, 80)) for t in range(num_frames)],
    ]
    stitcher, start = TubeStitcher(), 0
    while stitcher.num_frames < num_frames:
        part = slice(start, start + clip_frames)
        stitcher.add(clip([tube[part] for tube in tubes], [0, 0], [0.9, 0.8]), start)
        start += clip_frames - overlap
    assert stitcher.result(max_tubes=10).masks == tubes
