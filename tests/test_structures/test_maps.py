"""Maps of many frames, and the results that hold them."""

import numpy as np
import pytest

from mmvseg.structures import CodedMaps, Segment, VideoPanoptic


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.int32])
def test_maps_come_back_as_they_were(dtype):
    rng = np.random.default_rng(0)
    maps = [rng.integers(0, 200, (5, 7)).astype(dtype) for _ in range(3)]
    coded = CodedMaps(maps[:1])
    for item in maps[1:]:
        coded.append(item.T.copy().T)  # any memory order
    assert len(coded) == 3
    for item, back in zip(maps, coded, strict=True):
        assert back.dtype == dtype
        np.testing.assert_array_equal(item, back)
    np.testing.assert_array_equal(coded[-1], maps[-1])
    with pytest.raises(IndexError):
        coded[3]


def test_large_areas_take_little_memory():
    item = np.zeros((200, 300), np.uint16)
    item[50:, 100:] = 7
    coded = CodedMaps([item] * 4)
    assert coded.nbytes < 4 * item.nbytes / 50


def test_segments_of_a_frame():
    things = [Segment(1, 0, True, 0.9, 3), Segment(2, 1, True, 0.8, 5), Segment(4, 2, False, 1, 0)]
    first, second = np.array([[0, 1], [1, 4]]), np.array([[0, 0], [2, 2]])
    video = VideoPanoptic(things, CodedMaps([first, second]))
    assert len(video) == 3
    assert video.segments_in(video.maps[0]) == [(things[0], 2), (things[2], 1)]
    assert video.segments_in(video.maps[1]) == [(things[1], 2)]


def test_results_of_some_frames():
    maps = CodedMaps([np.full((1, 1), t, np.uint8) for t in range(5)])
    chosen = VideoPanoptic([Segment(4, 0, True, 1, 0)], maps).of_frames([1, 4])
    assert [int(item.max()) for item in chosen.maps] == [1, 4]
    assert (len(chosen.maps), len(chosen)) == (2, 1)
    assert chosen.segments_in(chosen.maps[1]) == [(chosen.segments[0], 1)]
    assert chosen.segments_in(chosen.maps[0]) == []
