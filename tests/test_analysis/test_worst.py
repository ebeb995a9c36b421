"""The worst errors and the sums of videos, from scenes with many errors."""

import json

import pytest
from analysis_scenes import numbers_of, scene, videos_of
from track_scenes import content, entries

from mmvseg.analysis.worst import Worst


def many_errors():
    """Videos 1 and 3 have 20 false tracks each, 2 misses an object; scores repeat."""
    annotations = [*entries(['aa']), *entries(['bb'], video_id=2), *entries(['aa'], video_id=3)]
    results = [
        entry | dict(score=0.05 * (i % 7) + 0.1 * (entry['video_id'] == 3))
        for video_id in (1, 3)
        for i, entry in enumerate(entries(['hh'] * 20, video_id=video_id))
    ]
    results += [entry | dict(score=0.9) for v in (1, 3) for entry in entries(['aa'], video_id=v)]
    return content(annotations, [2, 2, 2]), results


def test_the_thirty_worst_are_those_of_all_errors_by_cost_in_order_of_the_videos():
    truth, results = many_errors()
    every = [error for video in videos_of(truth, results) for error in video.errors]
    assert len(every) == 41
    expected = sorted(every, key=lambda error: -error.cost)[:30]
    worst = numbers_of(Worst, truth, results)['worst']
    assert len({entry['cost'] for entry in worst}) < 30
    fields = ('kind', 'video_id', 'track', 'object', 'frame', 'cost', 'reason')
    got = [tuple(entry[field] for field in fields) for entry in worst]
    assert got == [tuple(getattr(error, field) for field in fields) for error in expected]


def test_names_classes_and_scores():
    truth, results = scene(['aa', 'bb'], ['aa', 'hh'], [1, 2], num_categories=2, scores=[1, 0.75])
    missed, false = numbers_of(Worst, truth, results)['worst']
    assert {name: missed[name] for name in ('kind', 'video', 'class', 'score', 'track')} == {
        'kind': 'missed',
        'video': 'video_1',
        'class': 'class_1',
        'score': None,
        'track': None,
    }
    assert {name: false[name] for name in ('kind', 'video', 'class', 'score', 'track')} == {
        'kind': 'false',
        'video': 'video_1',
        'class': 'class_2',
        'score': 0.75,
        'track': 1,
    }


def test_a_track_is_known_by_its_position_in_the_whole_file():
    results = [*entries(['hh', 'hh'], video_id=2), *entries(['aa'], video_id=1)]
    results += entries(['hh'], video_id=1)
    worst = numbers_of(Worst, content(entries(['aa']), [2, 2]), results)['worst']
    assert sorted((entry['video'], entry['track']) for entry in worst) == [
        *(('video_1', 3), ('video_2', 0), ('video_2', 1))
    ]


def test_videos_are_ranked_by_the_sum_of_costs():
    truth, results = many_errors()
    numbers = numbers_of(Worst, truth, results)
    assert [entry['name'] for entry in numbers['videos']] == ['video_3', 'video_1', 'video_2']
    third, first, second = numbers['videos']
    assert third['cost'] == pytest.approx(first['cost'] + 2)
    assert (first['id'], first['counts']['false'], first['counts']['missed']) == (1, 20, 0)
    assert (second['cost'], second['counts']['false'], second['counts']['missed']) == (1, 0, 1)
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers


def test_perfect_results_have_no_worst():
    numbers = numbers_of(Worst, *scene(['aa'], ['aa']))
    assert numbers['worst'] == []
    assert [entry['cost'] for entry in numbers['videos']] == [0]
