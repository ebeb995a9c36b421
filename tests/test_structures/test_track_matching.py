import numpy as np
from pycocotools import mask as mask_api

from mmvseg.structures import Segment, VideoInstances, VideoPanoptic
from mmvseg.structures.track_matching import match_segments, match_tracks


def video(*tubes, scores=None):
    """Tubes of rows of pixels, given by their first and last column in each frame."""
    masks = []
    for tube in tubes:
        rles = []
        for span in tube:
            mask = np.zeros((2, 20), np.uint8, order='F')
            if span is not None:
                mask[:, span[0] : span[1]] = 1
            rles.append(None if span is None else mask_api.encode(mask))
        masks.append(rles)
    count = len(tubes)
    scores = np.ones(count) if scores is None else np.array(scores)
    return VideoInstances(scores, np.zeros(count, int), masks, np.arange(count))


def test_iou_is_a_ratio_of_sums_over_frames():
    found = video([(0, 10), None], [(0, 5), (0, 10)])
    truth = video([(0, 5), (0, 5)])
    objects, iou = match_tracks(found, truth)
    np.testing.assert_allclose(iou, [[5 / 15], [10 / 15]])
    assert objects.tolist() == [-1, 0]


def test_the_best_tube_chooses_first_and_each_object_is_given_once():
    truth = video([(0, 8)], [(4, 12)])
    found = video([(0, 8)], [(1, 8)], [(4, 12)], [(5, 12)], scores=[0.5, 0.9, 0.2, 0.1])
    objects, _ = match_tracks(found, truth)
    assert objects.tolist() == [-1, 0, 1, -1]
    objects, _ = match_tracks(found, truth, min_iou=0.95)
    assert objects.tolist() == [0, -1, 1, -1]


def test_a_tube_takes_the_second_best_object_that_is_free():
    truth = video([(0, 8)], [(1, 10)])
    objects, _ = match_tracks(video([(0, 8)], [(0, 9)], scores=[0.9, 0.8]), truth)
    assert objects.tolist() == [0, 1]


def test_nothing_to_match():
    some = video([(0, 8)])
    assert match_tracks(some, video())[0].tolist() == [-1]
    assert match_tracks(video(), some)[0].tolist() == []
    assert match_tracks(video([None]), video([None]))[0].tolist() == [-1]


def panoptic(things, *rows):
    ids = sorted(set(np.ravel(rows).tolist()) - {0})
    segments = [Segment(n, 0, n in things, score=1 / n, query=n) for n in ids]
    return VideoPanoptic(segments, [np.array([row], np.uint8) for row in rows])


def test_things_are_matched_over_time_and_stuff_is_not():
    found = panoptic({1, 2, 4}, [1, 1, 2, 2, 2, 9, 9], [1, 1, 1, 2, 2, 4, 9])
    truth = panoptic({3, 7}, [7, 7, 3, 3, 3, 1, 1], [7, 7, 7, 3, 3, 1, 1])
    assert match_segments(found, truth) == {1: 7, 2: 3}
    assert match_segments(panoptic({1}, [1, 1, 9], [9, 9, 9]), panoptic({5}, [5] * 3, [0] * 3)) == {
        1: 5
    }
    assert match_segments(panoptic({1}, [1, 9, 9]), panoptic({5}, [5, 5, 5])) == {}
    found.segments.pop()  # of too low a score, say
    assert match_segments(found, truth) == {1: 7, 2: 3}
    nothing = VideoPanoptic([], [np.zeros((1, 3), np.uint8)])
    assert match_segments(nothing, panoptic({5}, [5, 5, 5])) == {}
    assert match_segments(panoptic({5}, [5, 5, 5]), nothing) == {}
