"""The list of errors: where to look, what it costs, which words."""

import pytest
from analysis_scenes import analyze

from mmvseg.analysis.tube_errors import counts_by_kind


def only(video):
    (error,) = video.errors
    return error


def test_a_missed_object():
    error = only(analyze(['aaaa', '..bb'], ['aaaa']))
    assert (error.kind, error.track, error.object, error.frame) == ('missed', None, 2, 2)
    assert error.cost == 1
    assert error.reason == 'no track is right about this class_1: the best IoU is 0.00'


def test_a_missed_object_costs_what_the_best_track_lacks():
    errors = analyze(['aaaaaaaa'], ['aaa.....'], (2,), 2).errors
    costs = {error.kind: error.cost for error in errors}
    assert costs == dict(missed=pytest.approx(5 / 8), false=pytest.approx(1))


def test_a_false_track():
    error = only(analyze(['aaaa'], ['aaaa', '.dd.']))
    assert (error.kind, error.track, error.object, error.frame) == ('false', 1, None, 1)
    assert error.cost == pytest.approx(0.99)  # its score


def test_a_wrong_class():
    error = only(analyze(['aaaa'], ['aaaa'], (2,), 2))
    assert (error.kind, error.track, error.object) == ('class', 0, 1)
    assert error.reason == 'this class_1 is taken for a class_2: IoU 1.00'


def test_a_switch_is_shown_where_it_happens():
    errors = analyze(['aaaaaaaa', 'bbbbbbbb'], ['aaaabbbb', 'bbbbaaaa']).errors
    assert [error.kind for error in errors] == ['association'] * 2
    assert {error.frame for error in errors} == {4}
    assert 'shows 2 objects' in errors[0].reason


def test_a_cut_track_is_shown_where_it_goes_on():
    errors = analyze(['aaaaaaaa'], ['aaaaaa..', '......aa']).errors
    places = [(error.kind, error.track, error.object, error.frame) for error in errors]
    assert places == [('association', 1, 1, 6), ('association', 0, 1, 6)]
    assert [error.cost for error in errors] == pytest.approx([0.99, 0.25])
    reason = 'this class_1 is one of 2 tracks that show the same object in turn'
    assert [error.reason for error in errors] == [reason] * 2


def test_a_right_track_with_poor_masks_costs_what_it_could_gain():
    error = only(analyze(['aaaa'], ['AAAA']))
    assert (error.kind, error.track) == ('mask', 0)
    assert error.cost == pytest.approx(0.25)


def test_small_flaws_of_right_tracks_are_not_listed():
    assert analyze(['a' * 20], ['a' * 19 + '.']).errors == []


def test_a_short_track():
    error = only(analyze(['aaaaaaaa'], ['aaa.....']))
    assert (error.kind, error.frame) == ('extent', 3)


def test_the_worst_come_first_and_are_counted():
    errors = analyze(['aaaa', 'bbbb'], ['aaaa', 'dddd', 'eeee']).errors
    assert [error.kind for error in errors] == ['missed', 'false', 'false']
    counts = counts_by_kind(errors)
    assert (counts['missed'], counts['false'], counts['mask']) == (1, 2, 0)
