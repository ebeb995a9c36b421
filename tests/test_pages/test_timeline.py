"""Bars of the timeline: switches, gaps, absence."""

import numpy as np
import pytest
from page_scenes import COLORS, scene, tube

from mmvseg.pages.records import ShownRun
from mmvseg.pages.script_data import hex_color
from mmvseg.pages.timeline import (
    annotated_bars,
    object_bars,
    object_values,
    ticks,
    track_bars,
)

RED, BLUE, GREEN = map(hex_color, COLORS)


def test_switch_and_gap_of_an_object():
    video = scene()
    bars = object_bars(video, 0, video.runs[0])
    assert [(bar.start, bar.length, bar.color, bar.is_thin) for bar in bars] == [
        (0, 5, RED, False),
        (5, 2, '', True),
        (7, 5, BLUE, False),
    ]
    assert bars[0].text == 'frames 0 to 4: shown by cat #0 0.90'
    assert bars[1].text == 'frames 5 to 6: no track shows it'


def test_bars_of_tracks():
    video = scene()
    assert [(bar.start, bar.length, bar.color) for bar in track_bars(video, 1, video.runs[0])] == [
        (7, 5, RED)  # the object's
    ]
    (false,) = track_bars(video, 2, video.runs[0])
    assert (false.start, false.length, false.color, false.is_thin) == (0, 12, GREEN, True)
    assert false.text == 'frames 0 to 11: shows no object'


def test_nobody_compared():
    video = scene()
    run = ShownRun(video.runs[0].tracks)
    (bar,) = track_bars(video, 1, run)
    assert (bar.start, bar.length, bar.color, bar.is_thin) == (7, 5, BLUE, False)
    (bar,) = annotated_bars(video.objects[0])
    assert (bar.length, bar.text) == (12, 'frames 0 to 11: there: cat #17')


def test_absent_frames_have_no_bar():
    video = scene()
    video.objects[0] = tube(17, [1, None, None, 4], 'cat')
    run = ShownRun([tube(3, [1, 1, 1, 1], score=0.5)], np.array([[0, -1, -1, 0]]))
    bars = object_bars(video, 0, run)
    assert [(bar.start, bar.length) for bar in bars] == [(0, 1), (3, 1)]
    assert bars[1].text == 'frame 3: shown by cat #3 0.50'


@pytest.mark.parametrize(
    ('owners', 'expected'),
    [
        ([[0, 0, -1, 0], [0, 0, 0, 0]], [0, 0, 1, 1]),  # who is on it stays
        ([[-1, -1, -1, -1], [0, -1, -1, 0]], [1, -1, -1, 1]),
        ([[-1, 0, -1, -1], [1, 1, 1, 1]], [-1, 0, -1, -1]),
    ],
)
def test_one_track_a_frame_shows_an_object(owners, expected):
    run = ShownRun([tube(0, [1] * 4), tube(1, [1] * 4)], np.array(owners))
    assert object_values(tube(9, [1] * 4), 0, run).tolist() == expected


@pytest.mark.parametrize('length', [1, 2, 10, 11, 36, 100, 101, 4321])
def test_ticks(length):
    marks = ticks(length)
    assert marks[0] == 0
    assert len(marks) <= 10
    assert marks[-1] < length
    assert len({*np.diff(marks).tolist()}) <= 1
