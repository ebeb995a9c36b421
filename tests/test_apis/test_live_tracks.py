from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_api

from mmvseg.apis.live_tracks import LiveTracks
from mmvseg.structures import VideoInstances


def row(left, right):
    mask = np.zeros((2, 40), np.uint8, order='F')
    mask[:, left:right] = 1
    return mask_api.encode(mask)


def frame(*objects):
    """Tubes of one frame from (track, label, score, (left, right) or None)."""
    tracks, labels, scores, spans = zip(*objects, strict=True) if objects else ((), (), (), ())
    return VideoInstances(
        np.array(scores, float),
        np.array(labels, int),
        [[None if span is None else row(*span)] for span in spans],
        np.array(tracks, int),
    )


def shown(tracks, *objects):
    return tracks.choose(frame(*objects)).track_ids.tolist()


def test_an_object_is_shown_once_by_its_best_track_and_class():
    tracks = LiveTracks(0.3)
    found = frame(
        (4, 0, 0.5, (0, 10)),
        (4, 1, 0.9, (0, 10)),
        (7, 1, 0.6, (1, 10)),
        (2, 0, 0.4, (20, 30)),
        (3, 0, 0.29, (33, 36)),
        (5, 0, 0.8, None),
        (6, 0, 0.95, (3, 3)),
    )
    chosen = tracks.choose(found)
    assert chosen.track_ids.tolist() == [4, 2]
    assert chosen.labels.tolist() == [1, 0]
    assert chosen.scores.tolist() == [0.9, 0.4]
    assert shown(tracks) == []  # an empty frame


def test_a_track_that_is_covered_is_hidden():
    assert shown(LiveTracks(0.3), (1, 0, 0.9, (0, 20)), (2, 0, 0.8, (0, 4))) == [1]
    assert shown(LiveTracks(0.3), (1, 0, 0.9, (0, 20)), (2, 0, 0.8, (17, 24))) == [1, 2]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(0.4, 0.55), st.floats(0.4, 0.55)), min_size=2, max_size=20))
def test_scores_that_cross_do_not_let_two_tracks_take_turns(scores):
    tracks = LiveTracks(0.3)
    seen = [
        shown(tracks, (1, 0, first, (0, 10)), (2, 1, second, (0, 11))) for first, second in scores
    ]
    assert all(ids == seen[0] for ids in seen)
    assert len(seen[0]) == 1


def test_a_much_better_track_or_class_takes_over_once():
    tracks = LiveTracks(0.3)
    assert shown(tracks, (1, 0, 0.4, (0, 10))) == [1]
    assert shown(tracks, (1, 0, 0.4, (0, 10)), (2, 0, 0.7, (0, 10))) == [2]
    assert shown(tracks, (1, 0, 0.6, (0, 10)), (2, 0, 0.5, (0, 10))) == [2]
    assert tracks.choose(frame((2, 1, 0.7, (0, 10)), (2, 0, 0.5, (0, 10)))).labels.tolist() == [0]
    assert tracks.choose(frame((2, 1, 0.9, (0, 10)), (2, 0, 0.5, (0, 10)))).labels.tolist() == [1]


def test_overlap_counts_over_the_frames_so_far_and_is_forgotten():
    tracks = LiveTracks(0.3)
    apart = ((1, 0, 0.9, (0, 10)), (2, 0, 0.8, (20, 30)))
    together = ((1, 0, 0.9, (0, 10)), (2, 0, 0.8, (0, 10)))
    for _ in range(10):
        assert shown(tracks, *apart) == [1, 2]
    seen = [shown(tracks, *together) for _ in range(40)]
    assert seen[0] == [1, 2]  # they touch for a moment
    assert seen[-1] == [1]
    changes = sum(before != after for before, after in pairwise(seen))
    assert changes == 1
    seen = [shown(tracks, *apart) for _ in range(60)]
    assert (seen[0], seen[-1]) == ([1], [1, 2])


def test_the_border_of_the_rule_does_not_flicker():
    """An IoU that swings around the threshold."""
    tracks = LiveTracks(0.3)
    seen = [
        shown(tracks, (1, 0, 0.9, (0, 10)), (2, 0, 0.8, (3 + t % 2, 13 + t % 2))) for t in range(40)
    ]
    assert sum(before != after for before, after in pairwise(seen)) <= 1


@pytest.mark.parametrize('count', [1, 300])
def test_state_grows_with_tracks_and_not_with_frames(count):
    tracks = LiveTracks(0.3)
    for _ in range(count):
        tracks.choose(frame((1, 0, 0.9, (0, 10)), (2, 0, 0.8, (20, 30))))
    assert tracks._shared.shape == (2, 2)
