"""Where tracks are, from codes and from maps, against a search of every pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from mmvseg.results.track import Track, tracks_of
from mmvseg.results.tubes import CodedTube, MapExtents, MapTube
from mmvseg.structures import Segment, VideoInstances, VideoPanoptic, VideoSemantic

META = dict(classes=('cat', 'dog', 'sky'), category_ids=(4, 7, 9), thing_classes=('cat', 'dog'))


def encode(mask):
    return coco_mask.encode(np.asfortranarray(mask, np.uint8))


def naive(masks):
    """Boxes and areas, pixel by pixel."""
    boxes, areas = [], []
    for mask in masks:
        pixels = [(x, y) for y, row in enumerate(mask) for x, value in enumerate(row) if value]
        areas.append(len(pixels))
        if pixels:
            columns, rows = zip(*pixels, strict=True)
            boxes.append((min(columns), min(rows), max(columns) + 1, max(rows) + 1))
        else:
            boxes.append((np.nan,) * 4)
    return np.array(boxes), np.array(areas)


videos = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 7)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 3), min_size=shape[1] * shape[2], max_size=shape[1] * shape[2]),
        min_size=shape[0],
        max_size=shape[0],
    ).map(lambda values: np.array(values, np.uint8).reshape(shape))
)


@given(videos, st.booleans())
def test_boxes_and_areas_of_both_kinds_of_tubes(maps, empty_codes):
    for value in range(3):
        masks = maps == value
        codes = [encode(m) if m.any() or empty_codes else None for m in masks]
        of_maps = MapTube(maps, value, MapExtents(maps, 3))
        for tube in (CodedTube(codes, maps.shape[1:]), of_maps):
            boxes, areas = tube.extents()
            np.testing.assert_array_equal(boxes, naive(masks)[0])
            np.testing.assert_array_equal(areas, naive(masks)[1])
            for frame, mask in enumerate(masks):
                np.testing.assert_array_equal(tube.dense(frame), mask)
        assert [of_maps[t] for t in range(len(maps))] == [
            encode(mask) if mask.any() else None for mask in masks
        ]


def test_a_track_knows_when_it_is_seen():
    seen = encode(np.ones((2, 3)))
    track = Track(5, 1, 'dog', 7, 0.5, True, CodedTube([None, seen, None, seen, None], (2, 3)))
    assert (track.first_frame, track.last_frame, track.frames.tolist()) == (1, 3, [1, 3])
    assert repr(track) == 'Track(5, dog, score 0.50, frames 1 to 3)'
    assert list(track.masks) == [None, seen, None, seen, None]
    assert not track.mask(0).any()
    never = Track(5, 1, 'dog', 7, None, True, CodedTube([None, None], (2, 3)))
    assert (never.first_frame, never.last_frame) == (None, None)
    assert repr(never) == 'Track(5, dog, in no frame)'


def test_tracks_of_instances():
    code = encode(np.ones((2, 3)))
    pred = VideoInstances(
        np.array([0.5, 0.75], np.float32), np.array([1, 0]), [[code], [None]], np.array([3, 8])
    )
    tracks = tracks_of(pred, META, (2, 3))
    assert [(t.id, t.label, t.name, t.category_id, t.score, t.is_thing) for t in tracks] == [
        (3, 1, 'dog', 7, 0.5, True),
        (8, 0, 'cat', 4, 0.75, True),
    ]


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.int32])
def test_tracks_of_segments(dtype):
    maps = [
        np.array([[0, 4, 2]], dtype),
        np.array([[2, 2, 900 if dtype != np.uint8 else 7]], dtype),
    ]
    segments = [Segment(4, 0, True, 0.9, 0), Segment(2, 2, False, 0.4, 1)]
    tracks = tracks_of(VideoPanoptic(segments, maps), META, (1, 3))
    assert [(t.id, t.name, t.score, t.is_thing) for t in tracks] == [
        (4, 'cat', 0.9, True),
        (2, 'sky', 0.4, False),
    ]
    assert [t.areas.tolist() for t in tracks] == [[1, 0], [1, 2]]
    assert tracks_of(VideoPanoptic([], maps), META, (1, 3)) == []


def test_tracks_of_classes_are_those_that_occur():
    maps = [np.array([[2, 2, 1]], np.uint8), np.array([[2, 255, 255]], np.uint8)]
    tracks = tracks_of(VideoSemantic(maps), META, (1, 3))
    assert [(t.id, t.name, t.score, t.is_thing) for t in tracks] == [
        (2, 'sky', None, False),
        (1, 'dog', None, True),
    ]
    assert [t.areas.tolist() for t in tracks] == [[2, 1], [1, 0]]
    (dog,) = tracks_of(VideoSemantic(maps).of_labels({0, 1}), META, (1, 3))
    assert (dog.name, dog.areas.tolist(), dog.mask(0).tolist()) == (
        'dog',
        [1, 0],
        [[False, False, True]],
    )
