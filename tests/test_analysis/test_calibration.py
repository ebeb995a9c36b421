"""Scores against what is right, counted by hand."""

import json

import pytest
from analysis_scenes import numbers_of, scene

from mmvseg.analysis.calibration import Calibration

OBJECTS = ['aaaa', 'bbbb', 'cccc', 'dddd']


def calibration(tracks, scores, objects=OBJECTS, crowds=()):
    truth, results = scene(objects, tracks, scores=scores)
    for entry in truth['annotations']:
        entry['iscrowd'] = int(entry['id'] in crowds)
    return numbers_of(Calibration, truth, results)


def test_bins_and_error():
    numbers = calibration(['aaaa', 'hhhh', 'bbbb', 'gggg', 'cccc'], [0.95, 0.91, 0.55, 0.5, 0.25])
    filled = {entry['low']: entry for entry in numbers['bins'] if entry['tracks']}
    assert filled == {
        0.9: dict(low=0.9, high=1.0, tracks=2, mean_score=pytest.approx(0.93), right=0.5),
        0.5: dict(low=0.5, high=0.6, tracks=2, mean_score=pytest.approx(0.525), right=0.5),
        0.2: dict(low=0.2, high=0.3, tracks=1, mean_score=0.25, right=1.0),
    }
    assert len(numbers['bins']) == 10
    assert numbers['bins'][0]['right'] is None
    error = (2 * 0.43 + 2 * 0.025 + 0.75) / 5
    assert numbers['expected_calibration_error'] == pytest.approx(error)
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers


def test_the_best_threshold():
    numbers = calibration(['aaaa', 'bbbb', 'hhhh', 'cccc', 'gggg'], [0.9, 0.8, 0.7, 0.6, 0.5])
    # F1 of the first n tracks: 2/5, 4/6, 4/7, 6/8, 6/9
    assert numbers['best_f1'] == dict(threshold=0.6, f1=0.75, precision=0.75, recall=0.75)


def test_tracks_of_one_score_are_cut_together():
    numbers = calibration(['aaaa', 'bbbb', 'hhhh', 'gggg'], [0.9, 0.5, 0.5, 0.5])
    # 2/5 after the first, 4/8 after all; 4/6 after two would be a cut between equal ones
    assert numbers['best_f1'] == dict(threshold=0.5, f1=0.5, precision=0.5, recall=0.5)


def test_of_equal_values_the_highest_threshold():
    numbers = calibration(['aaaa', 'hhhh', 'bbbb'], [0.9, 0.8, 0.7], ['aaaa', 'bbbb'])
    # 2/3, 2/4, 4/5; with one object alone 1, 2/3
    assert numbers['best_f1']['threshold'] == 0.7
    equal = calibration(['aaaa', 'hhhh', 'hhhh', 'bbbb'], [0.9, 0.8, 0.7, 0.6], ['aaaa', 'bbbb'])
    # 2/3, 2/4, 2/5, 4/6
    assert equal['best_f1']['threshold'] == 0.9


def test_scores_outside_of_the_bins_are_in_the_outer_ones():
    bins = calibration(['aaaa', 'bbbb', 'cccc'], [7.5, 1.0, -2.0])['bins']
    assert (bins[9]['tracks'], bins[9]['mean_score']) == (2, 4.25)
    assert (bins[0]['tracks'], bins[0]['mean_score']) == (1, -2.0)


def test_what_is_on_a_crowd_does_not_count():
    numbers = calibration(['aaaa', 'bbbb'], [0.9, 0.3], crowds=[2, 3, 4])
    assert sum(entry['tracks'] for entry in numbers['bins']) == 1
    assert numbers['best_f1'] == dict(threshold=0.9, f1=1.0, precision=1.0, recall=1.0)


def test_without_tracks_or_without_right_ones_there_is_nothing_to_say():
    nothing = calibration([], [])
    assert nothing['expected_calibration_error'] is None
    assert nothing['best_f1'] is None
    assert calibration(['hhhh'], [0.5])['best_f1'] is None
